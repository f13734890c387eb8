package local

import (
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/page"
)

// device returns a device of the page.
func (r *running) device(id string) (found page.Device) {
	for _, room := range r.status().Rooms {
		for _, d := range room.Devices {
			if d.ID == id {
				found = d
			}
		}
	}
	return found
}

func TestASimulatedSensorIsMadeToFailAndWorksAgain(t *testing.T) {
	r := launchMQTT(t, mqttRepository(t), "EDGE=")
	over := func() (over, shown bool) {
		d := r.device("rack-ups")
		for _, m := range append(d.Metrics, d.More...) {
			if m.Key == "load_percent" {
				return m.Warn, true
			}
		}
		return d.Main != nil && d.Main.Key == "load_percent" && d.Main.Warn, d.Main != nil
	}
	r.eventually("the UPS", func() bool { warn, ok := over(); return ok && !warn })
	if said, err := r.Fail(t.Context(), "rack-ups", "over"); err != nil || said != "rack-ups: over the limit, until it is switched off or hearth ends" {
		t.Errorf("%q, %v", said, err)
	}
	r.eventually("a load over the limit", func() bool {
		warn, _ := over()
		return warn && r.device("rack-ups").Fault == "over"
	})
	if said, err := r.Fail(t.Context(), "rack-ups", "off"); err != nil || said != "rack-ups works again" {
		t.Errorf("%q, %v", said, err)
	}
	r.eventually("a load within the limit", func() bool {
		warn, ok := over()
		return ok && !warn && r.device("rack-ups").Fault == ""
	})
	for _, wrong := range [][2]string{{"office-desk", "over"}, {"rack-ups", "upside-down"}} {
		if said, err := r.Fail(t.Context(), wrong[0], wrong[1]); err == nil || !strings.Contains(err.Error(), "there is no ") {
			t.Errorf("%s: %q, %v", wrong, said, err)
		}
	}
}

func TestWithoutSimulatedSensorsNoneIsMadeToFail(t *testing.T) {
	r := launchMQTT(t, mqttRepository(t), "EDGE=off")
	if said, err := r.Fail(t.Context(), "rack-ups", "over"); err == nil || err.Error() != "no simulated sensor runs here" {
		t.Errorf("%q, %v", said, err)
	}
	r.stop()
	if said, err := r.Fail(t.Context(), "rack-ups", "over"); err == nil || !strings.Contains(err.Error(), "hearth up does not run") {
		t.Errorf("%q, %v", said, err)
	}
}
