package bridge

import (
	"errors"
	"fmt"
	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
	"log/slog"
	"maps"
	"slices"
	"testing"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	server "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	mochi "github.com/mochi-mqtt/server/v2/listeners"
)

// strict is access rules that allow everything except a subscription to #.
type strict struct{ auth.AllowHook }

func (*strict) OnACLCheck(_ *server.Client, topic string, _ bool) bool { return topic != "#" }

// openBroker runs a broker whose subscriptions the test can read.
func openBroker(t *testing.T) (s *server.Server, addr string) {
	t.Helper()
	s = server.New(&server.Options{Logger: slog.New(slog.DiscardHandler)})
	l := mochi.NewTCP(mochi.Config{ID: "t", Address: "127.0.0.1:0"})
	if err := errors.Join(s.AddHook(new(strict), nil), s.AddListener(l), s.Serve()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, l.Address()
}

// subscribed waits until the connector has exactly these subscriptions, apart from the
// one to the broker's count of dropped messages.
func subscribed(t *testing.T, s *server.Server, filters ...string) {
	t.Helper()
	mqtttest.Until(t, fmt.Sprint(filters), func() bool {
		c, ok := s.Clients.Get("connector")
		if !ok {
			return false
		}
		have := c.State.Subscriptions.GetAll()
		delete(have, "$SYS/broker/publish/messages/dropped")
		return slices.Equal(slices.Sorted(maps.Keys(have)), filters)
	})
}

// TestACoveredFilterIsNotSubscribed: and a subscription of an earlier version is
// removed. A new function with a covered filter still gets the retained messages.
func TestACoveredFilterIsNotSubscribed(t *testing.T) {
	g := mqtttest.NewGateway(t)
	var some, late mqtttest.Tally
	g.Deploy("all", map[string]string{"topic": "hearth/#", "mqtt-topics": "hearth/+/status,house/x", "mqtt-batch": "10"}, func(mqtttest.Call) (int, string) { return 200, "" })
	g.Deploy("some", map[string]string{"topic": "hearth/+/status", "mqtt-batch": "10"}, func(c mqtttest.Call) (int, string) { some.Add(c.Data...); return 200, "" })
	s, addr := openBroker(t)
	earlier := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + addr).SetClientID("connector").SetCleanSession(false))
	earlier.Connect().Wait()
	earlier.Subscribe("hearth/+/status", 1, nil).Wait()
	earlier.Disconnect(100)
	run(t, g.URL, addr, t.TempDir())
	subscribed(t, s, "hearth/#", "house/x")
	p := publisher(t, addr, "house")
	publish(t, p, "hearth/pi4/status", 1, true, "kept")
	mqtttest.Until(t, "a message", func() bool { return some.N() == 1 })
	g.Deploy("late", map[string]string{"topic": "hearth/pi4/+", "mqtt-batch": "10"}, func(c mqtttest.Call) (int, string) { late.Add(c.Data...); return 200, "" })
	mqtttest.Until(t, "the retained message", func() bool { return late.N() == 1 })
	subscribed(t, s, "hearth/#", "house/x")
}

// TestFiltersCoveredByARefusedOneAreSubscribed: the broker's access rules refuse the
// filter of one function, but not those of the others.
func TestFiltersCoveredByARefusedOneAreSubscribed(t *testing.T) {
	g := mqtttest.NewGateway(t)
	var got mqtttest.Tally
	g.Deploy("all", map[string]string{"topic": "#", "mqtt-batch": "10"}, func(mqtttest.Call) (int, string) { return 200, "" })
	g.Deploy("some", map[string]string{"topic": "house/+", "mqtt-batch": "10"}, func(c mqtttest.Call) (int, string) { got.Add(c.Data...); return 200, "" })
	s, addr := openBroker(t)
	run(t, g.URL, addr, t.TempDir())
	subscribed(t, s, "hearth/canary/connector", "house/+")
	publish(t, publisher(t, addr, "house"), "house/x", 1, false, "one")
	mqtttest.Until(t, "the message", func() bool { return got.N() == 1 })
}
