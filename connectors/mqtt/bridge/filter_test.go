package bridge

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The examples of MQTT 3.1.1, section 4.7.
func TestMatchFollowsTheSpecification(t *testing.T) {
	for _, tt := range []struct {
		filter, topic string
		want          bool
	}{
		{"sport/tennis/player1/#", "sport/tennis/player1", true},
		{"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
		{"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
		{"sport/#", "sport", true},
		{"#", "sport/tennis", true},
		{"sport/tennis/+", "sport/tennis/player1", true},
		{"sport/tennis/+", "sport/tennis/player2", true},
		{"sport/tennis/+", "sport/tennis/player1/ranking", false},
		{"sport/+", "sport", false},
		{"sport/+", "sport/", true},
		{"+", "finance", true},
		{"+", "/finance", false},
		{"+/+", "/finance", true},
		{"/+", "/finance", true},
		{"+/tennis/#", "sport/tennis/x", true},
		{"sport/+/player1", "sport/tennis/player1", true},
		{"#", "$SYS/broker", false},
		{"+/monitor/Clients", "$SYS/monitor/Clients", false},
		{"$SYS/#", "$SYS/monitor/Clients", true},
		{"$SYS/monitor/+", "$SYS/monitor/Clients", true},
		{"ACCOUNTS", "Accounts", false},
		{"a//b", "a//b", true},
		{"a/+/b", "a//b", true},
		{"a/b", "a/b/", false},
		{"/", "/", true},
		{"+/#", "a", true},
		{"a/#", "ab", false},
	} {
		if got := Match(tt.filter, tt.topic); got != tt.want {
			t.Errorf("Match(%q, %q) = %v, want %v", tt.filter, tt.topic, got, tt.want)
		}
	}
}

// reference is the specification's wording, level by level, without haste.
func reference(filter, topic string) bool {
	f, t := strings.Split(filter, "/"), strings.Split(topic, "/")
	if strings.HasPrefix(topic, "$") && (f[0] == "+" || f[0] == "#") {
		return false
	}
	for i := range f {
		if f[i] == "#" {
			return true
		}
		if i >= len(t) || f[i] != "+" && f[i] != t[i] {
			return false
		}
		if i == len(t)-1 && i == len(f)-2 && f[i+1] == "#" {
			return true
		}
	}
	return len(f) == len(t)
}

func TestMatchAgreesWithTheReference(t *testing.T) {
	level := rapid.SampledFrom([]string{"", "a", "b", "$SYS"})
	rapid.Check(t, func(t *rapid.T) {
		topic := strings.Join(rapid.SliceOfN(level, 1, 4).Draw(t, "topic"), "/")
		levels := rapid.SliceOfN(rapid.SampledFrom([]string{"", "a", "b", "+", "$SYS"}), 1, 4).Draw(t, "filter")
		if rapid.Bool().Draw(t, "rest") {
			levels = append(levels, "#")
		}
		filter := strings.Join(levels, "/")
		if topic == "" || filter == "" {
			t.Skip()
		}
		if err := CheckFilter(filter); err != nil {
			t.Fatalf("CheckFilter(%q) = %v", filter, err)
		}
		if got, want := Match(filter, topic), reference(filter, topic); got != want {
			t.Errorf("Match(%q, %q) = %v, want %v", filter, topic, got, want)
		}
	})
}

func TestFiltersThatAreNone(t *testing.T) {
	for _, f := range []string{"", "a#", "a/#/b", "a+/b", "+a", "a\x00b"} {
		if CheckFilter(f) == nil {
			t.Errorf("CheckFilter(%q) = nil", f)
		}
	}
	good, except, err := ParseFilters("zigbee2mqtt/#, a/#/b ,/iot/+, !iot/x/#,!")
	if len(good) != 2 || len(except) != 1 || except[0] != "iot/x/#" || err == nil {
		t.Errorf("ParseFilters = %q, %q, %v; want the two good ones, the exception and an error", good, except, err)
	}
}

func TestAnExceptedTopicIsNotForTheFunction(t *testing.T) {
	f, err := parseFunction("sensors", "", map[string]string{"topic": "#", "mqtt-topics": "!zigbee2mqtt/#,!homeassistant/#"})
	if err != nil {
		t.Fatal(err)
	}
	wants := (&consumer{f: f}).wants()
	for topic, want := range map[string]bool{"a/b": true, "zigbee2mqtt": false, "zigbee2mqtt/x": false, "zigbee2mqtt2/x": true, "homeassistant/sensor/x/config": false} {
		if got := wants(&Message{Topic: topic}); got != want {
			t.Errorf("%s: %v, want %v", topic, got, want)
		}
	}
	if g := f; !f.equal(g) {
		t.Error("it is not equal to itself")
	}
	if g := f; func() bool { g.Except = nil; return f.equal(g) }() {
		t.Error("a change of what is excepted is none")
	}
}
