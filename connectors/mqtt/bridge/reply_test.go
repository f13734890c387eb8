package bridge

import (
	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// mostPublished is the size in bytes of the longest answer that is published.
const mostPublished = 1 << 20

// TestAnAnswerIsPublishedCompletelyOrNotAtAll: an answer that is too long is counted.
func TestAnAnswerIsPublishedCompletelyOrNotAtAll(t *testing.T) {
	g := mqtttest.NewGateway(t)
	g.Deploy("long", map[string]string{"topic": "ask", "mqtt-reply": "answers", "mqtt-concurrency": "1"}, func(c mqtttest.Call) (int, string) {
		if c.Body == "more" {
			return 200, strings.Repeat("x", mostPublished+1)
		}
		return 200, strings.Repeat("y", mostPublished)
	})
	_, addr := openBroker(t)
	b, _ := connect(t, g, addr, t.TempDir(), nil)
	p := publisher(t, addr, "house")
	received := make(chan string, 10)
	if tok := p.Subscribe("answers", 1, func(_ mqtt.Client, m mqtt.Message) { received <- string(m.Payload()) }); !tok.WaitTimeout(20*time.Second) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	publish(t, p, "ask", 1, false, "more", "enough")
	if s := mqtttest.Next(t, "the answer", received); len(s) != mostPublished || s[0] != 'y' {
		t.Errorf("published %d bytes of %q, want the shorter answer", len(s), s[:1])
	}
	if n := b.deliver.Stats().RepliesLost; n != 1 {
		t.Errorf("%d answers counted as not published, want 1", n)
	}
}
