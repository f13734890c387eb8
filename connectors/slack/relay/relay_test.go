package relay

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/slack/slacktest"
	"github.com/hearth-home/hearth/shared/testserver"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// rig is a connector in this process, with a clock and a function.
type rig struct {
	*testing.T
	relay   *Relay
	slack   *slacktest.Socket
	secrets string
	ahead   atomic.Int64 // of the clock, in nanoseconds after noon
	code    atomic.Int64 // of the function's answer
	calls   mqtttest.Tally
	log     testserver.Output
	stop    func()
}

func newRig(t *testing.T, dir string) *rig {
	t.Helper()
	r := &rig{T: t, slack: slacktest.NewSocket(t, "xapp-1"), secrets: t.TempDir()}
	r.code.Store(200)
	r.write("xapp-1")
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		var c click
		b, _ := io.ReadAll(q.Body)
		if json.Unmarshal(b, &c) == nil {
			r.calls.Add(c.ID)
		}
		w.WriteHeader(int(r.code.Load()))
		io.WriteString(w, `{"text":"done"}`)
	}))
	t.Cleanup(gateway.Close)
	folder := secret.NewFolder(r.secrets)
	c := Config{AppToken: folder.Get("slack-app-token"), Token: folder.Get("alerts-token"), URL: r.slack.API(), Gateway: gateway.URL, CallTimeout: 10 * time.Second, Dir: dir, SpoolMiB: 8}
	relay, err := New(t.Context(), c, Options{Log: slog.New(slog.NewTextHandler(&r.log, nil)), Redact: folder.Brief,
		Now: func() time.Time { return noon.Add(time.Duration(r.ahead.Load())) }})
	if err != nil {
		t.Fatal(err)
	}
	relay.pause = 10 * time.Millisecond
	r.relay = relay
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- relay.Run(ctx) }()
	r.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		ended <- nil
	}
	t.Cleanup(r.stop)
	return r
}

func (r *rig) write(token string) {
	r.Helper()
	if err := os.WriteFile(filepath.Join(r.secrets, "slack-app-token"), []byte(token), 0o600); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) until(what string, ok func() bool) {
	r.Helper()
	defer func() {
		if r.Failed() {
			r.Log(r.log.Tail())
		}
	}()
	mqtttest.Until(r, what, ok)
}

func (r *rig) send(k slacktest.Click) slacktest.Sent {
	r.Helper()
	r.until("a connection", r.slack.Connected)
	sent, err := r.slack.Send(k)
	if err != nil {
		r.Fatal(err)
	}
	return sent
}

func (r *rig) idle() bool { return r.relay.reader.Lag().Records == 0 }

var ack = slacktest.Click{ActionID: "hearth_ack", Value: "a/b", Channel: "C1", TS: "1", User: "anna"}

