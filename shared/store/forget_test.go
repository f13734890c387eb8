package store_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// stateOf is a state of a device.
func stateOf(device, metric string) store.DeviceState {
	return store.DeviceState{Device: device, Metric: metric, Value: 1, Time: noon, Arrived: noon, Changed: noon, Quality: "ok"}
}

func listed(t *testing.T, s *store.Store) (ids []string) {
	t.Helper()
	ds, err := s.Devices(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range ds {
		ids = append(ids, d.ID)
	}
	return ids
}

func TestAForgottenDeviceLeavesItsReadingsOnly(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		adopt(t, s, request("edge/office", "edge", "office"), request("edge/hall", "edge", "hall"))
		r := reading.Reading{Name: measurement(t), Tags: map[string]string{"device": "office"}, Fields: map[string]float64{"x": 1}, Time: noon}
		if err := s.Write(t.Context(), []reading.Reading{r}); err != nil {
			t.Fatal(err)
		}
		if err := saveDevices(t.Context(), s, store.DeviceChange{States: []store.DeviceState{stateOf("office", "a"), stateOf("office", "b"), stateOf("hall", "a")}}); err != nil {
			t.Fatal(err)
		}
		if err := s.SetUntil(t.Context(), store.UntilDate{Kind: store.Maintenance, Subject: "device/office", Until: noon.Add(time.Hour), Set: noon}); err != nil {
			t.Fatal(err)
		}
		if err := s.ConfigureDevices(t.Context(), []store.DeviceSetting{{Device: "hall", Kind: "mapped", Physical: []string{"edge/office"}}}, noon.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		got, err := s.ForgetDevices(t.Context(), []string{"office", "never there", "office"})
		if want := (store.Forgotten{Devices: 1, Physical: 1, States: 2}); err != nil || got != want {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
		states, err := s.DeviceStates(t.Context(), "")
		if ids := listed(t, s); err != nil || !slices.Equal(ids, []string{"hall"}) || len(states) != 1 || states[0].Device != "hall" {
			t.Errorf("left: %q, states %+v, %v", ids, states, err)
		}
		if dates, err := s.UntilDates(t.Context(), noon); err != nil || len(dates) != 0 {
			t.Errorf("%+v, %v", dates, err)
		}
		rs, err := s.Between(t.Context(), r.Name, nil, noon, noon.Add(1))
		if err != nil || len(rs) != 1 {
			t.Errorf("%d readings, %v", len(rs), err)
		}
		if got := adopt(t, s, request("edge/new", "edge", "office")); got[0] != "office" {
			t.Errorf("its id is not free: %q", got)
		}
	})
}

// The batches of all functions read the register again, whatever process they run in.
func TestForgettingEndsEveryClaim(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		adopt(t, s, request("edge/office", "edge", "office"), request("edge/hall", "edge", "hall"))
		claim := func(function string, want bool) {
			t.Helper()
			if was, err := s.ClaimDevices(t.Context(), function, "a"); err != nil || was != want {
				t.Errorf("%s held its claim: %v, %v, want %v", function, was, err, want)
			}
		}
		for _, f := range []string{"sensors", "zigbee"} {
			claim(f, false)
			claim(f, true)
		}
		if _, err := s.ForgetDevices(t.Context(), []string{"never there"}); err != nil {
			t.Fatal(err)
		}
		claim("sensors", true)
		if _, err := s.ForgetDevices(t.Context(), []string{"office"}); err != nil {
			t.Fatal(err)
		}
		claim("sensors", false)
		claim("zigbee", false)
	})
}

// A batch that began before may write states after the device is gone.
func TestStatesThatComeAfterForgettingAreNotThoseOfTheNewDevice(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		adopt(t, s, request("edge/office", "edge", "office"), request("edge/hall", "edge", "hall"))
		late := func(device string) {
			t.Helper()
			if err := saveDevices(t.Context(), s, store.DeviceChange{States: []store.DeviceState{stateOf(device, "late")}}); err != nil {
				t.Fatal(err)
			}
		}
		count := func(want int) {
			t.Helper()
			if got, err := s.DeviceStates(t.Context(), ""); err != nil || len(got) != want {
				t.Errorf("%+v, %v, want %d", got, err, want)
			}
		}
		if _, err := s.ForgetDevices(t.Context(), []string{"office"}); err != nil {
			t.Fatal(err)
		}
		late("office")
		count(1)
		adopt(t, s, request("edge/office", "edge", "office"))
		count(0)
		late("never there")
		if _, err := s.ForgetDevices(t.Context(), []string{"hall"}); err != nil {
			t.Fatal(err)
		}
		count(0)
	})
}

