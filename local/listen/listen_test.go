package listen

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/hearth-home/hearth/local/broker"
	"github.com/hearth-home/hearth/shared/mapping"
)

// started returns a broker that has these retained messages, by topic.
func started(t *testing.T, retained map[string]string) *broker.Broker {
	t.Helper()
	b, err := broker.Start("127.0.0.1:0", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + b.Addr()).SetClientID("writer"))
	done := func(token mqtt.Token) {
		t.Helper()
		if !token.WaitTimeout(10*time.Second) || token.Error() != nil {
			t.Fatal(token.Error())
		}
	}
	done(c.Connect())
	defer c.Disconnect(50)
	for topic, payload := range retained {
		done(c.Publish(topic, 1, true, payload))
	}
	done(c.Unsubscribe("none")) // the answer comes after the broker has handled all messages before
	return b
}

func options(b *broker.Broker) *mqtt.ClientOptions {
	return mqtt.NewClientOptions().AddBroker("tcp://" + b.Addr()).SetClientID("listener").SetConnectTimeout(5 * time.Second)
}

func TestItReportsAndProposesForEachKindOfMessage(t *testing.T) {
	b := started(t, map[string]string{
		"home/a/x": `{"level":1,"ok":true}`, "home/b/x": `{"level":2,"ok":false}`, "home/c/y": `{"known":3}`, "home/d/z": "\x1b[2J no numbers", "other/q": `{"a":1}`,
	})
	h, err := To(t.Context(), options(b), "home/#", 2*time.Second)
	if err != nil || len(h.topics) != 4 {
		t.Fatalf("received %+v, %v", h, err)
	}
	set, err := mapping.Parse([]byte("devices:\n  - topic: home/+/y\n    fields: {level_percent: $.known}\n"))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := h.Write(&out, set); err != nil {
		t.Fatal(err)
	}
	for want, n := range map[string]int{"devices:": 1, "further topics with such messages: 1, for example home/b/x": 1, "home/c/y is mapped by hearth.yml": 1, "nothing to map at home/d/z": 1, "$.level": 3, "\x1b": 0, "other/q": 0} {
		if got := strings.Count(out.String(), want); got != n {
			t.Errorf("%q comes %d times, want %d:\n%s", want, got, n, &out)
		}
	}
}

func TestOneMessageAtOneTopicIsEnough(t *testing.T) {
	b := started(t, map[string]string{"home/a": `{"x":1}`})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	h, err := To(ctx, options(b), "home/a", time.Hour)
	if err != nil || ctx.Err() != nil || len(h.topics) != 1 || !h.topics[0].retained {
		t.Errorf("received %+v, %v, %v", h, err, ctx.Err())
	}
}

func TestNoMessageIsReported(t *testing.T) {
	h, err := To(t.Context(), options(started(t, nil)), "home/#", 200*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := h.Write(&out, nil); err != nil || !strings.Contains(out.String(), "nothing was published at home/#") {
		t.Errorf("%q, %v", &out, err)
	}
}

func TestTheNumberOfTopicsIsCapped(t *testing.T) {
	retained := map[string]string{}
	for i := range maxTopics + 20 {
		retained[fmt.Sprintf("many/%d", i)] = "1"
	}
	h, err := To(t.Context(), options(started(t, retained)), "#", time.Second)
	if err != nil || len(h.topics) != maxTopics || h.More != 20 {
		t.Errorf("%d topics and %d messages more, %v", len(h.topics), h.More, err)
	}
}

func TestAnUnreachableBrokerIsAnError(t *testing.T) {
	o := mqtt.NewClientOptions().AddBroker("tcp://127.0.0.1:1").SetClientID("listener")
	if _, err := To(t.Context(), o, "#", 2*time.Second); err == nil {
		t.Error("no error")
	}
}
