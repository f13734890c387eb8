package local

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/hearth-home/hearth/edge/agent"
	"github.com/hearth-home/hearth/edge/kinds"
	"github.com/hearth-home/hearth/edge/sim"
	sensors "github.com/hearth-home/hearth/functions/sensors"
	"github.com/hearth-home/hearth/local/broker"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/wire"
)

// The real driver of each kind reads a simulated sensor. The function stores the message
// as the kind's measurement, with the message's numbers.
func TestAReadingOfEveryKindIsStoredAsItsMeasurement(t *testing.T) {
	messages := simulatedReadings(t)
	f := batchtest.Serve(t, sensors.New, batchtest.SQLite(t))
	for _, k := range kinds.All() {
		m, ok := messages[k.Name]
		if !ok {
			t.Errorf("no reading of the kind %s was received", k.Name)
			continue
		}
		var r wire.Reading
		if err := json.Unmarshal(m.Payload, &r); err != nil {
			t.Fatal(err)
		}
		f.Clock(m.Time)
		if a := f.Post(t, m); len(a.Rejected)+len(a.Retry) > 0 {
			t.Errorf("%s: %+v of %s", k.Name, a, m.Payload)
			continue
		}
		want, _ := catalogue.OfKind(k.Name)
		if got := stored(t, f, r.Device); len(got) != 1 || got[want] == nil || !slices.Equal(got[want], numbers(r)) {
			t.Errorf("%s is stored as %v, want %s %v", k.Name, got, want, numbers(r))
		}
	}
}

// simulatedReadings runs an agent until it has received a reading of each kind over MQTT.
// It returns them by kind.
func simulatedReadings(t *testing.T) map[string]wire.Message {
	t.Helper()
	b, err := broker.Start("127.0.0.1:0", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	messages, all := map[string]wire.Message{}, make(chan struct{})
	leave := subscribe(t, b.Addr(), func(kind string, m wire.Message) {
		if _, ok := messages[kind]; !ok {
			messages[kind] = m
			if len(messages) == len(kinds.All()) {
				close(all)
			}
		}
	})
	c, err := agent.Parse(map[string]string{
		"NODE": "pi", "SIMULATE": "true", "SIMULATE_SPEED": "50", "MQTT_URL": "tcp://" + b.Addr(), "SPOOL_DIR": t.TempDir(), "LISTEN": "", "EDGE_CONFIG_DIR": t.TempDir(),
	}, secret.NewFolder(t.TempDir()), sim.OneOfEach())
	if err != nil {
		t.Fatal(err)
	}
	a, err := agent.New(c, agent.Deps{Machine: sim.NewMachine(t.Context(), sim.NewFast(c.Speed))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	select {
	case <-all:
	case <-time.After(time.Minute):
	}
	stop()
	leave()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return messages
}

// subscribe calls take for each edge reading, one after the other, until leave returns.
func subscribe(t *testing.T, addr string, take func(kind string, m wire.Message)) (leave func()) {
	t.Helper()
	var mu sync.Mutex
	left := false
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + addr).SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) {
		var r wire.Reading
		if kind, _ := wire.Parse(m.Topic()); kind != wire.Edge || json.Unmarshal(m.Payload(), &r) != nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if !left {
			take(r.Sensor, wire.Message{ID: r.Sensor, Topic: m.Topic(), Payload: m.Payload(), Time: time.Now(), QoS: 1})
		}
	}))
	for _, do := range []func() mqtt.Token{client.Connect, func() mqtt.Token { return client.Subscribe(wire.Prefix+"#", 1, nil) }} {
		if tok := do(); !tok.WaitTimeout(10*time.Second) || tok.Error() != nil {
			t.Fatalf("the broker: %v", tok.Error())
		}
	}
	return func() {
		mu.Lock()
		left = true
		mu.Unlock()
		client.Disconnect(50)
	}
}

// stored returns the stored fields of a device by measurement, without those that the
// function adds.
func stored(t *testing.T, f *batchtest.Served, device string) map[string][]string {
	t.Helper()
	var names []string
	for _, m := range catalogue.All() {
		names = append(names, m.Name)
	}
	out := map[string][]string{}
	for _, line := range f.Lines(t, names...) {
		series, fields, _ := strings.Cut(line, " ")
		name, tags, _ := strings.Cut(series, ",")
		if !strings.Contains(","+tags+",", ",device="+device+",") {
			continue
		}
		fields, _, _ = strings.Cut(fields, " ")
		for _, kv := range strings.Split(fields, ",") {
			if k, v, _ := strings.Cut(kv, "="); !strings.HasPrefix(v, `"`) && k != catalogue.Quality {
				out[name] = append(out[name], kv)
			}
		}
	}
	return out
}

// numbers returns the fields of a reading as line protocol.
func numbers(r wire.Reading) (out []string) {
	for k, v := range r.Fields {
		out = append(out, k+"="+strconv.FormatFloat(v, 'f', -1, 64))
	}
	slices.Sort(out)
	return out
}
