package local

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/testserver"
)

// slackServer is a Slack that takes messages, and the texts that it got.
func slackServer(t *testing.T) (address string, got chan string) {
	t.Helper()
	got = make(chan string, 100)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got <- string(b)
		io.WriteString(w, "ok")
	}))
	t.Cleanup(srv.Close)
	return srv.URL, got
}

// received returns the next text that Slack gets.
func received(t *testing.T, got <-chan string) string {
	t.Helper()
	select {
	case text := <-got:
		return text
	case <-time.After(time.Minute):
		t.Fatal("Slack got nothing for a minute")
		return ""
	}
}

// tellingRepository is repository, and its function has Slack's secret.
func tellingRepository(t *testing.T) string {
	t.Helper()
	root := repository(t)
	write(t, filepath.Join(root, "stack.yml"), strings.Replace(tinyStack, "[tiny-key, database-url]", "[tiny-key, database-url, slack-webhooks]", 1))
	return root
}

func (r *running) outbox() []store.Queued {
	r.t.Helper()
	st, err := r.open(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	all, err := st.Outbox(r.t.Context(), 100)
	if err != nil {
		r.t.Fatal(err)
	}
	return all
}

// TestAlertsAboutSampleDataNeverLeaveTheMachine: whatever is set for Slack. The same failure
// with live data does leave it.
func TestAlertsAboutSampleDataNeverLeaveTheMachine(t *testing.T) {
	root := tellingRepository(t)
	if err := os.RemoveAll(filepath.Join(root, "functions/weather/sample/api.tiny.example")); err != nil {
		t.Fatal(err)
	}
	slack, got := slackServer(t)
	r := launch(t, root, "SLACK_WEBHOOKS="+slack+"/services/x", "ALERTS_MODE=send")
	r.eventually("an alert about the sample that is missing", func() bool { return len(r.outbox()) > 0 })
	r.invoke("")
	for _, q := range r.outbox() {
		if !q.Sample || q.Destination != alert.ToPage {
			t.Errorf("%+v", q)
		}
	}
	if _, body := r.call("GET", "/outbox"); !strings.Contains(body, "sample data: never leaves this machine") {
		t.Errorf("the outbox does not mark it\n%s", body)
	}
	r.stop()
	if len(got) > 0 {
		t.Errorf("Slack got %s", <-got)
	}

	r = launch(t, root, "SLACK_WEBHOOKS="+slack+"/services/x", "TINY_KEY=k", "TINY_URL=http://127.0.0.1:1")
	if text := received(t, got); !strings.Contains(text, "home") {
		t.Errorf("Slack got %s", text)
	}
}

func TestASecondPlatformShowsEverythingAndSendsNothing(t *testing.T) {
	_, database := testserver.OwnPostgres(t)
	_, influx, bucket := testserver.OwnInflux(t)
	slack, got := slackServer(t)
	root := tellingRepository(t)
	environ := []string{"DATABASE_URL=" + database, "INFLUX_URL=" + influx, "INFLUX_BUCKET=" + bucket, "INFLUX_TOKEN=any-token-1", "PORT=0",
		"SLACK_WEBHOOKS=" + slack + "/services/x", "TINY_KEY=k", "TINY_URL=http://127.0.0.1:1"}
	if err := tinyInstallation(t, environ...).Migrate(t.Context(), io.Discard); err != nil {
		t.Fatal(err)
	}
	r := launch(t, root, environ...)
	r.eventually("the alert on the page", func() bool { return len(r.status().Alerts.Open) == 1 })
	if d := r.status(); d.Alerts.Note == "" || !strings.Contains(strings.Join(d.Notes, " "), "SEND=1") {
		t.Errorf("it does not say that it sends nothing: %q, %q", d.Alerts.Note, d.Notes)
	}
	if all := r.outbox(); len(all) != 0 {
		t.Errorf("the outbox has %+v", all)
	}
	r.stop()
	if len(got) > 0 {
		t.Errorf("Slack got %s", <-got)
	}

	r = launch(t, root, append(environ, "SEND=1")...)
	r.invoke("")
	if text := received(t, got); !strings.Contains(text, "home") {
		t.Errorf("Slack got %s", text)
	}
	if d := r.status(); d.Alerts.Note != "" || len(d.Notes) != 0 {
		t.Errorf("with SEND=1: %q, %q", d.Alerts.Note, d.Notes)
	}
}

func TestASecondPlatformRunsNoFunctionThatTells(t *testing.T) {
	for environ, want := range map[string]map[string]bool{
		"":                           {"alert-devices": true, "alert-deadlines": true, "feeds": true, "weather": true},
		"INFLUX_URL=http://x":        {"alert-devices": false, "alert-deadlines": false, "feeds": false, "weather": true},
		"INFLUX_URL=http://x SEND=1": {"alert-devices": true, "alert-deadlines": true, "feeds": true, "weather": true},
	} {
		h := tinyInstallation(t, append(strings.Fields(environ), "SLACK_APP_TOKEN=xapp-1")...)
		if h.usesSlack() != want["alert-devices"] {
			t.Errorf("%q: it takes Slack's buttons: %v", environ, h.usesSlack())
		}
		for name, runs := range want {
			if h.runs(name) != runs {
				t.Errorf("%q: %s runs: %v", environ, name, !runs)
			}
		}
	}
	for environ, want := range map[string]string{"": "show", "ALERTS_MODE=send": "show", "ALERTS_MODE=Observe ": "observe", "INFLUX_URL=http://x": "observe", "INFLUX_URL=http://x SEND=1": "show"} {
		if got := tinyInstallation(t, strings.Split(environ, " ")...).alertsMode(); got != want {
			t.Errorf("%q: %s, want %s", environ, got, want)
		}
	}
}

func TestTheWatchersDoNotRunBeforeAnythingHasReported(t *testing.T) {
	r := launch(t, repository(t))
	for name, atOnce := range map[string]bool{"alert-devices": false, "alert-deadlines": false, "never-ran": true} {
		f := host.Function{Function: stack.Function{Name: name}, State: host.Live}
		if got := r.lastRun(t.Context(), f).IsZero(); got != atOnce {
			t.Errorf("%s runs at once: %v", name, got)
		}
	}
}
