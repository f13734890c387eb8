package bridge

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/testserver"
)

// connect runs a connector on a real Mosquitto.
func connect(t *testing.T, g *faas, addr, dir string, change func(*Config)) (b *Bridge, stop func()) {
	t.Helper()
	b, stop = run(t, g.URL, addr, dir, change)
	until(t, "subscriptions", b.Ready)
	return b, stop
}

// run runs a connector between a gateway and a broker, on a folder.
func run(t testing.TB, gateway, addr, dir string, change ...func(*Config)) (b *Bridge, stop func()) {
	t.Helper()
	return runAt(t, time.Now, gateway, addr, dir, change...)
}

// runAt is run by a clock of the test's own.
func runAt(t testing.TB, now func() time.Time, gateway, addr, dir string, change ...func(*Config)) (b *Bridge, stop func()) {
	t.Helper()
	c := Config{URL: "tcp://" + addr, ClientID: "connector", Gateway: gateway, Rebuild: 20 * time.Millisecond, CallTimeout: 5 * time.Second,
		Dir: dir, SpoolMiB: 64, SpoolPolicy: "refuse", DeadMax: 1000}
	for _, f := range change {
		if f != nil {
			f(&c)
		}
	}
	b, err := New(c, Options{Log: slog.New(slog.DiscardHandler), Now: now, Redact: func(s string, n int) string { return s[:min(len(s), n)] }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- b.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return b, stop
}

func TestReadyMeansThatNothingIsMissedFromNowOn(t *testing.T) {
	g, broker := newFaas(t), testserver.OwnMosquitto(t, 0)
	var got tally
	g.deploy("f", batched, func(c calledWith) (int, string) { got.add(c.Data...); return 200, "" })
	p := publisher(t, broker.Addr, "p")
	for i := range 20 {
		b, stop := run(t, g.URL, broker.Addr, t.TempDir(), func(c *Config) { c.ClientID = fmt.Sprint("connector", i) })
		for end := time.Now().Add(20 * time.Second); !b.Ready(); {
			if time.Now().After(end) {
				t.Fatal("never ready")
			}
		}
		p.Publish("house/x", 1, false, fmt.Sprint("m", i)).Wait()
		until(t, "the message", func() bool { return got.n() == i+1 })
		stop()
	}
}

// publisher is another client of the broker.
func publisher(t *testing.T, addr, id string) mqtt.Client {
	t.Helper()
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + addr).SetClientID(id).SetMaxReconnectInterval(100 * time.Millisecond).SetOrderMatters(false))
	if tok := c.Connect(); !tok.WaitTimeout(10*time.Second) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	t.Cleanup(func() { c.Disconnect(0) })
	return c
}

func publish(t *testing.T, c mqtt.Client, topic string, qos byte, retained bool, payloads ...string) {
	t.Helper()
	for _, p := range payloads {
		if tok := c.Publish(topic, qos, retained, p); !tok.WaitTimeout(20*time.Second) || tok.Error() != nil {
			t.Fatal("publish: ", tok.Error())
		}
	}
}

func TestTheSessionOutlivesTheConnectorAndTheBroker(t *testing.T) {
	g := newFaas(t)
	var got tally
	g.deploy("f", batched, func(c calledWith) (int, string) { got.add(c.Data...); return 200, "" })
	server, dir := testserver.OwnMosquitto(t, 1), t.TempDir()
	b, stop := connect(t, g, server.Addr, dir, nil)
	p := publisher(t, server.Addr, "house")
	publish(t, p, "house/a", 1, false, numbered(100)...)
	until(t, "100", func() bool { return got.n() == 100 })
	stop()
	var away []string
	for i := range 100 {
		away = append(away, fmt.Sprint("away", i))
	}
	publish(t, p, "house/a", 1, false, away...)
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	b, _ = connect(t, g, server.Addr, dir, nil)
	until(t, "what came while it was away", func() bool { return got.n() == 200 })
	// Again, while it is connected.
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, "reconnect", func() bool { return b.broker.up.Load() && p.IsConnectionOpen() })
	publish(t, p, "house/a", 1, false, "last")
	until(t, "last", func() bool { return got.n() == 201 })
	for m, n := range got.seen {
		if n != 1 {
			t.Errorf("%s came %d times", m, n)
		}
	}
}

