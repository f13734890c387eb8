package bridge

import (
	"context"
	"encoding/json"
	"fmt"
	"github.com/hearth-home/hearth/connectors/mqtt/deadletter"
	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/testserver"
)

// connect runs a connector on a real Mosquitto and waits until it has subscribed.
func connect(t *testing.T, g *mqtttest.Gateway, addr, dir string, change func(*Config)) (b *Bridge, stop func()) {
	t.Helper()
	b, stop = run(t, g.URL, addr, dir, change)
	mqtttest.Until(t, "subscriptions", b.Ready)
	return b, stop
}

// run runs a connector between a gateway and a broker, on a folder.
func run(t testing.TB, gateway, addr, dir string, change ...func(*Config)) (b *Bridge, stop func()) {
	t.Helper()
	return runAt(t, time.Now, gateway, addr, dir, change...)
}

// runAt is run with a clock.
func runAt(t testing.TB, now func() time.Time, gateway, addr, dir string, change ...func(*Config)) (b *Bridge, stop func()) {
	t.Helper()
	c := testConfig(gateway, addr, dir)
	for _, f := range change {
		if f != nil {
			f(&c)
		}
	}
	b, err := New(t.Context(), c, Options{Log: slog.New(slog.DiscardHandler), Now: now, Redact: func(s string, n int) string { return s[:min(len(s), n)] }})
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

// testConfig is what run changes.
func testConfig(gateway, addr, dir string) Config {
	return Config{URL: "tcp://" + addr, ClientID: "connector", Gateway: gateway, Rebuild: 20 * time.Millisecond, CallTimeout: 5 * time.Second,
		Dir: dir, SpoolMiB: 64, SpoolPolicy: "refuse", DeadMax: 1000, DeadMiB: 64}
}

func TestNoMessageIsMissedAfterReady(t *testing.T) {
	g, broker := mqtttest.NewGateway(t), testserver.OwnMosquitto(t, 0)
	var got mqtttest.Tally
	g.Deploy("f", batched, func(c mqtttest.Call) (int, string) { got.Add(c.Data...); return 200, "" })
	p := publisher(t, broker.Addr, "p")
	for i := range 20 {
		b, stop := run(t, g.URL, broker.Addr, t.TempDir(), func(c *Config) { c.ClientID = fmt.Sprint("connector", i) })
		for end := time.Now().Add(20 * time.Second); !b.Ready(); {
			if time.Now().After(end) {
				t.Fatal("never ready")
			}
		}
		p.Publish("house/x", 1, false, fmt.Sprint("m", i)).Wait()
		mqtttest.Until(t, "the message", func() bool { return got.N() == i+1 })
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

// publish publishes the payloads one after the other.
func publish(t *testing.T, c mqtt.Client, topic string, qos byte, retained bool, payloads ...string) {
	t.Helper()
	for _, p := range payloads {
		if tok := c.Publish(topic, qos, retained, p); !tok.WaitTimeout(20*time.Second) || tok.Error() != nil {
			t.Fatal("publish: ", tok.Error())
		}
	}
}

func TestTheSessionOutlivesTheConnectorAndTheBroker(t *testing.T) {
	g := mqtttest.NewGateway(t)
	var got mqtttest.Tally
	g.Deploy("f", batched, func(c mqtttest.Call) (int, string) { got.Add(c.Data...); return 200, "" })
	server, dir := testserver.OwnMosquitto(t, 1), t.TempDir()
	b, stop := connect(t, g, server.Addr, dir, nil)
	p := publisher(t, server.Addr, "house")
	publish(t, p, "house/a", 1, false, mqtttest.Numbered(100)...)
	mqtttest.Until(t, "100 messages", func() bool { return got.N() == 100 })
	stop()
	var queued []string
	for i := range 100 {
		queued = append(queued, fmt.Sprint("queued", i))
	}
	publish(t, p, "house/a", 1, false, queued...)
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	b, _ = connect(t, g, server.Addr, dir, nil)
	mqtttest.Until(t, "the messages published while the connector was stopped", func() bool { return got.N() == 200 })
	// Restart the broker again, while the connector is connected.
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	mqtttest.Until(t, "reconnect", func() bool { return b.intake.Connected() && p.IsConnectionOpen() })
	publish(t, p, "house/a", 1, false, "last")
	mqtttest.Until(t, "the last message", func() bool { return got.N() == 201 })
	for m, n := range got.Seen() {
		if n != 1 {
			t.Errorf("%s was delivered %d times, want once", m, n)
		}
	}
}

func TestRetainedMessagesAreMarked(t *testing.T) {
	g := mqtttest.NewGateway(t)
	var mu sync.Mutex
	marks := map[string]string{}
	g.Deploy("f", map[string]string{"topic": "house/+"}, func(c mqtttest.Call) (int, string) {
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
	mqtttest.Until(t, "both messages", func() bool { mu.Lock(); defer mu.Unlock(); return len(marks) == 2 })
	if marks["before"] != "true" || marks["live"] != "false" {
		t.Errorf("retained by message: %v; want true only for the one published before the subscription", marks)
	}
}

func TestRepliesAcknowledgementsAndCanariesArePublished(t *testing.T) {
	g := mqtttest.NewGateway(t)
	g.Deploy("echo", map[string]string{"topic": "ask", "mqtt-reply": "answers"}, func(c mqtttest.Call) (int, string) { return 200, "got " + c.Body })
	g.Deploy("loop", map[string]string{"topic": "round/#", "mqtt-reply": "round/again"}, func(c mqtttest.Call) (int, string) { return 200, c.Body })
	g.Deploy("edge", map[string]string{"topic": "hearth/#", "mqtt-batch": "10"}, func(c mqtttest.Call) (int, string) {
		return 200, `{"stored":{"pi4":{"boot":"9f3c","seq":12}}}`
	})
	server := testserver.OwnMosquitto(t, 0)
	b, _ := connect(t, g, server.Addr, t.TempDir(), func(c *Config) { c.Canary = 50 * time.Millisecond })
	p := publisher(t, server.Addr, "house")
	received := make(chan string, 1000)
	for _, topic := range []string{"answers", "round/#", "hearth/pi4/stored"} {
		if tok := p.Subscribe(topic, 1, func(_ mqtt.Client, m mqtt.Message) { received <- m.Topic() + " " + string(m.Payload()) }); !tok.WaitTimeout(20*time.Second) || tok.Error() != nil {
			t.Fatal(tok.Error())
		}
	}
	publish(t, p, "ask", 1, false, "one")
	publish(t, p, "round/x", 1, false, "y")
	publish(t, p, "hearth/pi4/office", 1, false, "{}")
	want := map[string]bool{"answers got one": true, "round/x y": true, `hearth/pi4/stored {"boot":"9f3c","seq":12}`: true}
	for len(want) > 0 {
		select {
		case s := <-received:
			if strings.HasPrefix(s, "round/again") {
				t.Fatal("a reply that calls its own function again was published")
			}
			delete(want, s)
		case <-time.After(20 * time.Second):
			t.Fatalf("not received: %v", want)
		}
	}
	mqtttest.Until(t, "a canary", func() bool { return !b.deliver.Stats().CanaryStored.IsZero() })
}

// TestItsOwnAcknowledgementsAreNotDelivered: a function that subscribes to hearth/# is
// not called for each acknowledgement to an edge node. A function whose filter names
// their topic is.
func TestItsOwnAcknowledgementsAreNotDelivered(t *testing.T) {
	g := mqtttest.NewGateway(t)
	var all, asked mqtttest.Tally
	g.Deploy("edge", map[string]string{"topic": "hearth/#", "mqtt-batch": "10"}, func(c mqtttest.Call) (int, string) {
		all.Add(c.Topics...)
		return 200, ""
	})
	server := testserver.OwnMosquitto(t, 0)
	connect(t, g, server.Addr, t.TempDir(), nil)
	p := publisher(t, server.Addr, "house")
	publish(t, p, "hearth/pi4/stored", 1, true, "{}")
	publish(t, p, "hearth/pi4/rack/stored", 1, false, "{}")
	mqtttest.Until(t, "the message that is no acknowledgement", func() bool { return all.N() == 1 })
	if all.Seen()["hearth/pi4/stored"] != 0 {
		t.Error("called for an acknowledgement")
	}
	g.Deploy("asks", map[string]string{"topic": "hearth/+/stored", "mqtt-batch": "10"}, func(c mqtttest.Call) (int, string) {
		asked.Add(c.Topics...)
		return 200, ""
	})
	mqtttest.Until(t, "the retained acknowledgement", func() bool { return asked.N() == 1 })
}

func TestTheBrokersDropsAreCounted(t *testing.T) {
	g := mqtttest.NewGateway(t)
	g.Deploy("f", batched, func(mqtttest.Call) (int, string) { return 200, "" })
	server := testserver.OwnMosquitto(t, 0)
	b, _ := connect(t, g, server.Addr, t.TempDir(), nil)
	mqtttest.Until(t, "the broker's count", func() bool { return b.intake.Stats().Dropped == 0 })
}

func TestDeadLettersOverTheAdminPort(t *testing.T) {
	g := mqtttest.NewGateway(t)
	g.Deploy("f", batched, func(mqtttest.Call) (int, string) { return 400, "no" })
	secrets := t.TempDir()
	folder := secret.NewFolder(secrets)
	b, _ := start(t, g, t.TempDir(), func(c *Config) { c.Token = folder.Get("connector-token") })
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
	waitSubscribed(t, b, "f")
	put(t, b, "house/x", "one", "two")
	mqtttest.Until(t, "two letters", func() bool { return b.letters.Stats().Letters == 2 })
	id := b.letters.List(deadletter.Query{})[0].ID
	if code, body := ask("GET", "/dead/"+id, "a-token-of-ours"); code != 200 || !strings.Contains(body, "b25l") {
		t.Errorf("show: %d %s; want the exact bytes", code, body)
	}
	for _, drop := range []string{"", "?fuction=f", "?id=", "?all=yes", "?all=true&id=" + id, "?topic=a/%23/b", "?id=x&id=" + id} {
		if code, body := ask("POST", "/dead/drop"+drop, "a-token-of-ours"); code != 400 {
			t.Errorf("drop%s: %d %s, want 400", drop, code, body)
		}
	}
	if code, body := ask("POST", "/dead/replay?fuction=f", "a-token-of-ours"); code != 400 {
		t.Errorf("replay with an unknown parameter: %d %s, want 400", code, body)
	}
	if n := b.letters.Stats().Letters; n != 2 {
		t.Fatalf("%d letters are left, want both", n)
	}
	if code, body := ask("POST", "/dead/drop?id="+id, "a-token-of-ours"); code != 200 || body != `{"dropped":1}` {
		t.Errorf("drop: %d %s", code, body)
	}
	if code, _ := ask("GET", "/dead/"+id, "a-token-of-ours"); code != 404 {
		t.Errorf("GET of a dropped letter: %d, want 404", code)
	}
	if code, _ := ask("GET", "/healthz", ""); code != 200 {
		t.Errorf("healthz: %d", code)
	}
	if code, _ := ask("GET", "/readyz", ""); code != 503 {
		t.Errorf("readyz without a broker: %d, want 503", code)
	}
}

// start runs a connector without a broker.
func start(t *testing.T, g *mqtttest.Gateway, dir string, change ...func(*Config)) (b *Bridge, stop func()) {
	t.Helper()
	return run(t, g.URL, "127.0.0.1:1", dir, change...)
}

// put appends messages to the spool as intake does.
func put(t *testing.T, b *Bridge, topic string, payloads ...string) {
	t.Helper()
	var records [][]byte
	now := time.Now().UnixNano()
	for i, p := range payloads {
		records = append(records, (&message.Message{Arrival: now + int64(i), Topic: topic, Payload: []byte(p), QoS: 1}).Encode())
	}
	if _, err := b.spool.Append(t.Context(), records...); err != nil {
		t.Fatal(err)
	}
}

func waitSubscribed(t *testing.T, b *Bridge, names ...string) {
	t.Helper()
	mqtttest.Until(t, "functions", func() bool {
		have := []string{}
		for _, f := range b.deliver.Stats().Functions {
			have = append(have, f.Name)
		}
		slices.Sort(have)
		return slices.Equal(have, names)
	})
}

var batched = map[string]string{"topic": "house/#", "mqtt-batch": "100"}
