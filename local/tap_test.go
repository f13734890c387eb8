package local

import (
	"bytes"
	"errors"
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
	"github.com/hearth-home/hearth/shared/page/status"
	"github.com/hearth-home/hearth/shared/testserver"
	freeport "github.com/hearth-home/hearth/shared/testserver/free"
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
	r.shows("office-desk", 19)
	r.eventually("the edge's reading", func() bool { d, _ := r.tile("shelf"); return d.ID != "" })
	var d status.Data
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

// A broker that cannot be used is never one that is listened to: log and page say why, each
// reason once, and when it works.
func TestABrokerThatCannotBeUsedIsNamedUntilItWorks(t *testing.T) {
	m := testserver.OwnMosquitto(t, 0, "allow_anonymous false")
	if err := m.Stop(); err != nil {
		t.Fatal(err)
	}
	r := launchWith(t, map[string]host.Builder{"sensors": host.Transform(sensors.New)}, mqttRepository(t), "MQTT_URL=tcp://user:pass-word-1@"+m.Addr)
	r.logStart(t.Context())
	note := func(want string) {
		t.Helper()
		r.eventually("a note on the page: "+want, func() bool {
			notes := r.status().Notes
			return len(notes) == 1 && strings.Contains(notes[0], "no message arrives from the broker at tcp://"+m.Addr+": ") && strings.Contains(notes[0], want)
		})
	}
	note("nothing listens at " + m.Addr)
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	note(`refuses the user "user" or its password`)
	if r.has("listens to your broker") {
		t.Errorf("it says that it listens:\n%s", r.logs)
	}
	if err := m.Stop(); err != nil {
		t.Fatal(err)
	}
	conf, err := os.ReadFile(m.Dir + "/mosquitto.conf")
	if err == nil {
		err = os.WriteFile(m.Dir+"/mosquitto.conf", bytes.ReplaceAll(conf, []byte("allow_anonymous false"), []byte("allow_anonymous true")), 0o644)
	}
	if err = errors.Join(err, m.Start()); err != nil {
		t.Fatal(err)
	}
	r.eventually("the broker is listened to", func() bool { return r.has("listens to your broker at tcp://" + m.Addr) })
	r.eventually("no note", func() bool { return len(r.status().Notes) == 0 })
	for _, once := range []string{"the broker cannot be reached: nothing listens", "the broker cannot be reached: the broker refuses the user", "connected to the broker again"} {
		if n := strings.Count(r.logs.String(), once); n != 1 {
			t.Errorf("%q is logged %d times, want once:\n%s", once, n, r.logs)
		}
	}
	if _, body := r.call("GET", "/status"); strings.Contains(body, "pass-word-1") || r.has("pass-word-1") {
		t.Error("the password is shown")
	}
}

// make device says what is wrong, and never that it listens.
func TestListenNamesABrokerThatCannotBeUsed(t *testing.T) {
	for address, want := range map[string]string{
		"tcp://nowhere.invalid:1883":                  `"nowhere.invalid"`,
		freeport.Addr(t):                              "nothing listens at 127.0.0.1:",
		"ssl://" + testserver.OwnMosquitto(t, 0).Addr: "speaks no TLS: write tcp://127.0.0.1:",
	} {
		h, err := Open(mqttRepository(t), []string{"PORT=0", "MQTT_URL=" + address}, &testserver.Output{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Listen(t.Context(), "#", 30*time.Second, func(string) { t.Error("it says that it listens") }); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", address, err, want)
		}
	}
}

func TestListenReportsMessagesAndHowToMapThem(t *testing.T) {
	root := mqttRepository(t)
	r := launchMQTT(t, root)
	c := client(t, r.mqttURL)
	done(t, c.Publish("tele/plug1/SENSOR", 1, true, `{"Time":"2026-11-23T14:00:00","ENERGY":{"Power":12.5},"a.b":[1]}`))
	done(t, c.Publish("another/topic", 1, false, "x")) // the broker has handed out the first one then, and only keeps it
	h, err := Open(root, []string{"PORT=0"}, &testserver.Output{})
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
	set, err := h.Mapped(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := received.Write(&out, set); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"tele/plug1/SENSOR  (1 message, retained)", "$.ENERGY.Power", "12.5", "$['a.b'][0]", "devices:", "topic: tele/plug1/SENSOR"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it lacks %q:\n%s", want, &out)
		}
	}
	if _, err := h.Listen(t.Context(), "a/#/b", time.Second, func(string) {}); err == nil {
		t.Error("an invalid filter was accepted")
	}
}
