package deploy

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/bridge"
	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
	"github.com/hearth-home/hearth/edge/agent"
	"github.com/hearth-home/hearth/edge/sim"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/testserver/free"
	"github.com/hearth-home/hearth/shared/testserver/tool"
	"github.com/hearth-home/hearth/shared/wire"
)

// runAgent runs the edge agent of pi-office with one simulated sensor, and returns its
// metrics' address.
func runAgent(t *testing.T, broker string) (address string) {
	t.Helper()
	listen, err := free.Find()
	if err != nil {
		t.Fatal(err)
	}
	c, err := agent.Parse(map[string]string{
		"NODE": "pi-office", "MQTT_URL": "tcp://" + broker, "MQTT_USER": "pi-office", "SPOOL_DIR": t.TempDir(), "LISTEN": listen, "SIMULATE": "true",
		"SENSOR_0_KIND": "bme280", "SENSOR_0_DEVICE": "office-climate", "SENSOR_0_INTERVAL": "100ms",
	}, secret.InMemory(map[string]string{"mqtt-password": "pi-office"}, nil), sim.OneOfEach())
	if err != nil {
		t.Fatal(err)
	}
	a, err := agent.New(c, agent.Deps{Machine: sim.NewMachine(t.Context(), sim.NewFast(5))})
	if err != nil {
		t.Fatal(err)
	}
	running(t, a.Run)
	return listen
}

// running runs something until the test ends.
func running(t *testing.T, run func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// metric returns a metric's value as text, "" if it is not there.
func metric(address, name string) string {
	res, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	if m := regexp.MustCompile(`(?m)^` + name + `(?:\{[^}]*\})? (\S+)$`).FindSubmatch(b); m != nil {
		return string(m[1])
	}
	return ""
}

// An edge agent and the connector work as the users of the ACL: readings arrive, the agent
// is told that they are stored, and the canary goes round.
func TestTheEdgeAgentAndTheConnectorWorkWithTheACL(t *testing.T) {
	addr := broker(t, "pi-office", "hearth-connector")
	g := mqtttest.NewGateway(t)
	var got mqtttest.Tally
	g.Deploy("sensors", map[string]string{"topic": "hearth/#", "mqtt-batch": "100"}, func(c mqtttest.Call) (int, string) {
		got.Add(c.Topics...)
		answer := wire.Answer{Stored: map[string]wire.StoredUpTo{}}
		for _, d := range c.Data {
			var r wire.Reading
			if json.Unmarshal([]byte(d), &r) == nil && r.Seq > 0 {
				answer.Stored["pi-office"] = wire.StoredUpTo{Boot: r.Boot, Seq: r.Seq}
			}
		}
		b, err := json.Marshal(answer)
		if err != nil {
			return http.StatusInternalServerError, err.Error()
		}
		return http.StatusOK, string(b)
	})
	b, err := bridge.New(t.Context(), bridge.Config{URL: "tcp://" + addr, ClientID: "hearth-connector", User: "hearth-connector",
		Password: secret.InMemory(map[string]string{"mqtt-password": "hearth-connector"}, nil).Get("mqtt-password"),
		Gateway:  g.URL, Rebuild: 20 * time.Millisecond, CallTimeout: 5 * time.Second, Dir: t.TempDir(), SpoolMiB: 64, SpoolPolicy: "refuse",
		DeadMax: 1000, DeadMiB: 64, Canary: 100 * time.Millisecond},
		bridge.Options{Log: slog.New(slog.DiscardHandler), Now: time.Now, Redact: func(s string, n int) string { return s[:min(len(s), n)] }})
	if err != nil {
		t.Fatal(err)
	}
	running(t, b.Run)
	mqtttest.Until(t, "subscriptions", b.Ready)
	metrics := runAgent(t, addr)
	mqtttest.Until(t, "a confirmed reading", func() bool {
		n := metric(metrics, "hearth_edge_confirmed_total")
		return n != "" && n != "0"
	})
	mqtttest.Until(t, "status and canary", func() bool {
		seen := got.Seen()
		return seen["hearth/pi-office/status"] > 0 && seen["hearth/canary/hearth-connector"] > 0 && seen["hearth/pi-office/office-climate"] > 0
	})
}

// Mosquitto acknowledges a refused message at MQTT 3.1.1. With MQTT 5 it says that it is
// refused, as the documentation has people find it out.
func TestMQTT5SaysThatAMessageIsRefused(t *testing.T) {
	pub := tool.Needed(t, "apt-get install mosquitto-clients", "mosquitto_pub")
	host, port, _ := net.SplitHostPort(broker(t, "pi-office"))
	for _, c := range []struct {
		version, topic string
		refused        bool
	}{
		{"5", "hearth/pi-office/x", false}, {"5", "hearth/pi-attic/x", true}, {"311", "hearth/pi-attic/x", false},
	} {
		out, err := exec.Command(pub, "-V", c.version, "-q", "1", "-h", host, "-p", port, "-u", "pi-office", "-P", "pi-office", "-t", c.topic, "-m", "x").CombinedOutput()
		if said := strings.Contains(string(out), "Not authorized"); err != nil || said != c.refused {
			t.Errorf("MQTT %s on %s: %v, %s; want refused: %v", c.version, c.topic, err, out, c.refused)
		}
	}
}
