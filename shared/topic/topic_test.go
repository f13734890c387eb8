package topic

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestMatchFollowsTheSpecification has the examples of MQTT 3.1.1, sections 4.7.1 and
// 4.7.2.
func TestMatchFollowsTheSpecification(t *testing.T) {
	for _, tc := range []struct {
		filter, topic string
		want          bool
	}{
		{"sport/tennis/player1/#", "sport/tennis/player1", true}, {"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
		{"sport/#", "sport", true}, {"#", "a/b", true}, {"sport/tennis/+", "sport/tennis/player1", true}, {"sport/tennis/+", "sport/tennis/player1/ranking", false},
		{"sport/+", "sport", false}, {"sport/+", "sport/", true}, {"+/+", "/finance", true}, {"/+", "/finance", true}, {"+", "/finance", false},
		{"#", "$SYS/x", false}, {"+/monitor/Clients", "$SYS/monitor/Clients", false}, {"$SYS/#", "$SYS/x", true}, {"$SYS/monitor/+", "$SYS/monitor/Clients", true},
		{"ACCOUNTS", "Accounts", false}, {"", "x", false}, {"x", "", false},
	} {
		if got := Match(tc.filter, tc.topic); got != tc.want {
			t.Errorf("Match(%q, %q) = %v, want %v", tc.filter, tc.topic, got, tc.want)
		}
	}
}

func TestMatchAgreesWithAReference(t *testing.T) {
	level := rapid.SampledFrom([]string{"", "a", "b", "$x"})
	rapid.Check(t, func(t *rapid.T) {
		topic := rapid.SliceOfN(level, 1, 4).Draw(t, "topic")
		filter := rapid.SliceOfN(rapid.OneOf(level, rapid.Just("+")), 0, 4).Draw(t, "filter")
		if rapid.Bool().Draw(t, "hash") || len(filter) == 0 {
			filter = append(filter, "#")
		}
		tt, f := strings.Join(topic, "/"), strings.Join(filter, "/")
		if tt == "" || f == "" {
			return
		}
		if got, want := Match(f, tt), reference(filter, topic); got != want {
			t.Fatalf("Match(%q, %q) = %v, want %v", f, tt, got, want)
		}
	})
}

// reference is a simple matcher of filters and topics that are split into levels.
func reference(filter, topic []string) bool {
	if strings.HasPrefix(topic[0], "$") && (filter[0] == "+" || filter[0] == "#") {
		return false
	}
	if i := slices.Index(filter, "#"); i >= 0 {
		filter = filter[:i]
		if len(topic) < len(filter) {
			return false
		}
		topic = topic[:len(filter)]
	}
	return slices.EqualFunc(filter, topic, func(f, t string) bool { return f == "+" || f == t })
}

func TestCheck(t *testing.T) {
	for filter, ok := range map[string]bool{"a/+/#": true, "/a": true, "#": true, "": false, "a#": false, "a/#/b": false, "+a": false, "\x00": false} {
		if err := Check(filter); (err == nil) != ok {
			t.Errorf("Check(%q) = %v, want nil: %v", filter, err, ok)
		}
	}
}

func TestEnds(t *testing.T) {
	for topic, want := range map[string]string{
		"home/kitchen/climate": "climate kitchen/climate home/kitchen/climate", "garden/bed1/state": "bed1 garden/bed1 bed1/state garden/bed1/state",
		"/a/b": "b a/b /a/b", "state": "state", "/": "/", "a": "a", "tele/plug/SENSOR": "plug tele/plug plug/SENSOR tele/plug/SENSOR", "sensors/data": "sensors/data", strings.Repeat("a/", 9) + "b": "b a/b a/a/b a/a/a/b a/a/a/a/b a/a/a/a/a/b a/a/a/a/a/a/a/a/a/b",
	} {
		if got := strings.Join(Ends(topic), " "); got != want {
			t.Errorf("Ends(%q) = %q, want %q", topic, got, want)
		}
	}
}
