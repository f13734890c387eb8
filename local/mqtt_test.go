package local

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/connectors/mqtt/deadcmd"
	sensors "github.com/hearth-home/hearth/functions/sensors"
	zigbee "github.com/hearth-home/hearth/functions/zigbee"
	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/page/status"
	"github.com/hearth-home/hearth/shared/testserver"
)

const mqttStack = `
provider: {name: openfaas}
functions:
  sensors:
    lang: golang-http
    handler: ./functions/sensors
    image: sensors:1
    annotations: {topic: "${SENSORS_TOPICS:-hearth/#}", mqtt-batch: "500"}
    secrets: [hearth-settings, database-url]
    environment: {exec_timeout: 10s}
  zigbee:
    lang: golang-http
    handler: ./functions/zigbee
    image: zigbee:1
    annotations: {topic: zigbee2mqtt/#, mqtt-batch: "500"}
    secrets: [hearth-settings, database-url]
    environment: {exec_timeout: 10s}
`

// mqttRepository returns a repository with the functions that subscribe to MQTT topics.
func mqttRepository(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	write(t, filepath.Join(root, "stack.yml"), mqttStack)
	return root
}

func launchMQTT(t *testing.T, root string, environ ...string) *running {
	t.Helper()
	r := launchWith(t, map[string]host.Builder{"sensors": host.Transform(sensors.New), "zigbee": host.Transform(zigbee.New)}, root, environ...)
	r.waitReady(t.Context())
	return r
}

// client is another client of the broker.
func client(t *testing.T, address string) mqtt.Client {
	t.Helper()
	o := mqtt.NewClientOptions().AddBroker("tcp://" + strings.TrimPrefix(address, "tcp://")).SetClientID("test-" + strings.ReplaceAll(t.Name(), "/", "-")).SetConnectTimeout(5 * time.Second)
	c := mqtt.NewClient(o)
	done(t, c.Connect())
	t.Cleanup(func() { c.Disconnect(50) })
	return c
}

func done(t *testing.T, token mqtt.Token) {
	t.Helper()
	if !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatalf("the broker did not acknowledge: %v", token.Error())
	}
}

func (r *running) status() (d status.Data) {
	r.t.Helper()
	_, body := r.call("GET", "/status.json")
	if err := json.Unmarshal([]byte(body), &d); err != nil {
		r.t.Fatalf("%v: %s", err, body)
	}
	return d
}

// tile returns a device on the page and its room.
func (r *running) tile(id string) (status.Device, string) {
	for _, room := range r.status().Rooms {
		for _, d := range room.Devices {
			if d.ID == id {
				return d, room.Name
			}
		}
	}
	return status.Device{}, ""
}

func (r *running) shows(id string, v float64) {
	r.t.Helper()
	r.eventually(fmt.Sprintf("%s at %v on the page", id, v), func() bool {
		d, _ := r.tile(id)
		return d.Main != nil && d.Main.Value != nil && *d.Main.Value == v
	})
}

func TestPublishedReadingsShowOnThePage(t *testing.T) {
	r := launchMQTT(t, mqttRepository(t))
	c := client(t, r.mqttURL)
	done(t, c.Publish("hearth/me/shelf", 1, false, `{"device":"shelf","fields":{"temperature_celsius":21.5}}`))
	r.shows("shelf", 21.5)
	done(t, c.Publish("office/desk", 0, false, `{"temperature":19,"humidity":40}`))
	r.shows("office-desk", 19)
	done(t, c.Publish("office/desk", 0, false, `{"temperature":19.5,"humidity":40}`))
	r.shows("office-desk", 19.5)
	devices, err := os.ReadFile("../functions/zigbee/testdata/devices.json")
	if err != nil {
		t.Fatal(err)
	}
	done(t, c.Publish("zigbee2mqtt/bridge/devices", 1, true, devices))
	done(t, c.Publish("zigbee2mqtt/garage_temp", 0, false, `{"temperature":7.99,"battery":88}`))
	r.shows("garage_temp", 7.99)
	if d := r.status(); len(d.Dead) != 0 {
		t.Errorf("dead letters: %+v: a message went to two functions", d.Dead)
	}
}