// TestAnOldClickIsCarriedOutWithoutAnAnswer: a response_url lives for half an hour.
func TestAnOldClickIsCarriedOutWithoutAnAnswer(t *testing.T) {
	r := newRig(t, t.TempDir())
	r.code.Store(503)
	old := r.send(ack)
	r.until("a call", func() bool { return r.calls.N() == 1 })
	r.ahead.Store(int64(40 * time.Minute))
	young := r.send(ack)
	r.until("the spool", func() bool { return r.relay.stats.taken.Load() == 2 })
	r.code.Store(200)
	for step := range int64(100) { // the clock stands still otherwise
		r.ahead.Store(int64(40*time.Minute) + step*int64(longestWait)/100)
		if r.idle() {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	r.until("both to be done", r.idle)
	if len(r.slack.Replies(old)) != 0 || len(r.slack.Replies(young)) != 1 {
		t.Errorf("%v, %v", r.slack.Replies(old), r.slack.Replies(young))
	}
}

// TestTheFunctionsFailureAtOneClickDelaysNoOther: after a day it is given up.
func TestTheFunctionsFailureAtOneClickDelaysNoOther(t *testing.T) {
	r := newRig(t, t.TempDir())
	r.code.Store(500)
	bad := r.send(ack)
	r.until("a call", func() bool { return r.calls.Seen()[bad.Trigger] > 0 && r.relay.stats.failed.Load() > 0 })
	r.code.Store(200)
	other := r.send(ack)
	r.until("another", func() bool { return len(r.slack.Replies(other)) == 1 })
	if len(r.slack.Replies(bad)) != 0 {
		t.Error("the clock stands still, and the bad one was called again")
	}
	r.code.Store(500)
	hopeless := r.send(ack)
	r.until("its call", func() bool { return r.calls.Seen()[hopeless.Trigger] > 0 })
	r.ahead.Store(int64(25 * time.Hour))
	r.send(ack) // wakes it
	r.until("that it is given up", func() bool { return r.relay.stats.lost.Load() > 0 })
	if n := r.calls.Seen()[other.Trigger]; n != 1 || len(r.slack.Replies(other)) != 1 {
		t.Errorf("what waited for nothing was called %d times, and answered %d times", n, len(r.slack.Replies(other)))
	}
}

// TestAClickThatCannotBeKeptIsNotAcknowledged: Slack then tells the user.
func TestAClickThatCannotBeKeptIsNotAcknowledged(t *testing.T) {
	r := newRig(t, t.TempDir())
	r.until("a connection", r.slack.Connected)
	r.relay.spool.Close()
	sent := r.send(ack)
	r.until("the refusal", func() bool { return r.relay.stats.refused.Load() == 1 })
	long := r.send(slacktest.Click{ActionID: "hearth_ack", Value: strings.Repeat("x", maxField+1)})
	r.until("the refusal of a long one", func() bool { return r.relay.stats.refused.Load() == 2 })
	if r.slack.Acked(sent) || r.slack.Acked(long) || r.calls.N() != 0 {
		t.Errorf("acknowledged: %v %v, calls %d", r.slack.Acked(sent), r.slack.Acked(long), r.calls.N())
	}
}

// TestAnotherTokenIsReadWithoutARestart, and what is wrong is on /readyz.
func TestAnotherTokenIsReadWithoutARestart(t *testing.T) {
	r := newRig(t, t.TempDir())
	ready := func(says string) func() bool {
		return func() bool {
			w := httptest.NewRecorder()
			r.relay.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/readyz", nil))
			return strings.Contains(w.Body.String(), says)
		}
	}
	r.until("readiness", ready("ready"))
	r.slack.SetToken("xapp-2")
	r.slack.Disconnect()
	r.until("the reason", ready("invalid_auth"))
	r.write("")
	r.until("another reason", ready("slack-app-token is missing or empty"))
	r.slack.SetDown(true)
	r.write("xapp-2")
	r.until("a third", ready("503"))
	r.slack.SetDown(false)
	r.until("readiness again", ready("ready"))
}

// TestTheLastClicksAreKnownAfterARestart, and older ones are forgotten.
func TestTheLastClicksAreKnownAfterARestart(t *testing.T) {
	dir := t.TempDir()
	r := newRig(t, dir)
	const n = remembered + 100
	for i := range n {
		if err := r.relay.store(t.Context(), []click{{ID: strconv.Itoa(i), Kind: button, At: noon}}); err != nil {
			t.Fatal(err)
		}
	}
	r.until("all to be done", r.idle)
	r.stop()
	again := newRig(t, dir)
	for i := range n {
		if known := again.relay.seen.has(click{ID: strconv.Itoa(i)}); i >= n-remembered && !known || i < n-remembered && len(again.relay.seen.ids) > remembered+1 && known {
			t.Errorf("%d of %d: known %v", i, n, known)
		}
	}
	if len(again.relay.seen.ids) > remembered {
		t.Errorf("%d are known", len(again.relay.seen.ids))
	}
}

// FuzzClicks: no payload of Slack makes the connector panic, and what it takes can be read
// again.
func FuzzClicks(f *testing.F) {
	f.Add(true, []byte(`{"type":"block_actions","trigger_id":"1.2","response_url":"https://hooks.slack.com/x","user":{"name":"anna"},"channel":{"id":"C1"},"message":{"ts":"1.2"},"actions":[{"action_id":"hearth_ack","value":"a/b"},{"action_id":"hearth_one","selected_option":{"value":"ack|a/b"}}]}`))
	f.Add(true, []byte(`{"type":"block_actions","container":{"message_ts":"1","channel_id":"C"},"actions":[null,{"action_id":"hearth_x"}]}`))
	f.Add(false, []byte(`{"command":"/hearth","text":"why office-air","trigger_id":"3","user_name":"anna","response_url":"https://hooks.slack.com/y"}`))
	f.Fuzz(func(t *testing.T, interactive bool, payload []byte) {
		e := socketmode.Event{Request: &socketmode.Request{EnvelopeID: "e"}}
		if interactive {
			var data slack.InteractionCallback
			if json.Unmarshal(payload, &data) != nil {
				return
			}
			e.Data = data
		} else {
			var data slack.SlashCommand
			if json.Unmarshal(payload, &data) != nil {
				return
			}
			e.Data = data
		}
		found, _ := clicks(e, noon)
		for _, c := range found {
			if again, err := decode(c.encode()); err != nil || again.Kind != c.Kind || len(c.encode()) > 64<<10 {
				t.Errorf("%+v, read again %+v: %v", c, again, err)
			}
		}
	})
}
