package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
	"github.com/hearth-home/hearth/shared/command/commandtest"
	"github.com/hearth-home/hearth/shared/mqttclient"
	"github.com/hearth-home/hearth/shared/testserver"
	"github.com/hearth-home/hearth/shared/testserver/free"
)

const memoryLimit = 128 // MiB, of the container in deploy/k3s/connector.yaml

// TestMessagesOfEverySizeFitIntoTheContainersMemory: the connector takes the largest
// messages of MQTT at each QoS and the largest that it delivers, with small ones between
// them, while one function refuses all of them and another is down. All that it can take
// arrive once. The others are dead letters, and do not come again after a restart.
func TestMessagesOfEverySizeFitIntoTheContainersMemory(t *testing.T) {
	g := mqtttest.NewGateway(t)
	var got mqtttest.Tally
	all := map[string]string{"topic": "house/#", "mqtt-batch": "2000"}
	g.Deploy("f", all, func(c mqtttest.Call) (int, string) {
		for i, d := range c.Data {
			got.Add(fmt.Sprint(c.Topics[i], " ", len(d)))
		}
		return 200, ""
	})
	g.Deploy("refuses", all, func(mqtttest.Call) (int, string) { return 400, "no" })
	g.Deploy("down", all, func(mqtttest.Call) (int, string) { return 503, "not now" })
	broker := testserver.OwnMosquitto(t, 0)
	r := startConnector(t, g.URL, broker.Addr)
	p := plainClient(t, broker.Addr)
	want := map[string]int{}
	good := func(size int) {
		topic := fmt.Sprint("house/good", len(want))
		want[fmt.Sprint(topic, " ", size)] = 1
		if tok := p.Publish(topic, 1, false, bytes.Repeat([]byte("j"), size)); !tok.WaitTimeout(time.Minute) || tok.Error() != nil {
			t.Fatal(tok.Error())
		}
	}
	good(10)
	for i, m := range []struct {
		qos    byte
		retain bool
	}{{1, false}, {0, false}, {2, false}, {1, true}} {
		testserver.PublishLarge(t, broker.Addr, fmt.Sprint("house/camera", i), testserver.LargestPayload, m.qos, m.retain)
		good(20 + i)
	}
	for range 4 {
		good(mqttclient.MaxPayload)
		good(mqttclient.MaxPayload / 2)
	}
	mqtttest.Until(t, "the good messages", func() bool { return got.N() == len(want) })
	mqtttest.Until(t, "the dead letters", func() bool { return len(r.tooLarge(t)) == 4 })
	r.stop(t)
	testserver.PublishLarge(t, broker.Addr, "house/camera-meanwhile", testserver.LargestPayload, 1, false)
	r = r.again(t)
	good(7)
	mqtttest.Until(t, "a message after the restart", func() bool { return got.N() == len(want) })
	mqtttest.Until(t, "the dead letter of a message that the broker had queued", func() bool { return len(r.tooLarge(t)) == 5 })
	r.stop(t)
	for m, n := range got.Seen() {
		if n != want[m] {
			t.Errorf("%s was delivered %d times, want %d", m, n, want[m])
		}
	}
}

// TestTheBrokerDropsWhatItsConfigurationForbids: our mosquitto.conf bounds the size of a
// message. A publisher of larger ones is not disconnected, which would stop its others.
func TestTheBrokerDropsWhatItsConfigurationForbids(t *testing.T) {
	b, err := os.ReadFile("../../deploy/mosquitto/mosquitto.conf")
	if err != nil {
		t.Fatal(err)
	}
	var limit []string
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "message_size_limit ") {
			limit = append(limit, strings.TrimSpace(line))
		}
	}
	p := plainClient(t, testserver.OwnMosquitto(t, 0, limit...).Addr)
	sizes := make(chan int, 9)
	p.Subscribe("house/#", 1, func(_ mqtt.Client, m mqtt.Message) { sizes <- len(m.Payload()) }).WaitTimeout(time.Minute)
	for _, n := range []int{3, 17 << 20, 15 << 20, 20 << 20, 4} {
		if tok := p.Publish("house/camera", 1, false, make([]byte, n)); !tok.WaitTimeout(time.Minute) || tok.Error() != nil {
			t.Fatalf("%d bytes: %v", n, tok.Error())
		}
	}
	for _, want := range []int{3, 15 << 20, 4} {
		if n := mqtttest.Next(t, "a message", sizes); n != want {
			t.Errorf("a message of %d bytes arrived, want %d", n, want)
		}
	}
}

