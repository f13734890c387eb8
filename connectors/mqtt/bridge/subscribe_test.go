package bridge

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	server "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	mochi "github.com/mochi-mqtt/server/v2/listeners"
	"pgregory.net/rapid"

	"github.com/hearth-home/hearth/shared/topic"
)

func TestAFilterCoversAnother(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want bool
	}{
		{"a/b", "a/b", true}, {"a/b", "a/c", false}, {"a/+", "a/b", true}, {"a/b", "a/+", false}, {"a/+", "a/+", true}, {"a/+", "a/b/c", false}, {"a/+", "a/", true},
		{"a/#", "a", true}, {"a/#", "a/b/c", true}, {"a/#", "a/+", true}, {"a/#", "a/+/#", true}, {"a/+/#", "a/#", false}, {"a/#", "b/#", false}, {"a/#", "+/#", false},
		{"hearth/#", "hearth/+/status", true}, {"hearth/+/status", "hearth/#", false}, {"+/+/status", "hearth/+/status", true},
		{"#", "a/b", true}, {"#", "+", true}, {"#", "+/#", true}, {"+/#", "#", true}, {"+/#", "+", true}, {"+", "#", false}, {"+/+/#", "#", false}, {"+", "a", true},
		{"#", "$SYS/#", false}, {"#", "$SYS", false}, {"+/#", "$SYS/x", false}, {"+/x", "$SYS/x", false}, {"$SYS/#", "$SYS/+", true}, {"$SYS/#", "#", false}, {"$SYS/#", "$SYS", true},
		{"/+", "/x", true}, {"+", "/x", false}, {"+/+", "/x", true}, {"/#", "/", true}, {"a", "a/", false}, {"a/", "a", false},
	} {
		if got := covers(tc.a, tc.b); got != tc.want {
			t.Errorf("%s covers %s: %v", tc.a, tc.b, got)
		}
	}
}

var levels = []string{"", "a", "b", "$x"}

func filters() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		f := rapid.SliceOfN(rapid.SampledFrom(append([]string{"+"}, levels...)), 0, 4).Draw(t, "levels")
		if len(f) == 0 || rapid.Bool().Draw(t, "hash") {
			f = append(f, "#")
		}
		return strings.Join(f, "/")
	}).Filter(func(f string) bool { return f != "" })
}

// witnesses are topics that a filter takes, with what stands in no other filter
// in the place of its wildcards.
func witnesses(filter string) (topics []string) {
	name := strings.ReplaceAll(filter, "+", "new")
	for _, rest := range []string{"", "new", "new/new", "new/new/new/new/new/new"} {
		if topic, hash := strings.CutSuffix(name, "#"); !hash {
			topics = append(topics, name)
		} else if rest != "" {
			topics = append(topics, topic+rest)
		} else if topic != "" {
			topics = append(topics, strings.TrimSuffix(topic, "/"))
		}
	}
	return slices.DeleteFunc(topics, func(s string) bool { return !topic.Match(filter, s) })
}

// TestCoveringIsWhatMatchingSays: a covers b if and only if it takes all that b
// takes, among random topics and those that tell them apart.
func TestCoveringIsWhatMatchingSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := filters().Draw(t, "a"), filters().Draw(t, "b")
		topics := witnesses(b)
		for range 20 {
			topics = append(topics, strings.Join(rapid.SliceOfN(rapid.SampledFrom(levels), 1, 5).Draw(t, "topic"), "/"))
		}
		all := true
		for _, name := range topics {
			all = all && (!topic.Match(b, name) || topic.Match(a, name))
		}
		if covers(a, b) != all {
			t.Fatalf("%q covers %q: %v; among %q: %v", a, b, !all, topics, all)
		}
	})
}

