package local

import (
	"os"
	"testing"

	"github.com/hearth-home/hearth/shared/testserver"
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
	h, err := Open(root, []string{"PORT=18931", "MQTT_PORT=18933"}, &testserver.Output{})
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

func TestThePlatformsSecretsAreForItsServersOnly(t *testing.T) {
	root := repository(t)
	const influx = "INFLUX_URL=http://127.0.0.1:1"
	r := launch(t, root, "MQTT_PASSWORD=of-the-broker", influx, "INFLUX_TOKEN=of-the-database", "DATABASE_URL=postgres://u@127.0.0.1:1/home")
	for _, c := range []struct{ environ, password, token string }{
		{"", "of-the-broker", ""},
		{"MQTT_URL=" + r.mqttURL, "of-the-broker", ""},
		{"MQTT_URL=another:1883", "", ""},
		{influx, "of-the-broker", "of-the-database"},
		{"INFLUX_URL=http://another:8086", "of-the-broker", ""},
	} {
		h, err := Open(root, []string{c.environ}, &testserver.Output{})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := h.listenerConfig(); err != nil || got.Password.Reveal() != c.password {
			t.Errorf("%q: the password is %q, %v; want %q", c.environ, got.Password.Reveal(), err, c.password)
		}
		if got := h.env().Secrets.Get("influx-token").Reveal(); got != c.token {
			t.Errorf("%q: the token is %q, want %q", c.environ, got, c.token)
		}
	}
}

// A user may remove the state folder while the platform runs. It then stops without an error.
func TestARemovedNoticeIsNoErrorOfAStop(t *testing.T) {
	r := launch(t, repository(t))
	if err := os.Remove(r.noticeFile()); err != nil {
		t.Fatal(err)
	}
	r.stop()
}
