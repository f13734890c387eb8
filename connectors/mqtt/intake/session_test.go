package intake

import (
	"context"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
	"github.com/hearth-home/hearth/shared/mqttclient"
	"github.com/hearth-home/hearth/shared/testserver"
)

// TestTwoClientsWithOneIDAreRecognised: they disconnect each other, which counts as
// quick losses.
func TestTwoClientsWithOneIDAreRecognised(t *testing.T) {
	server := testserver.OwnMosquitto(t, 0)
	w, l, _ := newTestWriter(t, t.TempDir())
	in, err := New(Options{Broker: mqttclient.Access{URL: server.Addr, ClientID: "connector", IDAdvice: "give each its own id"}, Topic: "own", Spool: l, Recent: w.recent, TooLarge: w.tooLarge, Now: time.Now, Log: w.log})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan bool)
	go func() { in.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	in.Subscribe([]string{"house/#"})
	mqtttest.Until(t, "subscriptions", in.Ready)
	second := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + server.Addr).SetClientID("connector").SetMaxReconnectInterval(50 * time.Millisecond))
	if tok := second.Connect(); !tok.WaitTimeout(20*time.Second) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	t.Cleanup(func() { second.Disconnect(0) })
	mqtttest.Until(t, "the problem", func() bool { return in.Problem().Kind == mqttclient.ClientIDTaken })
	if text := in.Problem().Text; !strings.Contains(text, "id connector") || !strings.Contains(text, "its own id") || in.Ready() {
		t.Errorf("ready: %v, %s", in.Ready(), text)
	}
}
