package deliver

import (
	"strings"
	"testing"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
)

// reference is a slow matcher that follows the wording of the MQTT specification.
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

func TestAFunctionDoesNotGetExceptedTopics(t *testing.T) {
	f, err := parseFunction("sensors", "", map[string]string{"topic": "#", "mqtt-topics": "!zigbee2mqtt/#,!homeassistant/#"})
	if err != nil {
		t.Fatal(err)
	}
	wants := f.matcher()
	for topic, want := range map[string]bool{"a/b": true, "zigbee2mqtt": false, "zigbee2mqtt/x": false, "zigbee2mqtt2/x": true, "homeassistant/sensor/x/config": false} {
		if got := wants(&message.Message{Topic: topic}); got != want {
			t.Errorf("%s: %v, want %v", topic, got, want)
		}
	}
	if g := f; !f.equal(g) {
		t.Error("a subscriber is not equal to itself")
	}
	if g := f; func() bool { g.Except = nil; return f.equal(g) }() {
		t.Error("equal ignores a change of Except")
	}
}

func TestAFunctionsNameIncludesItsNamespace(t *testing.T) {
	for namespace, want := range map[string]string{"": "f", "openfaas-fn": "f", "staging": "f.staging"} {
		if f, err := parseFunction("f", namespace, map[string]string{"topic": "a"}); f.Name != want || err != nil {
			t.Errorf("in %q: %s, %v; want %s", namespace, f.Name, err, want)
		}
	}
}