// A message that was acknowledged to its publisher, and is not stored when the platform
// stops, is stored after the next start.
func TestAcknowledgedMessagesAreStoredAfterARestart(t *testing.T) {
	root := mqttRepository(t)
	r := launchMQTT(t, root)
	c := client(t, r.mqttURL)
	const n = 300
	var last mqtt.Token
	for i := range n {
		last = c.Publish(fmt.Sprintf("office/d%03d", i), 1, false, fmt.Sprintf(`{"temperature":%d}`, i%50))
	}
	done(t, last)
	c.Disconnect(50)
	r.stop()
	for _, bad := range []string{"panic", "cut off"} {
		if r.has(bad) {
			t.Errorf("%q in the log:\n%s", bad, r.logs)
		}
	}
	r = launchMQTT(t, root)
	st, err := r.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.eventually("all readings stored", func() bool {
		states, err := st.DeviceStates(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		temperatures := 0
		for _, s := range states {
			if s.Metric == "temperature_celsius" {
				temperatures++
			}
		}
		return temperatures == n
	})
}

func TestUnknownTopicsAreShownMappedAndReplayed(t *testing.T) {
	root := mqttRepository(t)
	r := launchMQTT(t, root)
	c := client(t, r.mqttURL)
	done(t, c.Publish("tele/plug1/SENSOR", 1, false, `{"ENERGY":{"Power":12.5}}`))
	done(t, c.Publish("homeassistant/sensor/x/config", 1, false, `{"x":1}`))
	var d status.Data
	r.eventually("a dead letter", func() bool { d = r.status(); return len(d.Dead) > 0 })
	if len(d.Dead) != 1 || !strings.Contains(d.Dead[0].Proposal, "$.ENERGY.Power") || !strings.Contains(d.Dead[0].Replay, ".bin/hearth dead replay") {
		t.Fatalf("dead = %+v", d.Dead)
	}
	write(t, filepath.Join(root, "hearth.yml"), "devices:\n  - device: plug\n    name: The plug\n    room: Office\n    topic: tele/plug1/SENSOR\n    fields: {power_watts: $.ENERGY.Power}\n")
	command := func(args ...string) string {
		var out bytes.Buffer
		h, err := Open(root, []string{"PORT=0"}, &testserver.Output{})
		if err != nil {
			t.Fatal(err)
		}
		dead := deadcmd.New("hearth", func(_ *cobra.Command, do func(deadcmd.Connector) error) error {
			address, err := h.Connector()
			if err != nil {
				return err
			}
			token, kept := h.ConnectorToken()
			return do(deadcmd.Connector{Address: address, Token: token, Kept: kept})
		}, nil)
		dead.SetArgs(args)
		dead.SetOut(&out)
		if err := dead.ExecuteContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	if out := command("list"); !strings.Contains(out, "tele/plug1/SENSOR") {
		t.Errorf("list = %s", out)
	}
	if out := command("show", strings.Fields(command("list"))[6]); !strings.Contains(out, `{"ENERGY":{"Power":12.5}}`) {
		t.Errorf("show = %s", out)
	}
	r.eventually("the new mapping used and the letter replayed", func() bool {
		command("replay", "--function", "sensors", "--reason", "no mapping for topic tele/+/SENSOR")
		got, room := r.tile("plug")
		return got.Main != nil && got.Main.Value != nil && *got.Main.Value == 12.5 && got.Name == "The plug" && room == "Office"
	})
	r.eventually("no dead letter", func() bool { return len(r.status().Dead) == 0 })
	if out := command("list"); strings.Contains(out, "tele/") {
		t.Errorf("list = %s", out)
	}
}

// TestThePageSaysThatDeadLettersWereDropped at their cap.
func TestThePageSaysThatDeadLettersWereDropped(t *testing.T) {
	r := launchMQTT(t, mqttRepository(t), "DEAD_MAX=3")
	c := client(t, r.mqttURL)
	for i := range 5 {
		done(t, c.Publish(fmt.Sprintf("tele/plug%d/SENSOR", i), 1, false, `{"ENERGY":{"Power":12.5}}`))
	}
	r.eventually("the dropped letters on the page", func() bool {
		return slices.ContainsFunc(r.status().Notes, func(note string) bool {
			return strings.Contains(note, "dead letters were dropped since the start, the oldest first: 2. ")
		})
	})
}

func TestSensorsSubscribesToAllThatOthersDoNot(t *testing.T) {
	r := launchMQTT(t, mqttRepository(t))
	i := slices.IndexFunc(r.functions, func(f stack.Function) bool { return f.Name == "sensors" })
	if got := r.functions[i].Annotations; got["topic"] != "#" || got["mqtt-topics"] != "!homeassistant/#,!hearth-alert/#,!zigbee2mqtt/#" {
		t.Errorf("annotations = %v", got)
	}
	r.stop()
	r = launchMQTT(t, mqttRepository(t), "SENSORS_TOPICS=house/#")
	if got := r.functions[i].Annotations; got["topic"] != "house/#" || got["mqtt-topics"] != "" {
		t.Errorf("narrowed: %v", got)
	}
}

func TestAStopLeavesNoBrokerAndNoNotice(t *testing.T) {
	root := mqttRepository(t)
	r := launchMQTT(t, root)
	broker, admin := strings.TrimPrefix(r.mqttURL, "tcp://"), r.admin
	if n, ok := r.findRunning(); !ok || n.Admin != admin || n.Broker != r.mqttURL {
		t.Errorf("notice = %+v, %v", n, ok)
	}
	r.stop()
	for _, addr := range []string{broker, admin} {
		if c, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
			c.Close()
			t.Errorf("%s still listens", addr)
		}
	}
	if _, ok := r.findRunning(); ok {
		t.Error("the notice is still there")
	}
}
