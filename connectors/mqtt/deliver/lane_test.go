package deliver

import "testing"

// TestAnEdgeNodeHasOneWorker: a node numbers its readings across all its devices.
func TestAnEdgeNodeHasOneWorker(t *testing.T) {
	for topic, want := range map[string]string{
		"hearth/pi4/office-air": "pi4",
		"hearth/pi4/status":     "pi4",
		"hearth/pi4":            "hearth/pi4",
		"house/pi4/office-air":  "house/pi4/office-air",
		"/hearth/pi4/x":         "/hearth/pi4/x",
	} {
		if got := partitionKey(topic); got != want {
			t.Errorf("%s: %s, want %s", topic, got, want)
		}
	}
}
