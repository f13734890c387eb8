package bridge

import (
	"strings"
	"testing"
)

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

func TestFiltersThatAreNone(t *testing.T) {
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
	wants := f.wants()
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
