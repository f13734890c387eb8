package listen

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	server "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"

	"github.com/hearth-home/hearth/local/broker"
	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/testserver"
)

// long is how long the tests listen: long enough for a busy machine to connect and to
// receive what is there.
const long = 8 * time.Second

// TestMain lets the tests wait at the same time, however few processors there are.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	m.Run()
}

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
	t.Parallel() // it listens for long
	b := started(t, map[string]string{
		"home/a/x": `{"level":1,"ok":true}`, "home/b/x": `{"level":2,"ok":false}`, "home/c/y": `{"known":3}`, "home/d/z": "\x1b[2J\u202e no numbers", "other/q": `{"a":1}`,
	})
	h, err := To(t.Context(), options(b), "home/#", long, func() {})
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
	for want, n := range map[string]int{"devices:": 1, "further topics with such messages: 1, for example home/b/x": 1, "home/c/y is mapped by hearth.yml": 1, "nothing to map at home/d/z": 1, "$.level": 3, "\x1b": 0, "\u202e": 0, "other/q": 0} {
		if got := strings.Count(out.String(), want); got != n {
			t.Errorf("%q comes %d times, want %d:\n%s", want, got, n, &out)
		}
	}
}

func TestOneMessageAtOneTopicIsEnough(t *testing.T) {
	t.Parallel() // it lingers
	b := started(t, map[string]string{"home/a": `{"x":1}`})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	h, err := To(ctx, options(b), "home/a", time.Hour, func() {})
	if err != nil || ctx.Err() != nil || len(h.topics) != 1 || !h.topics[0].retained {
		t.Errorf("received %+v, %v, %v", h, err, ctx.Err())
	}
}

func TestNoMessageIsReported(t *testing.T) {
	t.Parallel() // it listens for long
	h, err := To(t.Context(), options(started(t, nil)), "home/#", long, func() {})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := h.Write(&out, nil); err != nil || !strings.Contains(out.String(), "nothing was published at home/#") {
		t.Errorf("%q, %v", &out, err)
	}
}

func TestTheNumberOfTopicsIsCapped(t *testing.T) {
	t.Parallel() // it listens for long
	retained := map[string]string{}
	for i := range maxTopics + 20 {
		retained[fmt.Sprintf("many/%d", i)] = "1"
	}
	h, err := To(t.Context(), options(started(t, retained)), "#", long, func() {})
	if err != nil || len(h.topics) != maxTopics || h.More != 20 {
		t.Errorf("%d topics and %d messages more, %v", len(h.topics), h.More, err)
	}
}

// Mosquitto is stopped while the command listens.
func TestALostConnectionIsAnError(t *testing.T) {
	b := testserver.OwnMosquitto(t, 0, "log_type all")
	stopped := make(chan error, 1)
	go func() {
		for end := time.Now().Add(10 * time.Second); !strings.Contains(b.Log(), "Sending SUBACK to listener") && time.Now().Before(end); {
			time.Sleep(10 * time.Millisecond)
		}
		stopped <- b.Stop()
	}()
	o := mqtt.NewClientOptions().AddBroker("tcp://" + b.Addr).SetClientID("listener")
	h, err := To(t.Context(), o, "home/#", 20*time.Second, func() {})
	if stopErr := <-stopped; stopErr != nil {
		t.Fatal(stopErr)
	}
	if err == nil || !strings.Contains(err.Error(), "the connection was lost") {
		t.Errorf("%+v, %v", h, err)
	}
}

// A broker that allows no subscription answers the SUBSCRIBE with the return code 0x80.
func TestARefusedSubscriptionIsAnError(t *testing.T) {
	for _, filter := range []string{"home/#", "home/a"} {
		o := mqtt.NewClientOptions().AddBroker("tcp://" + refusing(t)).SetClientID("listener")
		if h, err := To(t.Context(), o, filter, long, func() {}); err == nil || !strings.Contains(err.Error(), "the broker refuses the subscription to \""+filter+"\"") {
			t.Errorf("%s: %+v, %v", filter, h, err)
		}
	}
}

