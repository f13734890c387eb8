package notify

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/slack/slacktest"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// fixture is a store, the fake Slack, a server in place of ntfy and the webhook, and a
// clock that only the test and the sender's waiting advance.
type fixture struct {
	t       *testing.T
	st      *store.Store
	slack   *slacktest.Server
	push    *httptest.Server
	refuse  int      // the status that push answers; 0: 200
	pushed  []string // bodies
	secrets map[string]string
	config  Config
	log     bytes.Buffer
	house   alert.House

	mu    sync.Mutex
	clock time.Time
	dead  bool // the process is killed at its next look at the clock
}

// start returns a fixture with these secrets, in which http://slack and http://push are
// replaced.
func start(t *testing.T, secrets map[string]string) *fixture {
	t.Helper()
	f := &fixture{t: t, clock: noon, secrets: map[string]string{}}
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hearth.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	f.st, f.slack = st, slacktest.New(t, f.now)
	f.push = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		f.mu.Lock()
		defer f.mu.Unlock()
		f.pushed = append(f.pushed, r.URL.Path+" "+r.Header.Get("Authorization")+" "+string(b))
		if f.refuse != 0 {
			http.Error(w, "no", f.refuse)
		}
	}))
	t.Cleanup(f.push.Close)
	for name, v := range secrets {
		f.secrets[name] = strings.NewReplacer("http://slack", f.slack.URL, "http://push", f.push.URL).Replace(v)
	}
	f.config.Slack.Channel, f.config.Slack.URL, f.config.Mode = "#hearth", f.slack.URL+"/api/", alert.Send
	f.house = *f.sender().House()
	return f
}

// bot and hook are the secrets of a bot and of a webhook.
var (
	bot  = map[string]string{"slack-token": "xoxb-1-2-3"}
	hook = map[string]string{"slack-webhooks": "http://slack/services/T/B/x"}
)

func (f *fixture) now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		panic("killed")
	}
	return f.clock
}

func (f *fixture) later(d time.Duration) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.clock = f.clock.Add(d)
	return f.clock
}

// sender returns a sender as a new process has it.
func (f *fixture) sender() *Sender {
	folder := secret.InMemory(f.secrets, nil)
	c := f.config
	c.Slack.Token, c.Slack.Webhooks, c.Webhook, c.Ntfy.Token = folder.Get("slack-token"), folder.Get("slack-webhooks"), folder.Get("alert-webhook"), folder.Get("ntfy-token")
	s := New(c, serve.Env{Env: config.Env{Secrets: folder, Now: f.now}})
	s.wait = func(_ context.Context, d time.Duration) bool {
		f.later(d)
		return true
	}
	return s
}

// drain lets a new process send for at most budget.
func (f *fixture) drain(budget time.Duration) {
	f.t.Helper()
	f.sender().Drain(f.t.Context(), f.st, budget, f.now, slog.New(slog.NewTextHandler(&f.log, nil)))
}

// drainKilled does what drain does in a process that is killed as soon as Slack has answered
// a call of method.
func (f *fixture) drainKilled(method string) {
	f.t.Helper()
	f.slack.Answer = func(c slacktest.Call) *slacktest.Answer {
		if c.Method == method {
			f.mu.Lock()
			f.dead = true
			f.mu.Unlock()
		}
		return nil
	}
	f.slack.Now = func() time.Time {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.clock
	}
	defer func() {
		if recover() == nil {
			f.t.Error("nothing was sent, so nothing was killed")
		}
		f.slack.Answer, f.dead = nil, false
	}()
	f.drain(10 * time.Second)
}

// co2 is an observation of the CO₂ in a room.
func co2(room string, verdict alert.Verdict, value float64, at time.Time) alert.Observation {
	limit := 1500.0
	return alert.Observation{Key: "air-co2-high/" + room + "/co2_ppm", Verdict: verdict, At: at, Value: &value, Limit: &limit, Unit: "ppm",
		Text:    fmt.Sprintf("CO₂ is %s ppm", alert.Number(value, "")),
		Spec:    alert.Spec{Rule: "air-co2-high", Channel: alert.Climate, Severity: alert.Warning, Title: "CO₂ is high", Next: "Open a window"},
		Subject: alert.Subject{Device: room, Name: room + " air", Room: room, Measurement: "air", Field: "co2_ppm"}}
}

// observe moves alerts by observations, as a function does.
func (f *fixture) observe(os ...alert.Observation) {
	f.t.Helper()
	var keys []string
	for _, o := range os {
		keys = append(keys, o.Key)
	}
	if err := f.st.MoveAlerts(f.t.Context(), keys, func(before map[string]alert.State) ([]alert.State, []alert.Message) {
		return f.house.Move(before, os, f.now())
	}); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) queue(ms ...alert.Message) {
	f.t.Helper()
	if err := f.st.Commit(f.t.Context(), "test", store.Batch{}, func(ctx context.Context, tx *store.Tx) error { return tx.Queue(ctx, ms) }); err != nil {
		f.t.Fatal(err)
	}
}

// left returns the messages that are not sent yet.
func (f *fixture) left() []alert.Message {
	f.t.Helper()
	ms, err := f.st.Due(f.t.Context(), f.now().Add(24*time.Hour), 5000)
	if err != nil {
		f.t.Fatal(err)
	}
	return ms
}

// expect fails the test unless Slack has exactly messages with these parts, in this order,
// and no limit was broken.
func (f *fixture) expect(parts ...string) []slacktest.Message {
	f.t.Helper()
	ms := f.slack.Messages()
	if broken := f.slack.Broken(); len(broken) > 0 {
		f.t.Errorf("limits of Slack: %v", broken)
	}
	if len(ms) != len(parts) {
		f.t.Fatalf("%d messages, want %d:\n%+v\n%s", len(ms), len(parts), ms, f.log.String())
	}
	for i, part := range parts {
		if !strings.Contains(ms[i].Text, part) {
			f.t.Errorf("message %d is %q, want %q in it", i+1, ms[i].Text, part)
		}
	}
	return ms
}

func count(all []string, one string) (n int) {
	for _, s := range all {
		if s == one {
			n++
		}
	}
	return n
}
