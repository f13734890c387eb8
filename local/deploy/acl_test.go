// Package deploy holds the tests of what a user deploys by hand: the files in deploy/ and
// the steps in the documentation.
package deploy

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/hearth-home/hearth/shared/testserver"
	"github.com/hearth-home/hearth/shared/testserver/free"
	"github.com/hearth-home/hearth/shared/testserver/tool"
)

const (
	root = "../.."
	wait = 30 * time.Second
	all  = "test" // the user of these tests who may everything
)

// broker is a Mosquitto with deploy/mosquitto, whose users' passwords are their names.
func broker(t *testing.T, users ...string) string {
	t.Helper()
	path := tool.Needed(t, "apt-get install mosquitto", "mosquitto", "/usr/sbin/mosquitto")
	passwd := tool.Needed(t, "apt-get install mosquitto", "mosquitto_passwd")
	dir := t.TempDir()
	addr, err := free.Find()
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(addr)
	conf := strings.NewReplacer("listener 1883", "listener "+port+" "+host, "/mosquitto/config/", dir+"/", "/mosquitto/data/", dir+"/").Replace(read(t, "deploy/mosquitto/mosquitto.conf"))
	write(t, dir, "mosquitto.conf", conf+"user root\n")
	write(t, dir, "acl", read(t, "deploy/mosquitto/acl")+"\nuser "+all+"\ntopic readwrite #\n")
	write(t, dir, "passwords", "")
	for _, user := range append(users, all) {
		if out, err := exec.Command(passwd, "-b", filepath.Join(dir, "passwords"), user, user).CombinedOutput(); err != nil {
			t.Fatalf("mosquitto_passwd: %v: %s", err, out)
		}
	}
	return testserver.Own(t, testserver.Program{Addr: addr, Path: path, Args: []string{"-c", filepath.Join(dir, "mosquitto.conf")}, Dir: dir}).Addr
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// login returns a client of a user, and the topics of the messages that it receives.
func login(t *testing.T, addr, user string, filters ...string) (mqtt.Client, <-chan string) {
	t.Helper()
	got := make(chan string, 1000)
	o := mqtt.NewClientOptions().AddBroker("tcp://" + addr).SetClientID("test-" + t.Name() + user).SetUsername(user).SetPassword(user).SetAutoReconnect(false)
	c := mqtt.NewClient(o)
	done(t, c.Connect())
	t.Cleanup(func() { c.Disconnect(0) })
	for _, f := range filters {
		done(t, c.Subscribe(f, 1, func(_ mqtt.Client, m mqtt.Message) { got <- m.Topic() }))
	}
	return c, got
}

func done(t *testing.T, token mqtt.Token) {
	t.Helper()
	if !token.WaitTimeout(wait) || token.Error() != nil {
		t.Fatalf("MQTT: %v", token.Error())
	}
}

// until reads topics up to the marker, and reports whether topic came before it.
func until(t *testing.T, got <-chan string, marker, topic string) (came bool) {
	t.Helper()
	for {
		select {
		case s := <-got:
			if s == marker {
				return came
			}
			came = came || s == topic
		case <-time.After(wait):
			t.Fatalf("%s did not come", marker)
		}
	}
}

// For each user, the topics that it may publish, and those that it may not.
func TestWhoMayPublish(t *testing.T) {
	users := map[string]struct{ may, not string }{
		"pi-office": {"hearth/pi-office/office-air hearth/pi-office/status hearth/pi-office/a/b homeassistant/sensor/pi-office/co2/config homeassistant/device/pi-office/config",
			"hearth/pi-cellar/office-air hearth/pi-cellar/status hearth/pi-cellar/stored hearth/dead/x hearth/canary/hearth-connector hearth-alert/x hearth/pi-office-2/x hearth/x house/x " +
				"zigbee2mqtt/lamp/set homeassistant/sensor/pi-cellar/co2/config homeassistant/status homeassistant/pi-office/config"},
		"hearth-connector": {"hearth/pi-office/stored hearth/canary/hearth-connector hearth/dead/x hearth/dead/x/y hearth-alert/cellar hearth-alert/a/b",
			"hearth/pi-office/office-air hearth/pi-office/status zigbee2mqtt/lamp/set house/x"},
		"zigbee2mqtt": {"zigbee2mqtt/lamp zigbee2mqtt/bridge/state zigbee2mqtt/a/b/c homeassistant/light/0x1/config",
			"zigbee2mqtt2/lamp attic/zigbee2mqtt/lamp hearth/pi-office/office-air hearth/pi-office/stored hearth/dead/x hearth-alert/x"},
	}
	addr := broker(t, "pi-office", "hearth-connector", "zigbee2mqtt")
	_, got := login(t, addr, all, "#")
	for user, topics := range users {
		c, _ := login(t, addr, user)
		marker := "hearth/" + user + "/marker" // of their own
		for topic := range strings.FieldsSeq(topics.may) {
			done(t, c.Publish(topic, 1, false, "x"))
			done(t, c.Publish(marker, 1, false, "x"))
			if !until(t, got, marker, topic) {
				t.Errorf("%s may not publish on %s", user, topic)
			}
		}
		for topic := range strings.FieldsSeq(topics.not) {
			for _, qos := range []byte{0, 1, 2} {
				done(t, c.Publish(topic, qos, qos == 1, "x")) // acknowledged all the same
			}
			done(t, c.Publish(marker, 1, false, "x"))
			if until(t, got, marker, topic) {
				t.Errorf("%s may publish on %s", user, topic)
			}
		}
	}
}

// For each user and filter, the topics that it receives, and those that it does not.
func TestWhoMaySubscribe(t *testing.T) {
	const everything = "hearth/pi-office/stored hearth/pi-office/office-air hearth/pi-cellar/stored hearth/pi-cellar/x hearth/dead/x hearth/canary/x hearth-alert/x zigbee2mqtt/lamp house/x homeassistant/status"
	addr := broker(t, "pi-office", "hearth-connector", "zigbee2mqtt")
	writer, _ := login(t, addr, all)
	for _, c := range []struct{ user, filter, receives string }{
		{"pi-office", "#", "hearth/pi-office/stored hearth/pi-office/office-air"},
		{"pi-office", "hearth/+/stored", "hearth/pi-office/stored"},
		{"pi-office", "hearth/pi-cellar/stored", ""},
		{"pi-office", "hearth/dead/#", ""},
		{"hearth-connector", "#", everything},
		{"hearth-connector", "hearth/#", "hearth/pi-office/stored hearth/pi-office/office-air hearth/pi-cellar/stored hearth/pi-cellar/x hearth/dead/x hearth/canary/x"},
		{"zigbee2mqtt", "#", "zigbee2mqtt/lamp homeassistant/status"},
		{"zigbee2mqtt", "zigbee2mqtt/#", "zigbee2mqtt/lamp"},
		{"zigbee2mqtt", "hearth/#", ""},
	} {
		reader, got := login(t, addr, c.user, c.filter, "hearth/"+c.user+"/markers/+")
		for i, topic := range strings.Fields(everything) {
			marker := fmt.Sprintf("hearth/%s/markers/%d", c.user, i) // it may come twice
			done(t, writer.Publish(topic, 1, false, "x"))
			done(t, writer.Publish(marker, 1, false, "x"))
			want := strings.Contains(" "+c.receives+" ", " "+topic+" ")
			if came := until(t, got, marker, topic); came != want {
				t.Errorf("%s, subscribed to %s, receives %s: %v, want %v", c.user, c.filter, topic, came, want)
			}
		}
		reader.Disconnect(0)
	}
}

func TestOnlyTheConnectorSeesHowManyMessagesTheBrokerDropped(t *testing.T) {
	addr := broker(t, "pi-office", "hearth-connector")
	_, got := login(t, addr, "hearth-connector", "$SYS/broker/publish/messages/dropped")
	_, none := login(t, addr, "pi-office", "$SYS/#")
	until(t, got, "$SYS/broker/publish/messages/dropped", "")
	select {
	case topic := <-none:
		t.Errorf("a node receives %s", topic)
	default:
	}
}

func TestNobodyLogsInWithoutAPassword(t *testing.T) {
	addr := broker(t, "pi-office")
	for user, password := range map[string]string{"": "", "pi-office": "", "pi-cellar": "pi-cellar", "hearth-connector": "x"} {
		c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + addr).SetClientID("x").SetUsername(user).SetPassword(password))
		if token := c.Connect(); !token.WaitTimeout(wait) || token.Error() == nil {
			t.Errorf("%q logs in", user)
		}
	}
}
