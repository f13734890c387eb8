package local

import (
	"encoding/json"
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	server "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"

	"github.com/hearth-home/hearth/local/dotenv"
	"github.com/hearth-home/hearth/shared/page/steps"
)

// guardedBroker returns the address of a broker that requires the user home with oddKey, and
// has these retained messages.
func guardedBroker(t *testing.T, retained map[string]string) string {
	t.Helper()
	s := server.New(&server.Options{Logger: slog.New(slog.DiscardHandler), InlineClient: true})
	rules := &auth.Options{Ledger: &auth.Ledger{Auth: auth.AuthRules{{Username: "home", Password: auth.RString(oddKey), Allow: true}}}}
	if err := s.AddHook(new(auth.Hook), rules); err != nil {
		t.Fatal(err)
	}
	l := listeners.NewTCP(listeners.Config{ID: "tcp", Address: "127.0.0.1:0"})
	if err := s.AddListener(l); err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	for topic, payload := range retained {
		if err := s.Publish(topic, []byte(payload), true, 1); err != nil {
			t.Fatal(err)
		}
	}
	return l.Address()
}

func TestTheBrokerIsTriedAndSaved(t *testing.T) {
	zigbee := `[{"ieee_address":"0x0","type":"Coordinator"},{"ieee_address":"0x1","type":"EndDevice"},{"ieee_address":"0x2","type":"Router"}]`
	address := guardedBroker(t, map[string]string{
		"zigbee2mqtt/bridge/devices": zigbee, "attic/zigbee2mqtt/bridge/devices": zigbee, "tele/plug/LWT": "Online", "hearth/pi9/status": `{"online":true}`, "tele/plug/SENSOR": `{"x":1}`,
	})
	root := stepping(t)
	r := launch(t, root)
	r.settled()
	fields := func(password string) url.Values {
		return url.Values{"name": {"broker"}, "MQTT_URL": {address}, "MQTT_USER": {"home"}, "MQTT_PASSWORD": {password}}
	}
	if code, body := r.post("try", fields(wrongKey)); code != 200 || !strings.Contains(body, `the broker refuses the user \"home\" or its password`) || strings.Contains(body, wrongKey) {
		t.Errorf("%d %s", code, body)
	}
	if code, body := r.post("save", fields(wrongKey)); code != 409 {
		t.Errorf("%d %s", code, body)
	}
	if code, body := r.post("try", url.Values{"name": {"broker"}, "MQTT_URL": {"ftp://x"}, "MQTT_USER": {""}, "MQTT_PASSWORD": {""}}); code != 400 || !strings.Contains(body, "MQTT_URL") {
		t.Errorf("%d %s", code, body)
	}
	code, body := r.post("try", fields(oddKey))
	var found steps.Result
	if err := json.Unmarshal([]byte(body), &found); err != nil || code != 200 || found.Refused != "" {
		t.Fatalf("%d %s", code, body)
	}
	want := []steps.Row{{What: "Topics with a message", Value: "5"}, {What: "Zigbee2MQTT at zigbee2mqtt", Value: "2 devices"}, {What: "Zigbee2MQTT at attic/zigbee2mqtt", Value: "2 devices"}, {What: "Tasmota", Value: "1 device"}, {What: "Nodes of hearth", Value: "1 device"}}
	for i, row := range found.Rows {
		if i >= len(want) || row != want[i] {
			t.Errorf("rows %+v, want %+v", found.Rows, want)
			break
		}
	}
	if code, body := r.post("save", fields(oddKey)); code != 200 || !strings.Contains(body, "restart hearth: Ctrl-C in its terminal, then hearth up") {
		t.Fatalf("%d %s", code, body)
	}
	vars, err := dotenv.Load(filepath.Join(root, ".env"), nil)
	if err != nil || vars["MQTT_URL"] != "tcp://"+address || vars["MQTT_USER"] != "home" || vars["MQTT_PASSWORD"] != oddKey || vars["ZIGBEE_TOPICS"] != "attic/zigbee2mqtt/#" || vars["ZIGBEE_BASES"] != "zigbee2mqtt,attic/zigbee2mqtt" {
		t.Errorf("%v, %v", vars, err)
	}
	if _, page := r.call("GET", "/"); strings.Contains(page, `data-step="broker"`) {
		t.Error("the page still asks for the broker")
	}
	if strings.Contains(r.logs.String(), "#key $HOME") || strings.Contains(r.logs.String(), wrongKey) {
		t.Errorf("a password is in the log: %s", r.logs)
	}
	r.stop()
	again := launch(t, root)
	again.eventually("the user's broker in use", func() bool { return again.bridge.Load().Ready() })
}
