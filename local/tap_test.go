package local

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	sensors "github.com/hearth-home/hearth/functions/sensors"
	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/shared/page"
	"github.com/hearth-home/hearth/shared/testserver"
)

// With the user's own broker, the platform subscribes and publishes nothing.
func TestOnTheUsersBrokerItPublishesNothing(t *testing.T) {
	m := testserver.OwnMosquitto(t, 0, "log_type all")
	c := client(t, m.Addr)
	var mu sync.Mutex
	var received []string
	done(t, c.Subscribe("#", 1, func(_ mqtt.Client, m mqtt.Message) {
		mu.Lock()
		defer mu.Unlock()
		received = append(received, m.Topic())
	}))
	devices, err := os.ReadFile("../functions/zigbee/testdata/devices.json")
	if err != nil {
		t.Fatal(err)
	}
	published := []string{}
	publish := func(topic string, retained bool, payload any) {
		published = append(published, topic)
		done(t, c.Publish(topic, 1, retained, payload))
	}
	publish("zigbee2mqtt/bridge/devices", true, devices)
	publish("homeassistant/sensor/x/config", true, `{"name":"x"}`)

	r := launchMQTT(t, mqttRepository(t), "MQTT_URL="+m.Addr, "EDGE=", "CANARY_INTERVAL=50ms")
	if r.mqttURL != "tcp://"+m.Addr {
		t.Errorf("it listens at %s", r.mqttURL)
	}
	publish("zigbee2mqtt/garage_temp", false, `{"temperature":7.99,"battery":88}`)
	publish("office/desk", false, `{"temperature":19,"humidity":40}`)
	publish("hearth/pi/shelf", false, `{"device":"shelf","boot":"b","seq":1,"time":"2026-11-23T00:00:00Z","fields":{"temperature_celsius":21.5}}`)
	publish("tele/plug1/SENSOR", false, `{"ENERGY":{"Power":12.5}}`)
	publish("$nothing/x", false, `{}`)
	published = published[:len(published)-1] // # does not match topics that begin with $
	r.shows("garage_temp", 7.99)
	r.shows("desk", 19)
	r.eventually("the edge's reading", func() bool { d, _ := r.tile("shelf"); return d.ID != "" })
	var d page.Data
	r.eventually("a dead letter", func() bool { d = r.status(); return len(d.Dead) > 0 })
	if len(d.Dead) != 1 || !strings.Contains(d.Dead[0].Proposal, "tele/plug1/SENSOR") || d.Try != "" {
		t.Errorf("dead = %+v", d.Dead)
	}
	r.stop()
	done(t, c.Publish("the/end", 1, false, "x"))
	published = append(published, "the/end")
	r.eventually("the last message", func() bool { mu.Lock(); defer mu.Unlock(); return slices.Contains(received, "the/end") })
	mu.Lock()
	defer mu.Unlock()
	slices.Sort(received)
	slices.Sort(published)
	if !slices.Equal(received, published) {
		t.Errorf("on the broker: %q, want %q: the platform published something", received, published)
	}
	id := "hearth-tap-" + hostname()
	if !strings.Contains(log(t, m), "as "+id) || strings.Contains(log(t, m), "as hearth-connector") || strings.Contains(log(t, m), "Received PUBLISH from "+id) {
		t.Errorf("the broker's log does not show a client %s that publishes nothing:\n%s", id, log(t, m))
	}
	if leftSession(t, m.Addr, id) {
		t.Error("its session is still at the broker, which queues messages for it")
	}
}

func log(t *testing.T, m *testserver.Server) string {
	t.Helper()
	b, err := os.ReadFile(m.Dir + "/log")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// leftSession reports whether the broker has a session of the client.
func leftSession(t *testing.T, addr, id string) bool {
	t.Helper()
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + addr).SetClientID(id).SetCleanSession(false))
	token := c.Connect()
	done(t, token)
	defer c.Disconnect(50)
	return token.(*mqtt.ConnectToken).SessionPresent()
}

func TestAnUnreachableBrokerIsShownOnThePageAndRetried(t *testing.T) {
	m := testserver.OwnMosquitto(t, 0)
	if err := m.Stop(); err != nil {
		t.Fatal(err)
	}
	r := launchWith(t, map[string]host.Builder{"sensors": host.Transform(sensors.New)}, mqttRepository(t), "MQTT_URL=tcp://user:pass-word-1@"+m.Addr)
	r.began = r.began.Add(-time.Minute) // as if it had tried for a minute
	if notes := r.status().Notes; len(notes) != 1 || !strings.Contains(notes[0], m.Addr) {
		t.Errorf("notes = %q", notes)
	}
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	r.eventually("connected", func() bool { return r.has("connected to the broker") })
	if _, body := r.call("GET", "/"); strings.Contains(body, "pass-word-1") || r.has("pass-word-1") {
		t.Error("the password is shown")
	}
}

func TestListenReportsMessagesAndHowToMapThem(t *testing.T) {
	root := mqttRepository(t)
	r := launchMQTT(t, root)
	c := client(t, r.mqttURL)
	done(t, c.Publish("tele/plug1/SENSOR", 1, true, `{"Time":"2026-11-23T14:00:00","ENERGY":{"Power":12.5},"a.b":[1]}`))
	done(t, c.Publish("another/topic", 1, false, "x")) // the broker has handed out the first one then, and only keeps it
	h, err := Open(root, []string{"PORT=0"}, &lines{})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	received, err := h.Listen(t.Context(), "tele/plug1/SENSOR", 10*time.Second, func(broker string) {
		if broker != r.mqttURL {
			t.Errorf("it listens at %s, want %s", broker, r.mqttURL)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(root, "stack.yml")); err != nil { // it was read once, for all topics
		t.Fatal(err)
	}
	if f := received.FunctionOf("zigbee2mqtt/x"); f != "zigbee" {
		t.Errorf("the function of a Zigbee topic is %q", f)
	}
	set, err := h.Mapped()
	if err != nil {
		t.Fatal(err)
	}
	if err := received.Write(&out, set); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"tele/plug1/SENSOR  (1 message, retained)", "$.ENERGY.Power", "12.5", "$['a.b'][0]", "devices:", `topic: "tele/plug1/SENSOR"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it lacks %q:\n%s", want, &out)
		}
	}
	if _, err := h.Listen(t.Context(), "a/#/b", time.Second, func(string) {}); err == nil {
		t.Error("an invalid filter was accepted")
	}
}
