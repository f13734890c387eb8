package local

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hearth-home/hearth/local/backfill"
	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/shared/testserver"
)

func tinyInstallation(t *testing.T, environ ...string) *Installation {
	t.Helper()
	h, err := Open(repository(t), environ, &testserver.Output{})
	if err != nil {
		t.Fatal(err)
	}
	h.build = tinyOnly
	return h
}

var tinyOnly = map[string]host.Builder{"weather": newTiny}

func TestARunAnswersAndStoresWhatItDecoded(t *testing.T) {
	h := tinyInstallation(t)
	for _, want := range []struct {
		dry               bool
		status            string
		stored, unchanged int
	}{{true, "dry_run", 0, 0}, {false, "ok", 2, 0}, {false, "ok", 0, 2}} {
		a, err := h.RunOnce(t.Context(), "weather", want.dry)
		if err != nil {
			t.Fatal(err)
		}
		if a.Status != want.status || a.Stored != want.stored || a.Unchanged != want.unchanged {
			t.Errorf("%+v, want %+v", a, want)
		}
		if len(a.Readings) != 1 || !strings.HasPrefix(a.Readings[0].Line(), "weather,place=home,sample=true temperature_celsius=12.5 ") ||
			len(a.Items) != 1 || a.Items[0].Key() != "weather/home/1" {
			t.Errorf("dry=%t: %+v", want.dry, a)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestForgetRemovesAFunction(t *testing.T) {
	h := tinyInstallation(t)
	if _, err := h.RunOnce(t.Context(), "weather", false); err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	for _, c := range []struct {
		name, fails string
		left        int
	}{{"wether", "there are: weather", 1}, {"weather", "", 0}, {"weather", "none has run yet", 0}} {
		err := h.Forget(t.Context(), c.name)
		if (err != nil) != (c.fails != "") || err != nil && !strings.Contains(err.Error(), c.fails) {
			t.Errorf("forget %s: %v", c.name, err)
		}
		if fs, err := h.Functions(t.Context()); err != nil || len(fs) != c.left {
			t.Errorf("after forget %s: %+v, %v", c.name, fs, err)
		}
	}
}

func TestARunCallsTheUpstreamOnce(t *testing.T) {
	var calls atomic.Int64
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		fmt.Fprintf(w, `{"dt":%d}`, time.Now().Unix())
	}))
	defer upstream.Close()
	h := tinyInstallation(t, "TINY_URL="+upstream.URL, "TINY_KEY=real-key-1")
	if a, err := h.RunOnce(t.Context(), "weather", false); err != nil || calls.Load() != 1 || a.Stored != 2 {
		t.Errorf("%v, called %d times, answered %+v", err, calls.Load(), a)
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestARunsErrorSaysWhatFailed(t *testing.T) {
	h := tinyInstallation(t, "TINY_URL=http://127.0.0.1:1", "TINY_KEY=real-key-1")
	for name, want := range map[string]string{"weather": "answered 502", "absent": "go generate ./local", "none": `no function "none"`} {
		_, err := h.RunOnce(t.Context(), name, true)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "real-key-1") {
			t.Errorf("run %s: %v, want %s", name, err, want)
		}
	}
	if logs := h.out.(*testserver.Output).String(); !strings.Contains(logs, "failed (502)") || strings.Contains(logs, "dry run") {
		t.Errorf("logs of a dry run that failed:\n%s", logs)
	}
	http.DefaultClient.CloseIdleConnections()
}

// The reason is the run's error, in the answer too, and not logged beside it.
func TestTheReasonOfABrokenFunctionIsSaidOnce(t *testing.T) {
	h := tinyInstallation(t, "TINY_URL=::", "TINY_KEY=real-key-1")
	for _, dry := range []bool{true, false} {
		a, err := h.RunOnce(t.Context(), "weather", dry)
		if err == nil || !strings.HasPrefix(err.Error(), "weather cannot start: configuration: TINY_URL: ") {
			t.Fatal(err)
		}
		b, encodingErr := json.Marshal(a)
		if encodingErr != nil || !strings.HasPrefix(string(b), `{"function":"weather","status":"failed","stored":0,"unchanged":0,"took_ms":0,"warnings":[],"error":"configuration: TINY_URL: `) {
			t.Errorf("%s, %v", b, encodingErr)
		}
	}
	if logs := h.out.(*testserver.Output).String(); strings.Contains(logs, "TINY_URL") {
		t.Errorf("the reason is logged, too:\n%s", logs)
	}
	r := launch(t, repository(t), "TINY_URL=::", "TINY_KEY=real-key-1")
	r.logStart(t.Context())
	if code, body := r.call("POST", "/function/weather"); code != http.StatusInternalServerError || !strings.Contains(body, "TINY_URL") {
		t.Errorf("the platform answers %d %s", code, body)
	}
	if logs := r.logs.String(); strings.Count(logs, "TINY_URL") != 1 || !strings.Contains(logs, "broken: configuration: TINY_URL") {
		t.Errorf("want the reason once:\n%s", logs)
	}
}

func TestABackfillStoresEachDayOnce(t *testing.T) {
	r := launch(t, repository(t))
	r.settled()
	to := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -20) // earlier than the reading of the run at the start
	at, err := r.GatewayURL()
	if err != nil {
		t.Fatal(err)
	}
	j := backfill.Job{Gateway: at, Function: "weather", From: to.AddDate(0, 0, -9), To: to}
	for _, want := range [][2]int{{10, 0}, {0, 10}} {
		p, err := backfill.Run(t.Context(), j, func(backfill.Progress) {})
		if err != nil || p.Done != 1 || p.Stored != want[0] || p.Unchanged != want[1] || !p.Sample {
			t.Errorf("%+v, %v; want %v", p, err, want)
		}
	}
	st, err := r.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rs, err := st.Between(t.Context(), "weather", nil, j.From.Add(-48*time.Hour), to.Add(24*time.Hour))
	if err != nil || len(rs) != 10 {
		t.Errorf("%d readings, %v; want one for each of 10 days", len(rs), err)
	}
}

func TestTheGatewayServesFunctionsInOtherProcesses(t *testing.T) {
	h := tinyInstallation(t)
	fn := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "here") }))
	defer fn.Close()
	fs, err := gatewayFunctions(h, []string{"weather=" + fn.URL})
	if err != nil || len(fs) != 1 || fs[0].Status.Image != "tiny:1" || fs[0].URL.String() != fn.URL {
		t.Errorf("gatewayFunctions = %+v, %v", fs, err)
	}
	for bad, want := range map[string]string{
		"weather": "want NAME=", "weather=": "want NAME=", "weather=https://x:1": "want NAME=", "weather=http://x": "want NAME=", "weather=http://x:1/path": "want NAME=",
		"weather=" + fn.URL + " weather=http://me:s3cr3t@x": "argument 2: want NAME=http://host:port", "weather=http://me:s3cr3t@x:1": "want NAME=",
		"http://me:s3cr3t@x:1?a=b": "argument 1: want NAME=", "me:s3cr3t=rest@x:1": "want NAME=",
		"wether=" + fn.URL: `there is no function "wether"`, "weather=" + fn.URL + " weather=http://x:1": "is named twice",
	} {
		if _, err := gatewayFunctions(h, strings.Fields(bad)); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%q: %v, want %s", bad, err, want)
		}
	}
}

func TestMigrateRequiresADatabase(t *testing.T) {
	if err := tinyInstallation(t).Migrate(t.Context(), io.Discard); err == nil || !strings.Contains(err.Error(), "DATABASE_URL") {
		t.Errorf("err = %v", err)
	}
}
