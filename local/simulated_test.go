package local

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/hearth-home/hearth/shared/page/status"
	"github.com/hearth-home/hearth/shared/testserver"
)

// shown returns the ids of the devices on the page.
func (r *running) shown() (ids []string) {
	var d status.Data
	if _, body := r.call("GET", "/status.json"); json.Unmarshal([]byte(body), &d) != nil {
		return nil
	}
	for _, room := range d.Rooms {
		for _, device := range room.Devices {
			ids = append(ids, device.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

func TestSimulatedDevicesAreShownOnlyWhileTheirSensorsRun(t *testing.T) {
	root := mqttRepository(t)
	r := launchMQTT(t, root, "EDGE=")
	c := client(t, r.mqttURL)
	done(t, c.Publish("office/desk", 1, false, `{"temperature":21.5}`))
	var all []string
	r.eventually("simulated devices and the real one", func() bool {
		all = r.shown()
		return len(all) > 10 && slices.Contains(all, "office-desk") && slices.Contains(all, "edge-simulated")
	})
	c.Disconnect(50) // before its broker ends
	r.stop()

	only := func(what string) {
		t.Helper()
		if got := r.shown(); !slices.Equal(got, []string{"office-desk"}) {
			t.Errorf("%s: %q, want the real device alone", what, got)
		}
	}
	r = launchMQTT(t, root, "EDGE=off")
	only("EDGE=off")
	r.stop()
	r = launchMQTT(t, root, "EDGE=", "MQTT_URL="+testserver.OwnMosquitto(t, 0).Addr)
	only("the user's broker")
	r.stop()

	r = launchMQTT(t, root, "EDGE=")
	r.eventually("they are back", func() bool {
		for _, id := range all {
			if !slices.Contains(r.shown(), id) {
				return false
			}
		}
		return true
	})
}