func TestForgettingANodeForgetsItsNumbers(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		adopt(t, s, request("node/pi4", "node", "edge-pi4"), request("node/pi5", "node", "edge-pi5"))
		for _, node := range []string{"pi4", "pi5"} {
			err := saveDevices(t.Context(), s, store.DeviceChange{Nodes: []string{node}, Count: func([]store.EdgeSeq) []store.EdgeSeq {
				return []store.EdgeSeq{{Node: node, Boot: "b", Started: noon, Seen: noon, Upto: 7, Highest: 7}}
			}})
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.ForgetDevices(t.Context(), []string{"edge-pi4"}); err != nil {
			t.Fatal(err)
		}
		got, err := s.EdgeSeqs(t.Context())
		if err != nil || len(got) != 1 || got[0].Node != "pi5" {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestTheRegisterKnowsWhoPublishesADevice(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		r := request("topic/tele/plug/SENSOR", "mapped", "plug")
		r.Publisher = "tele/plug\x00"
		adopt(t, s, r)
		r.Physical, r.Publisher = "topic/tele/other", "tele/other"
		adopt(t, s, r)
		if err := s.ConfigureDevices(t.Context(), []store.DeviceSetting{{Device: "boiler", Kind: "mapped"}}, noon); err != nil {
			t.Fatal(err)
		}
		ds, err := s.Devices(t.Context())
		if err != nil || len(ds) != 3 || ds[0].Publisher != "" || ds[1].Publisher != "tele/plug" || ds[2].Publisher != "tele/other" {
			t.Errorf("%+v, %v", ds, err)
		}
		if named, err := s.NamedDevices(t.Context()); err != nil || !slices.Equal(named, []string{"boiler"}) {
			t.Errorf("%q, %v", named, err)
		}
	})
}

// A list of Zigbee devices that changes the addresses again and again must not fill the
// table.
func TestADeviceKeepsItsLatestPhysicalIDs(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		const changes = 30
		for i := range changes {
			now := noon.Add(time.Duration(i) * time.Minute)
			physical := fmt.Sprint("0x", i)
			ids, err := s.AdoptDevices(t.Context(), []store.DeviceRequest{request(physical, "zigbee", "plug")}, now)
			if err != nil || ids[0].Device != "plug" {
				t.Fatal(ids, err)
			}
			if i < changes-1 {
				if err := s.UnbindDevices(t.Context(), []string{physical}, now.Add(time.Second)); err != nil {
					t.Fatal(err)
				}
			}
		}
		ids, err := s.DeviceIDs(t.Context(), true)
		if err != nil || len(ids) != 21 || ids[0].Physical != "0x9" || ids[20].Physical != "0x29" {
			t.Errorf("%d physical ids, %v", len(ids), err)
		}
	})
}

// The migration finds out who published the devices that are there already.
func TestTheMigrationNamesPublishers(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		bulb := request("0x1", "zigbee", "bulb")
		bulb.About = json.RawMessage(`{"base":"attic/zigbee2mqtt"}`)
		adopt(t, s, request("topic/tele/plug/SENSOR", "mapped", "plug"), request("topic/desk", "mapped", "desk"), bulb, request("edge/air", "edge", "air"))
		file := "migrations/postgres/0009_publisher.sql"
		if s.OneFile() {
			file = "migrations/sqlite/0011_publisher.sql"
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s.Exec(t, `alter table devices drop column publisher`)
		s.Exec(t, string(text))
		ds, err := s.Devices(t.Context())
		var got []string
		for _, d := range ds {
			got = append(got, d.ID+" "+d.Publisher)
		}
		if want := []string{"air ", "bulb attic/zigbee2mqtt", "desk desk", "plug tele"}; err != nil || !slices.Equal(got, want) {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	})
}