// refusing returns the address of a broker whose access rules refuse each subscription.
func refusing(t *testing.T) string {
	t.Helper()
	s := server.New(&server.Options{Logger: slog.New(slog.DiscardHandler)})
	rules := &auth.Options{Ledger: &auth.Ledger{Auth: auth.AuthRules{{Allow: true}}, ACL: auth.ACLRules{{Filters: auth.Filters{"#": auth.Deny}}}}}
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
	return l.Address()
}

func TestAnUnreachableBrokerIsAnError(t *testing.T) {
	o := mqtt.NewClientOptions().AddBroker("tcp://127.0.0.1:1").SetClientID("listener")
	if _, err := To(t.Context(), o, "#", long, func() {}); err == nil {
		t.Error("no error")
	}
}

// hearth's own topics and those of functions need no mapping, in text and in JSON.
func TestTopicsThatNeedNoMappingGetNoProposal(t *testing.T) {
	t.Parallel() // it listens for long
	b := started(t, map[string]string{
		"hearth/pi/air":      `{"device":"air","sensor":"sds011","time":"2026-11-23T14:05:06.123Z","boot":"9f","seq":7,"fields":{"pm10_ugm3":6.9},"quality":"ok"}`,
		"hearth/pi/co2":      `{"device":"co2","sensor":"scd4x","boot":"9f","seq":8,"fields":{"co2_ppm":600},"quality":"clock_unsynced"}`,
		"hearth/pi/status":   `{"online":true,"seq":8}`,
		"hearth/pi/stored":   `{"boot":"9f","seq":8}`,
		"hearth/canary/c":    `{"seq":1}`,
		"hearth/pi/desk":     `{"temperature":21}`,
		"zigbee2mqtt/window": `{"battery":97}`,
		"hearth/x":           `{"level":1}`,
	})
	h, err := To(t.Context(), options(b), "#", long, func() {})
	if err != nil {
		t.Fatal(err)
	}
	h.FunctionOf = func(topic string) string {
		if strings.HasPrefix(topic, "zigbee2mqtt/") {
			return "zigbee"
		}
		return ""
	}
	set, err := mapping.Parse([]byte("devices:\n  - topic: '#'\n    fields: {level_percent: $.known}\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"hearth/pi/air": "an edge agent's readings: stored as they are", "hearth/pi/co2": "an edge agent's readings: stored as they are",
		"hearth/pi/status": "an edge agent's status: stored as it is", "hearth/pi/stored": "an acknowledgement to an edge agent",
		"hearth/canary/c": "the connector's canary", "hearth/pi/desk": "no reading of an edge agent, whose topics these are: publish it at another topic",
		"zigbee2mqtt/window": "the function zigbee stores it", "hearth/x": "",
	}
	for _, s := range h.Report(nil).Topics {
		if s.Note != want[s.Topic] || (s.Proposal == "") != (s.Note != "") || s.Mapped {
			t.Errorf("%+v, want the note %q", s, want[s.Topic])
		}
	}
	for _, s := range h.Report(set).Topics { // hearth's own topics are not mapped, whatever the filter
		if s.Mapped != (want[s.Topic] == "") {
			t.Errorf("with a mapping of all topics: %+v", s)
		}
	}
	var out bytes.Buffer
	if err := h.Write(&out, nil); err != nil {
		t.Fatal(err)
	}
	for want, n := range map[string]int{"# hearth/pi/air and 1 more: an edge agent's readings: stored as they are\n": 1, "# zigbee2mqtt/window: the function zigbee stores it\n": 1, "devices:": 1, "for hearth.yml": 1} {
		if got := strings.Count(out.String(), want); got != n {
			t.Errorf("%q comes %d times, want %d:\n%s", want, got, n, &out)
		}
	}
}
