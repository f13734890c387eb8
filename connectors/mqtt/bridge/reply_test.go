package bridge

import (
	"strings"
	"testing"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// TestAnAnswerIsPublishedWholeOrNotAtAll: one that is longer than is read is
// counted.
func TestAnAnswerIsPublishedWholeOrNotAtAll(t *testing.T) {
	g := newFaas(t)
	g.deploy("long", map[string]string{"topic": "ask", "mqtt-reply": "told", "mqtt-concurrency": "1"}, func(c calledWith) (int, string) {
		if c.Body == "more" {
			return 200, strings.Repeat("x", maxAnswer+1)
		}
		return 200, strings.Repeat("y", maxAnswer)
	})
	_, addr := openBroker(t)
	b, _ := connect(t, g, addr, t.TempDir(), nil)
	p := publisher(t, addr, "house")
	heard := make(chan string, 10)
	if tok := p.Subscribe("told", 1, func(_ mqtt.Client, m mqtt.Message) { heard <- string(m.Payload()) }); !tok.WaitTimeout(publishWait) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	publish(t, p, "ask", 1, false, "more", "enough")
	if s := <-heard; len(s) != maxAnswer || s[0] != 'y' {
		t.Errorf("published %d bytes of %q, want the answer that is not too long", len(s), s[:1])
	}
	if n := b.stats.repliesLost.Load(); n != 1 {
		t.Errorf("%d answers counted as not published, want 1", n)
	}
}