func TestRetainedMessagesAreMarked(t *testing.T) {
	g := newFaas(t)
	var mu sync.Mutex
	marks := map[string]string{}
	g.deploy("f", map[string]string{"topic": "house/+"}, func(c calledWith) (int, string) {
		mu.Lock()
		defer mu.Unlock()
		marks[c.Body] = c.Header.Get("X-Mqtt-Retained")
		return 200, ""
	})
	server := testserver.OwnMosquitto(t, 0)
	p := publisher(t, server.Addr, "house")
	publish(t, p, "house/door", 1, true, "before")
	connect(t, g, server.Addr, t.TempDir(), nil)
	publish(t, p, "house/door", 1, true, "live")
	until(t, "both", func() bool { mu.Lock(); defer mu.Unlock(); return len(marks) == 2 })
	if marks["before"] != "true" || marks["live"] != "false" {
		t.Errorf("marked %v; want the one from before alone", marks)
	}
}

func TestAnswersGoBackToTheHouse(t *testing.T) {
	g := newFaas(t)
	g.deploy("echo", map[string]string{"topic": "ask", "mqtt-reply": "told"}, func(c calledWith) (int, string) { return 200, "got " + c.Body })
	g.deploy("loop", map[string]string{"topic": "round/#", "mqtt-reply": "round/again"}, func(c calledWith) (int, string) { return 200, c.Body })
	g.deploy("edge", map[string]string{"topic": "hearth/#", "mqtt-batch": "10"}, func(c calledWith) (int, string) {
		return 200, `{"stored":{"pi4":{"boot":"9f3c","seq":12}}}`
	})
	server := testserver.OwnMosquitto(t, 0)
	b, _ := connect(t, g, server.Addr, t.TempDir(), func(c *Config) { c.Canary = 50 * time.Millisecond })
	p := publisher(t, server.Addr, "house")
	heard := make(chan string, 1000)
	for _, topic := range []string{"told", "round/#", "hearth/pi4/stored"} {
		if tok := p.Subscribe(topic, 1, func(_ mqtt.Client, m mqtt.Message) { heard <- m.Topic() + " " + string(m.Payload()) }); !tok.WaitTimeout(5*time.Second) || tok.Error() != nil {
			t.Fatal(tok.Error())
		}
	}
	publish(t, p, "ask", 1, false, "one")
	publish(t, p, "round/x", 1, false, "y")
	publish(t, p, "hearth/pi4/office", 1, false, "{}")
	want := map[string]bool{"told got one": true, "round/x y": true, `hearth/pi4/stored {"boot":"9f3c","seq":12}`: true}
	for len(want) > 0 {
		select {
		case s := <-heard:
			if strings.HasPrefix(s, "round/again") {
				t.Fatal("the loop was not guarded")
			}
			delete(want, s)
		case <-time.After(20 * time.Second):
			t.Fatalf("never heard %v", want)
		}
	}
	until(t, "a canary", func() bool { return b.canary.stored.Load() > 0 })
}

// TestItsOwnWordsStayOut: a function that listens to hearth/# is not called for
// each acknowledgement to an edge node, one that asks for them is.
func TestItsOwnWordsStayOut(t *testing.T) {
	g := newFaas(t)
	var all, asked tally
	g.deploy("edge", map[string]string{"topic": "hearth/#", "mqtt-batch": "10"}, func(c calledWith) (int, string) {
		all.add(c.Topics...)
		return 200, ""
	})
	server := testserver.OwnMosquitto(t, 0)
	connect(t, g, server.Addr, t.TempDir(), nil)
	p := publisher(t, server.Addr, "house")
	publish(t, p, "hearth/pi4/stored", 1, true, "{}")
	publish(t, p, "hearth/pi4/rack/stored", 1, false, "{}")
	until(t, "what is no acknowledgement", func() bool { return all.n() == 1 })
	if all.seen["hearth/pi4/stored"] != 0 {
		t.Error("called for an acknowledgement")
	}
	g.deploy("asks", map[string]string{"topic": "hearth/+/stored", "mqtt-batch": "10"}, func(c calledWith) (int, string) {
		asked.add(c.Topics...)
		return 200, ""
	})
	until(t, "the acknowledgement that was kept", func() bool { return asked.n() == 1 })
}

