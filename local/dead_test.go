package local

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	handler "github.com/openfaas/templates-sdk/go-http"

	"github.com/hearth-home/hearth/connectors/mqtt/bridge"
	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
	sensors "github.com/hearth-home/hearth/functions/sensors"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/testserver"
)

// deadFixture is a broker, the connector, the function sensors with a clock that can be
// set forward, and SQLite. The connector copies its dead letters to SQLite.
type deadFixture struct {
	t       *testing.T
	gateway *mqtttest.Gateway
	broker  *testserver.Server
	store   *store.Store
	skew    atomic.Int64
	mu      sync.Mutex
	answers []string // of sensors
}

func newDeadFixture(t *testing.T) *deadFixture {
	t.Helper()
	h := &deadFixture{t: t, gateway: mqtttest.NewGateway(t), broker: testserver.OwnMosquitto(t, 0), store: batchtest.SQLite(t)}
	beside := &serve.Beside{}
	t.Cleanup(func() { beside.Stop(context.Background()) })
	serve, err := sensors.New(serve.Env{
		Beside: beside,
		Env: config.Env{Vars: map[string]string{}, Secrets: secret.NewFolder(t.TempDir()), Log: slog.New(slog.DiscardHandler),
			Now: func() time.Time { return time.Now().Add(time.Duration(h.skew.Load())) }},
		Open: func(context.Context) (*store.Store, error) { return h.store, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	h.gateway.Deploy("sensors", map[string]string{"topic": "hearth/#", "mqtt-topics": "tele/#", "mqtt-batch": "100"}, func(c mqtttest.Call) (int, string) {
		req := handler.Request{Method: http.MethodPost, Header: c.Header, Body: []byte(c.Body)}
		req.WithContext(context.Background())
		res, err := serve(req)
		if err != nil {
			return http.StatusInternalServerError, err.Error()
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.answers = append(h.answers, string(res.Body))
		return res.StatusCode, string(res.Body)
	})
	return h
}

// connect starts the connector and waits until it has subscribed.
func (h *deadFixture) connect() {
	h.t.Helper()
	c := bridge.Config{URL: "tcp://" + h.broker.Addr, ClientID: "connector", Gateway: h.gateway.URL, Rebuild: 20 * time.Millisecond, CallTimeout: 5 * time.Second,
		Dir: h.t.TempDir(), SpoolMiB: 64, SpoolPolicy: "refuse", DeadMax: 1000, DeadMiB: 64, Canary: 50 * time.Millisecond}
	b, err := bridge.New(h.t.Context(), c, bridge.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now, Redact: func(s string, n int) string { return s[:min(len(s), n)] }})
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	h.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			h.t.Error(err)
		}
	})
	mqtttest.Until(h.t, "subscriptions", b.Ready)
}

// letters returns the dead letters in the database, by topic.
func (h *deadFixture) letters() map[string]store.DeadLetter {
	h.t.Helper()
	ds, err := h.store.DeadLetters(h.t.Context(), 100)
	if err != nil {
		h.t.Fatal(err)
	}
	out := map[string]store.DeadLetter{}
	for _, d := range ds {
		out[d.Topic] = d
	}
	return out
}

func (h *deadFixture) waitLetters(n int) map[string]store.DeadLetter {
	h.t.Helper()
	mqtttest.Until(h.t, "the dead letters in the database", func() bool { return len(h.letters()) == n })
	return h.letters()
}

func (h *deadFixture) ask(r store.DeadRequest) {
	h.t.Helper()
	r.Requested = time.Now()
	if err := h.store.AddDeadRequest(h.t.Context(), r); err != nil {
		h.t.Fatal(err)
	}
}

// answered returns how many answers of sensors contain part.
func (h *deadFixture) answered(part string) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.answers {
		if strings.Contains(a, part) {
			n++
		}
	}
	return n
}

// waitAnswered sets the clock forward until a request has been in three answers, as often
// as a request is sent to the connector, and sensors has answered twice more.
func (h *deadFixture) waitAnswered(part string) {
	h.t.Helper()
	for n := range 3 {
		mqtttest.Until(h.t, "an answer with the request", func() bool { return h.answered(part) > n })
		h.skew.Add(int64(11 * time.Second))
	}
	all := h.answered("")
	mqtttest.Until(h.t, "another answer", func() bool { return h.answered("") > all+1 })
}