// connector is a running connector.
type connector struct {
	program commandtest.Program
	pid     int
	url     string
	end     func() error // after SIGTERM
}

// startConnector starts a connector and waits until it has subscribed.
func startConnector(t *testing.T, gateway, broker string) connector {
	t.Helper()
	secrets := t.TempDir()
	if err := os.WriteFile(filepath.Join(secrets, "connector-token"), []byte("ours"), 0o600); err != nil {
		t.Fatal(err)
	}
	addr := free.Addr(t)
	c := connector{program: commandtest.Build(t, "."), url: "http://" + addr}
	c.program.Env = []string{"MQTT_URL=" + broker, "GATEWAY_URL=" + gateway, "LISTEN=" + addr, "DATA_DIR=" + t.TempDir(), "REBUILD_INTERVAL=50ms"}
	c.program.Env = append(append(c.program.Env, imageVariables(t)...), "secret_mount_path="+secrets)
	return c.again(t)
}

// imageVariables returns the variables that the image sets.
func imageVariables(t *testing.T) []string {
	t.Helper()
	b, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	_, vars, _ := strings.Cut(string(b), "\nENV secret_mount_path=")
	vars, _, _ = strings.Cut(vars, "\n")
	if !strings.Contains(vars, "GOMEMLIMIT") {
		t.Fatal("the image sets no GOMEMLIMIT")
	}
	return strings.Fields(vars)[1:]
}

// again starts the connector on the same folder.
func (c connector) again(t *testing.T) connector {
	t.Helper()
	cmd := c.program.Command(t.Context())
	cmd.SysProcAttr = testserver.Tied()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c.pid = cmd.Process.Pid
	c.end = func() error { cmd.Process.Signal(os.Interrupt); return cmd.Wait() }
	mqtttest.Until(t, "subscriptions", func() bool {
		res, err := http.Get(c.url + "/readyz")
		if err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode == 200
	})
	return c
}

// stop stops the connector, and looks at the memory that it had.
func (c connector) stop(t *testing.T) {
	t.Helper()
	peak := testserver.Peak(t, c.pid)
	if peak >= memoryLimit {
		t.Errorf("%d MiB of memory, want less than %d", peak, memoryLimit)
	}
	if err := c.end(); err != nil {
		t.Error(err)
	}
}

// tooLarge returns the sizes of the payloads that were too large, by topic, as the dead
// letters have them.
func (c connector) tooLarge(t *testing.T) map[string]int {
	t.Helper()
	req, _ := http.NewRequestWithContext(t.Context(), "GET", c.url+"/dead", nil)
	req.Header.Set("Authorization", "Bearer ours")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var ds []struct {
		Topic string
		Size  int
		Cut   bool
	}
	if err := json.NewDecoder(res.Body).Decode(&ds); err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for _, d := range ds {
		if !d.Cut {
			continue // a good one that a function refused
		}
		out[d.Topic] = d.Size
		if d.Size != testserver.LargestPayload || !strings.HasPrefix(d.Topic, "house/camera") {
			t.Errorf("the dead letter %+v", d)
		}
	}
	return out
}

// plainClient is a client of the MQTT library.
func plainClient(t *testing.T, addr string) mqtt.Client {
	t.Helper()
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + addr).SetClientID("publisher"))
	if tok := c.Connect(); !tok.WaitTimeout(20*time.Second) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	t.Cleanup(func() { c.Disconnect(0) })
	return c
}
