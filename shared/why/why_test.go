package why

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
)

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// house is a store with a node and a bridge, and devices behind them.
func house(t *testing.T) *store.Store {
	t.Helper()
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hearth.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	if _, err := st.AdoptDevices(t.Context(), []store.DeviceRequest{
		{Physical: "node/pi4", Kind: "node", Device: "edge-pi4", Name: "pi4", Publisher: "hearth/pi4"},
		{Physical: "edge/office-air", Kind: "edge", Device: "office-air", Name: "Office air", Publisher: "hearth/pi4", About: json.RawMessage(`{"topic":"hearth/pi4/office-air"}`)},
		{Physical: "zigbee2mqtt/bridge", Kind: "bridge", Device: "zigbee2mqtt", Name: "zigbee2mqtt"},
		{Physical: "0x01", Kind: "zigbee", Device: "door", Name: "Hall/door", About: json.RawMessage(`{"base":"zigbee2mqtt"}`)},
		{Physical: "topic/tele/x/SENSOR", Kind: "mapped", Device: "kiln", Name: "kiln"},
	}, noon.Add(-24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	return st
}

func save(t *testing.T, st *store.Store, c store.DeviceChange) {
	t.Helper()
	for i := range c.States {
		s := &c.States[i]
		s.Arrived, s.Changed, s.Quality = s.Time, s.Time, "ok"
	}
	if err := st.Commit(t.Context(), "test", store.Batch{}, func(ctx context.Context, tx *store.Tx) error { return tx.SaveDevices(ctx, c) }); err != nil {
		t.Fatal(err)
	}
}

func canary(t *testing.T, st *store.Store, at time.Time) {
	t.Helper()
	if err := st.Write(t.Context(), []reading.Reading{{Name: "canary", Tags: map[string]string{"connector": "c"}, Fields: map[string]float64{"latency_seconds": 1}, Time: at}}); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, st *store.Store, id string, want ...string) {
	t.Helper()
	r, err := Device(t.Context(), st, id, noon)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(r.Lines(), "\n"); got != strings.Join(want, "\n") {
		t.Errorf("%s:\n%s\nwant:\n%s", id, got, strings.Join(want, "\n"))
	}
}

func TestHowFarTheMessagesCome(t *testing.T) {
	st := house(t)
	expect(t, st, "kiln", "kiln (kiln), mapped", "It has never reported a value.", "What to do: See what it publishes with hearth device TOPIC.")
	canary(t, st, noon.Add(-time.Minute))
	save(t, st, store.DeviceChange{States: []store.DeviceState{
		{Device: "office-air", Metric: "co2_ppm", Value: 1234, Time: noon.Add(-3 * time.Hour)},
		{Device: "office-air", Metric: "simulated", Value: 1, Time: noon},
		{Device: "edge-pi4", Metric: "online", Value: 1, Time: noon.Add(-48 * time.Hour)},
		{Device: "door", Metric: "contact", Value: 1, Time: noon.Add(-30 * time.Hour)},
		{Device: "door", Metric: "available", Value: 0, Time: noon.Add(-5 * time.Hour)},
		{Device: "zigbee2mqtt", Metric: "available", Value: 1, Time: noon.Add(-4 * time.Hour)},
	}})
	expect(t, st, "office-air", "Office air (office-air), edge", "Last report: 09:00 (3 h 0 min ago), co2_ppm 1,234 ppm",
		"pi4, which forwards its messages: online since 12:00 on 30 May", "Broker: the last test message came through 11:59 (1 min ago).",
		"What to do: Check its cable and power. The log of the edge agent says why it cannot be read.")
	expect(t, st, "hall/DOOR", "Hall/door (door), zigbee", "Last report: 06:00 on 31 May (30 h 0 min ago), contact 1", "Its source says that it cannot be reached, since 07:00.",
		"zigbee2mqtt, which forwards its messages: online since 08:00", "Broker: the last test message came through 11:59 (1 min ago).",
		"What to do: Check its power or battery, and press its button once. If it stays silent, pair it again closer to a router.")
	save(t, st, store.DeviceChange{States: []store.DeviceState{{Device: "zigbee2mqtt", Metric: "available", Value: 0, Time: noon.Add(-time.Hour)}},
		Dead: []store.DeadLetter{
			{ID: "1", Function: "sensors", Topic: "hearth/pi4/office-air", Reason: "no unit", First: noon, Last: noon.Add(-time.Hour), Count: 3, Reported: noon},
			{ID: "2", Function: "sensors", Topic: "hearth/pi4/office-air-2", Reason: "of another", First: noon, Last: noon, Count: 3, Reported: noon},
		}})
	expect(t, st, "office-air", "Office air (office-air), edge", "Last report: 09:00 (3 h 0 min ago), co2_ppm 1,234 ppm",
		"pi4, which forwards its messages: online since 12:00 on 30 May", "Broker: the last test message came through 11:59 (1 min ago).",
		"Dead letter of hearth/pi4/office-air, 11:00 (1 h 0 min ago): no unit",
		"What to do: It sends, but its messages cannot be stored: correct the reason above, then replay them with hearth dead replay.")
	if r, err := Device(t.Context(), st, "door", noon); err != nil || r.Advice() != "Start Zigbee2MQTT and check its adapter." {
		t.Error(r.Advice(), err)
	}
	if _, err := Device(t.Context(), st, "nothing", noon); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
}

func TestADeadBrokerComesFirst(t *testing.T) {
	st := house(t)
	canary(t, st, noon.Add(-6*time.Minute))
	r, err := Device(t.Context(), st, "kiln", noon)
	if err != nil || !strings.HasPrefix(r.Advice(), "Check that the MQTT broker") {
		t.Error(r.Advice(), err)
	}
}

func TestTheTopicsOfDevices(t *testing.T) {
	edge := store.DeviceID{Physical: "edge/air"}
	for topic, want := range map[string]bool{"hearth/pi4/air": true, "hearth/pi4/air-2": false, "hearth/pi5/air": false} {
		if got := of(topic, edge, "", "", "hearth/pi4"); got != want {
			t.Errorf("%s: %v", topic, got)
		}
	}
	zigbee := store.DeviceID{Physical: "0x1", Name: "hall/door"}
	for topic, want := range map[string]bool{"z/hall/door": true, "z/hall/door/availability": true, "z/hall": false, "y/hall/door": false} {
		if got := of(topic, zigbee, "z", "", ""); got != want {
			t.Errorf("%s: %v", topic, got)
		}
	}
	mapped := store.DeviceID{Physical: "topic/tele/x/SENSOR"}
	for topic, want := range map[string]bool{"tele/x/SENSOR": true, "tele/x": false, "stat/x": true} {
		if got := of(topic, mapped, "", "stat/x", "tele"); got != want {
			t.Errorf("%s: %v", topic, got)
		}
	}
}