// TestARequestForDeadLettersIsExecutedOnce: a request in the database is sent to the
// connector in three answers of sensors, and the connector executes it once.
func TestARequestForDeadLettersIsExecutedOnce(t *testing.T) {
	h := newDeadFixture(t)
	var fixed atomic.Bool
	var calls atomic.Int64
	h.gateway.Deploy("own", map[string]string{"topic": "own/#"}, func(mqtttest.Call) (int, string) {
		calls.Add(1)
		if fixed.Load() {
			return http.StatusOK, ""
		}
		return http.StatusBadRequest, "no"
	})
	h.connect()
	c := client(t, h.broker.Addr)
	for _, topic := range []string{"own/a", "tele/a/SENSOR", "tele/b/SENSOR", "tele/c/SENSOR"} {
		done(t, c.Publish(topic, 1, false, `{"ENERGY":{"Power":12.5}}`))
	}
	ds := h.waitLetters(4)

	h.ask(store.DeadRequest{Action: store.Drop, Function: "sensors", Letter: ds["tele/a/SENSOR"].ID})
	if _, there := h.waitLetters(3)["tele/a/SENSOR"]; there {
		t.Error("another letter was dropped")
	}

	// A replayed letter that the function rejects again stays, and is not replayed twice.
	again := ds["tele/b/SENSOR"]
	h.ask(store.DeadRequest{Action: store.Replay, Function: "sensors", Letter: again.ID})
	h.waitAnswered(`"replay":[{"function":"sensors","id":"` + again.ID)
	if d := h.letters()["tele/b/SENSOR"]; d.Count != 2 {
		t.Errorf("refused %d times, want twice", d.Count)
	}

	// A letter of another function leaves once that function stores it.
	fixed.Store(true)
	before := calls.Load()
	h.ask(store.DeadRequest{Action: store.Replay, Function: "own", Topic: "own/#"})
	left := h.waitLetters(2)
	h.waitAnswered(`"function":"own"`)
	if n := calls.Load() - before; n != 1 {
		t.Errorf("replayed %d times, want once", n)
	}

	// A cause selects letters whose whole reason is the same, not those that begin with it.
	cause := left["tele/c/SENSOR"].Reason
	h.ask(store.DeadRequest{Action: store.Drop, Function: "sensors", Cause: cause[:len(cause)-1]})
	h.waitAnswered(`"cause":`)
	if got := h.letters(); len(got) != len(left) {
		t.Errorf("%d letters are left, want %d", len(got), len(left))
	}
	h.ask(store.DeadRequest{Action: store.Drop, Function: "sensors", Cause: cause})
	if got := h.waitLetters(1); got["tele/b/SENSOR"].ID != again.ID {
		t.Errorf("left: %+v", got)
	}
	h.ask(store.DeadRequest{Action: store.Drop, Function: "sensors"})
	h.waitLetters(0)
}

// TestAReasonIsTheSameEverywhere: a request by the whole reason, as the database has it,
// selects the letter in the connector.
func TestAReasonIsTheSameEverywhere(t *testing.T) {
	h := newDeadFixture(t)
	reasons := []string{"line 1\nline 2", "ends with a line break\n", "\r\n spaces \t", "a\x00b", "not UTF-8: \xff\xfe\xc3", "\u202eleft 'x' \"y\" $z `id` !", strings.Repeat("long ", 100), ""}
	h.gateway.Deploy("own", map[string]string{"topic": "own/#"}, func(c mqtttest.Call) (int, string) {
		n, err := strconv.Atoi(c.Body)
		if err != nil {
			t.Error(err)
		}
		return http.StatusBadRequest, reasons[n]
	})
	h.connect()
	c := client(t, h.broker.Addr)
	for i := range reasons {
		done(t, c.Publish(fmt.Sprint("own/", i), 1, false, strconv.Itoa(i)))
	}
	for topic, d := range h.waitLetters(len(reasons)) {
		if d.Reason == "" || strings.TrimSpace(d.Reason) != d.Reason {
			t.Errorf("%s has the reason %q", topic, d.Reason)
		}
		h.ask(store.DeadRequest{Action: store.Drop, Function: "own", Cause: d.Reason})
	}
	h.waitLetters(0)
}