func TestTheWidestFiltersTakeWhatAllTake(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(filters(), 1, 8).Draw(t, "filters")
		few := widest(all)
		for i, f := range few {
			for j, g := range few {
				if i != j && covers(f, g) {
					t.Fatalf("%q of %q: %q covers %q", few, all, f, g)
				}
			}
		}
		for _, f := range all {
			if !slices.ContainsFunc(few, func(g string) bool { return covers(g, f) }) {
				t.Fatalf("%q of %q leave out %q", few, all, f)
			}
		}
	})
}

// strict are access rules that grant everything but a subscription to #.
type strict struct{ auth.AllowHook }

func (*strict) OnACLCheck(_ *server.Client, topic string, _ bool) bool { return topic != "#" }

// openBroker is a broker whose subscriptions can be looked at.
func openBroker(t *testing.T) (s *server.Server, addr string) {
	t.Helper()
	s = server.New(&server.Options{Logger: slog.New(slog.DiscardHandler)})
	l := mochi.NewTCP(mochi.Config{ID: "t", Address: "127.0.0.1:0"})
	if err := errors.Join(s.AddHook(new(strict), nil), s.AddListener(l), s.Serve()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, l.Address()
}

// subscribed waits until the connector holds filters, beside the broker's count.
func subscribed(t *testing.T, s *server.Server, filters ...string) {
	t.Helper()
	until(t, fmt.Sprint(filters), func() bool {
		c, ok := s.Clients.Get("connector")
		if !ok {
			return false
		}
		have := c.State.Subscriptions.GetAll()
		delete(have, droppedTopic)
		return slices.Equal(slices.Sorted(maps.Keys(have)), filters)
	})
}

// TestNoFilterIsSubscribedThatAnotherCovers: also none that an earlier version
// had. What is retained comes to a function that is new all the same.
func TestNoFilterIsSubscribedThatAnotherCovers(t *testing.T) {
	g := newFaas(t)
	var some, late tally
	g.deploy("all", map[string]string{"topic": "hearth/#", "mqtt-topics": "hearth/+/status,house/x", "mqtt-batch": "10"}, func(calledWith) (int, string) { return 200, "" })
	g.deploy("some", map[string]string{"topic": "hearth/+/status", "mqtt-batch": "10"}, func(c calledWith) (int, string) { some.add(c.Data...); return 200, "" })
	s, addr := openBroker(t)
	earlier := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + addr).SetClientID("connector").SetCleanSession(false))
	earlier.Connect().Wait()
	earlier.Subscribe("hearth/+/status", 1, nil).Wait()
	earlier.Disconnect(100)
	run(t, g.URL, addr, t.TempDir())
	subscribed(t, s, "hearth/#", "house/x")
	p := publisher(t, addr, "house")
	publish(t, p, "hearth/pi4/status", 1, true, "kept")
	until(t, "a message", func() bool { return some.n() == 1 })
	g.deploy("late", map[string]string{"topic": "hearth/pi4/+", "mqtt-batch": "10"}, func(c calledWith) (int, string) { late.add(c.Data...); return 200, "" })
	until(t, "what is retained", func() bool { return late.n() == 1 })
	subscribed(t, s, "hearth/#", "house/x")
}

// TestWhatARefusedFilterCoversIsSubscribed: the broker's access rules grant less
// than one function wants.
func TestWhatARefusedFilterCoversIsSubscribed(t *testing.T) {
	g := newFaas(t)
	var got tally
	g.deploy("all", map[string]string{"topic": "#", "mqtt-batch": "10"}, func(calledWith) (int, string) { return 200, "" })
	g.deploy("some", map[string]string{"topic": "house/+", "mqtt-batch": "10"}, func(c calledWith) (int, string) { got.add(c.Data...); return 200, "" })
	s, addr := openBroker(t)
	run(t, g.URL, addr, t.TempDir())
	subscribed(t, s, "hearth/canary/connector", "house/+")
	publish(t, publisher(t, addr, "house"), "house/x", 1, false, "one")
	until(t, "one", func() bool { return got.n() == 1 })
}
