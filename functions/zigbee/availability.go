package function

import (
	"bytes"
	"fmt"

	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/ingest"
	"github.com/hearth-home/hearth/shared/scan"
)

// readAvailability handles {"state":"online"} or, before Zigbee2MQTT 2.0, online. The
// broker retains it, and it holds when it arrives. So a retained message sets a state
// at its arrival; a live one is a reading too.
func (w *work) readAvailability(i int, d *knownDevice) error {
	online, err := parseAvailability(w.ms[i].Payload)
	if err != nil || d.about.Group {
		return err
	}
	w.setAvailable(i, d.Logical, online)
	return nil
}

// setAvailable stores the availability of a device or bridge: 1 or 0.
func (w *work) setAvailable(i int, t *device.Device, online float64) {
	m := &w.ms[i]
	if m.Retained {
		w.b.SetState(t, "available", "", online, m.Time, true)
		return
	}
	f, _ := measurement.Field("available")
	w.b.Add(i, ingest.Report{Measurement: "zigbee", Device: t, Values: []device.Value{{Key: "available", V: online, Field: &f}}, Time: m.Time, Arrived: m.Time, Replayed: m.Replay})
}

// parseAvailability returns 1 for online and 0 for offline.
func parseAvailability(b []byte) (float64, error) {
	state := b
	if s := scan.New(b); s.Kind() == scan.Object {
		state = nil
		if err := s.Object(func(key []byte) (err error) {
			if string(key) == "state" {
				state, err = s.Text()
				return err
			}
			return s.Skip()
		}); err != nil {
			return 0, err
		}
	}
	switch string(bytes.ToLower(bytes.TrimSpace(state))) {
	case "online":
		return 1, nil
	case "offline":
		return 0, nil
	}
	return 0, fmt.Errorf("the availability is neither online nor offline but %.40q", b)
}