func TestTheBrokersDropsAreCounted(t *testing.T) {
	g := newFaas(t)
	g.deploy("f", batched, func(calledWith) (int, string) { return 200, "" })
	server := testserver.OwnMosquitto(t, 0)
	b, _ := connect(t, g, server.Addr, t.TempDir(), nil)
	until(t, "the broker's count", func() bool { return b.broker.dropped.Load() == 0 })
}

func TestTwoClientsWithOneID(t *testing.T) {
	g := newFaas(t)
	g.deploy("f", batched, func(calledWith) (int, string) { return 200, "" })
	server := testserver.OwnMosquitto(t, 0)
	b, _ := connect(t, g, server.Addr, t.TempDir(), nil)
	thief := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + server.Addr).SetClientID("connector").SetMaxReconnectInterval(50 * time.Millisecond))
	if tok := thief.Connect(); !tok.WaitTimeout(5*time.Second) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	t.Cleanup(func() { thief.Disconnect(0) })
	until(t, "three quick losses", func() bool {
		b.broker.mu.Lock()
		defer b.broker.mu.Unlock()
		return b.broker.quick >= quickLosses
	})
}

func TestDeadLettersOverTheAdminPort(t *testing.T) {
	g := newFaas(t)
	g.deploy("f", batched, func(calledWith) (int, string) { return 400, "no" })
	secrets := t.TempDir()
	folder := secret.NewFolder(secrets)
	b, _ := start(t, g, t.TempDir())
	b.config.Token = folder.Get("connector-token")
	srv := httptest.NewServer(b.Handler())
	t.Cleanup(srv.Close)
	ask := func(method, path, token string) (int, string) {
		r, _ := http.NewRequestWithContext(t.Context(), method, srv.URL+path, nil)
		r.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var v json.RawMessage
		json.NewDecoder(res.Body).Decode(&v)
		return res.StatusCode, string(v)
	}
	if code, _ := ask("GET", "/dead", ""); code != 403 {
		t.Errorf("without a token set: %d, want 403", code)
	}
	os.WriteFile(filepath.Join(secrets, "connector-token"), []byte("a-token-of-ours"), 0o600)
	if code, _ := ask("GET", "/dead", "guess"); code != 401 {
		t.Errorf("with a wrong token: %d, want 401", code)
	}
	listening(t, b, "f")
	b.give("house/x", "one", "two")
	until(t, "two letters", func() bool { n, _ := b.dead.counts(); return n == 2 })
	id := b.dead.list(Query{})[0].ID
	if code, body := ask("GET", "/dead/"+id, "a-token-of-ours"); code != 200 || !strings.Contains(body, "b25l") {
		t.Errorf("show: %d %s; want the exact bytes", code, body)
	}
	if code, body := ask("POST", "/dead/drop?id="+id, "a-token-of-ours"); code != 200 || body != `{"dropped":1}` {
		t.Errorf("drop: %d %s", code, body)
	}
	if code, _ := ask("GET", "/dead/"+id, "a-token-of-ours"); code != 404 {
		t.Errorf("dropped and still shown: %d", code)
	}
	if code, _ := ask("GET", "/healthz", ""); code != 200 {
		t.Errorf("healthz: %d", code)
	}
	if code, _ := ask("GET", "/readyz", ""); code != 503 {
		t.Errorf("readyz without a broker: %d, want 503", code)
	}
}
