package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hearth-home/hearth/local/host"
)

func tinyHouse(t *testing.T, environ ...string) *house {
	t.Helper()
	h, err := openHouse(repository(t), environ, &lines{})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

var tinyOnly = map[string]host.Builder{"weather": newTiny}

func TestRunPrintsWhatItDecodedAndThenStoresIt(t *testing.T) {
	h := tinyHouse(t)
	for _, c := range []struct {
		dry  bool
		last string
	}{{true, "# 1 readings, 1 items\n"}, {false, "ok: 2 new, 0 unchanged"}, {false, "ok: 0 new, 2 unchanged"}} {
		var b bytes.Buffer
		if err := runOnce(t.Context(), h, tinyOnly, "weather", c.dry, &b); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"weather,place=home,sample=true temperature_celsius=12.5 ", `item "weather/home/1" "take an umbrella"`, c.last} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("dry=%t: %s\nlacks %s", c.dry, b.String(), want)
			}
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestAFunctionThatIsGoneIsForgotten(t *testing.T) {
	h := tinyHouse(t)
	if err := runOnce(t.Context(), h, tinyOnly, "weather", false, io.Discard); err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	for _, c := range []struct{ name, prints, fails string }{
		{"wether", "", "there are: weather"}, {"weather", "weather is forgotten", ""}, {"weather", "", "was ever seen"},
	} {
		var b bytes.Buffer
		err := cmdForget(t.Context(), h, []string{c.name}, &b)
		if !strings.HasPrefix(b.String(), c.prints) || (err != nil) != (c.fails != "") || err != nil && !strings.Contains(err.Error(), c.fails) {
			t.Errorf("forget %s: %q, %v", c.name, b.String(), err)
		}
	}
}

func TestRunAsksTheUpstreamOnce(t *testing.T) {
	var asked atomic.Int64
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		fmt.Fprintf(w, `{"dt":%d}`, time.Now().Unix())
	}))
	defer upstream.Close()
	h := tinyHouse(t, "TINY_URL="+upstream.URL, "TINY_KEY=real-key-1")
	var b bytes.Buffer
	if err := runOnce(t.Context(), h, tinyOnly, "weather", false, &b); err != nil || asked.Load() != 1 || !strings.Contains(b.String(), "2 new") {
		t.Errorf("%v, asked %d times, printed %s", err, asked.Load(), b.String())
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestRunSaysWhatIsWrong(t *testing.T) {
	h := tinyHouse(t, "TINY_URL=http://127.0.0.1:1", "TINY_KEY=real-key-1")
	for name, want := range map[string]string{"weather": "answered 502", "absent": "go generate ./local", "none": `no function "none"`} {
		err := runOnce(t.Context(), h, tinyOnly, name, true, io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "real-key-1") {
			t.Errorf("run %s: %v, want %s", name, err, want)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestBackfillFillsThroughTheGatewayOnceAndForAll(t *testing.T) {
	r := launch(t, repository(t))
	r.settled()
	to := time.Now().UTC().AddDate(0, 0, -20) // before what the run at the start brought
	from := to.AddDate(0, 0, -9)
	args := []string{"weather", from.Format(time.DateOnly), to.Format(time.DateOnly), "-gateway", "http://" + r.server.Addr}
	for _, want := range []string{"100%  10 new, 0 unchanged  done", "100%  0 new, 10 unchanged  done"} {
		var b bytes.Buffer
		if err := cmdBackfill(t.Context(), r.house, args, &b); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), want) {
			t.Errorf("bar = %q, want %q", b.String(), want)
		}
	}
	st, err := r.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rs, err := st.Between(t.Context(), "weather", nil, from.Add(-48*time.Hour), to.Add(24*time.Hour))
	if err != nil || len(rs) != 10 {
		t.Errorf("%d readings, %v; want one for each of 10 days", len(rs), err)
	}
	if err := cmdBackfill(t.Context(), r.house, []string{"weather", "soon", "-gateway", "http://" + r.server.Addr}, io.Discard); err == nil {
		t.Error("from=soon was taken")
	}
}

func TestTheGatewayAloneServesFunctionsElsewhere(t *testing.T) {
	h := tinyHouse(t)
	fn := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "here") }))
	defer fn.Close()
	fs, err := behind(h, []string{"weather=" + fn.URL, "other=" + fn.URL})
	if err != nil || len(fs) != 2 || fs[0].Status.Image != "tiny:1" || fs[1].Status.Name != "other" {
		t.Errorf("behind = %+v, %v", fs, err)
	}
	for _, bad := range []string{"weather", "weather=", "weather=https://x:1", "weather=http://x", "=http://x:1/path"} {
		if _, err := behind(h, []string{bad}); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestMigrateAsksForADatabase(t *testing.T) {
	if err := cmdMigrate(t.Context(), tinyHouse(t), nil, io.Discard); err == nil || !strings.Contains(err.Error(), "DATABASE_URL") {
		t.Errorf("err = %v", err)
	}
}

func TestWordsAndFlagsMix(t *testing.T) {
	for _, args := range [][]string{{"-dry-run", "weather"}, {"weather", "-dry-run"}} {
		fs := flag.NewFlagSet("run", flag.ContinueOnError)
		dry := fs.Bool("dry-run", false, "")
		if got, err := names(fs, args, 1); err != nil || !*dry || !slices.Equal(got, []string{"weather"}) {
			t.Errorf("%v: %v, %v, dry=%t", args, got, err, *dry)
		}
	}
	fs := flag.NewFlagSet("run", flag.ContinueOnError)
	if _, err := names(fs, []string{"a", "b"}, 1); err == nil {
		t.Error("two functions were taken")
	}
	if _, err := names(fs, nil, 1); err == nil {
		t.Error("no function was taken")
	}
}
