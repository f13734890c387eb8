package local

import (
	"os"
	"testing"
)

// A killed platform leaves its notice, and other programs may have its ports by now.
func TestTheNoticeOfAKilledPlatformIsNotBelieved(t *testing.T) {
	root := repository(t)
	r := launch(t, root, "MQTT_PASSWORD=of-the-broker", "CONNECTOR_TOKEN=of-the-platform")
	found, ok := r.findRunning()
	if !ok || found.Gateway != "http://"+r.server.Addr {
		t.Fatalf("while it runs: %+v, %v", found, ok)
	}
	left, err := os.ReadFile(r.noticeFile())
	if err != nil {
		t.Fatal(err)
	}
	r.stop()
	write(t, r.noticeFile(), string(left))
	h, err := Open(root, []string{"PORT=18931", "MQTT_PORT=18933"}, &lines{})
	if err != nil {
		t.Fatal(err)
	}
	address, err := h.Connector()
	token, _ := h.ConnectorToken()
	if err != nil || address != "127.0.0.1:18932" || token.Reveal() != "" {
		t.Errorf("the connector: %s, %q, %v", address, token.Reveal(), err)
	}
	if got, err := h.GatewayURL(); err != nil || got != "http://127.0.0.1:18931" {
		t.Errorf("the gateway: %s, %v", got, err)
	}
	if c, err := h.listenerConfig(); err != nil || c.URL != "tcp://127.0.0.1:18933" || c.Password.Reveal() != "" {
		t.Errorf("the broker: %s, %q, %v", c.URL, c.Password.Reveal(), err)
	}
	again := launch(t, root)
	if n, ok := h.findRunning(); !ok || n.Gateway != "http://"+again.server.Addr {
		t.Errorf("of the next platform: %+v, %v", n, ok)
	}
}

func TestThePlatformsPasswordIsForItsBrokerOnly(t *testing.T) {
	root := repository(t)
	r := launch(t, root, "MQTT_PASSWORD=of-the-broker")
	for url, want := range map[string]string{"": "of-the-broker", r.mqttURL: "of-the-broker", "another:1883": ""} {
		h, err := Open(root, []string{"MQTT_URL=" + url}, &lines{})
		if err != nil {
			t.Fatal(err)
		}
		if c, err := h.listenerConfig(); err != nil || c.Password.Reveal() != want {
			t.Errorf("for %q the password is %q, %v; want %q", url, c.Password.Reveal(), err, want)
		}
	}
}
