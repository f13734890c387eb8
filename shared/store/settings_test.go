package store_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

func TestSettingsOverrideTheSource(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		adopt(t, s, request("0x1", "zigbee", "old"), request("0x2", "zigbee", "new"))
		until := noon.Add(time.Hour)
		settings := []store.DeviceSetting{{Device: "old", Name: "Fridge", Room: "Kitchen", Physical: []string{"0x2"}, Maintenance: until}}
		for range 2 {
			if err := s.ConfigureDevices(t.Context(), settings, noon.Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
		}
		// The bridge renames the device; the user's name stays.
		if err := s.DescribeDevices(t.Context(), []store.DeviceID{{Physical: "0x2", Device: "old", Name: "renamed", About: json.RawMessage(`{}`)}}); err != nil {
			t.Fatal(err)
		}
		ds, err := s.Devices(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if d := ds[1]; d.ID != "old" || d.Name != "Fridge" || d.Room != "Kitchen" || !d.Maintenance.Equal(until) || d.ReplacedBy != "" {
			t.Errorf("%+v", d)
		}
		if d := ds[0]; d.ID != "new" || d.ReplacedBy != "old" {
			t.Errorf("%+v", d)
		}
		ids, err := s.DeviceIDs(t.Context(), true)
		if err != nil || len(ids) != 3 {
			t.Errorf("%+v, %v", ids, err)
		}
	})
}

func TestASettingWithoutANameOrRoomRemovesThem(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		adopt(t, s, request("0x1", "zigbee", "fridge"), request("topic/a", "mapped", "oven"))
		until := noon.Add(time.Hour)
		for i, tc := range []struct {
			d          store.DeviceSetting
			name, room string
		}{
			{store.DeviceSetting{Device: "fridge"}, "fridge", ""}, // the name from its source
			{store.DeviceSetting{Device: "fridge", Name: "The fridge", Room: "Kitchen", Maintenance: until}, "The fridge", "Kitchen"},
			{store.DeviceSetting{Device: "fridge", Name: "The fridge"}, "The fridge", ""},
			{store.DeviceSetting{Device: "fridge", Room: "Cellar"}, "fridge", "Cellar"},
			{store.DeviceSetting{Device: "fridge", Physical: []string{"0x1", "topic/a"}}, "fridge", ""}, // kept, though it now also has the physical id of the oven
			{store.DeviceSetting{Device: "new", Name: "New", Physical: []string{"hearth.yml/new"}}, "New", ""},
			{store.DeviceSetting{Device: "new", Physical: []string{"hearth.yml/new"}}, "new", ""}, // no source has named it: its id
		} {
			tc.d.Kind = "mapped"
			if err := s.ConfigureDevices(t.Context(), []store.DeviceSetting{tc.d}, noon.Add(time.Duration(i)*time.Minute)); err != nil {
				t.Fatal(err)
			}
			ds, err := s.Devices(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range ds {
				if d.ID == tc.d.Device && (d.Name != tc.name || d.Room != tc.room || !d.Maintenance.Equal(tc.d.Maintenance)) {
					t.Errorf("step %d: %+v, want %q in %q", i, d, tc.name, tc.room)
				}
			}
		}
		// Once the user's name is removed, the newest name from the source is used.
		setting := store.DeviceSetting{Device: "fridge", Kind: "mapped", Name: "Mine"}
		for _, step := range []func() error{
			func() error { return s.ConfigureDevices(t.Context(), []store.DeviceSetting{setting}, noon) },
			func() error {
				return s.DescribeDevices(t.Context(), []store.DeviceID{{Physical: "0x1", Device: "fridge", Name: "renamed", About: json.RawMessage(`{}`)}})
			},
			func() error { return s.UnbindDevices(t.Context(), []string{"topic/a"}, noon.Add(time.Hour)) },
			func() error {
				setting.Name = ""
				return s.ConfigureDevices(t.Context(), []store.DeviceSetting{setting}, noon)
			},
		} {
			if err := step(); err != nil {
				t.Fatal(err)
			}
		}
		if ds, err := s.Devices(t.Context()); err != nil || ds[0].Name != "renamed" {
			t.Errorf("%+v, %v", ds, err)
		}
	})
}

func TestMaintenanceLastsUntilTheLaterEnd(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		early, late := noon.Add(time.Hour), noon.Add(2*time.Hour)
		for _, tc := range []struct {
			device                 string
			settings, button, want time.Time
		}{
			{"a", early, late, late}, {"b", late, early, late}, {"c", early, time.Time{}, early}, {"d", time.Time{}, late, late}, {"e", late, late, late}, {"f", time.Time{}, time.Time{}, time.Time{}},
		} {
			if err := s.ConfigureDevices(t.Context(), []store.DeviceSetting{{Device: tc.device, Kind: "mapped", Maintenance: tc.settings}}, noon); err != nil {
				t.Fatal(err)
			}
			for kind, until := range map[string]time.Time{store.Maintenance: tc.button, store.Silence: late.Add(time.Hour)} { // another kind has no effect
				if until.IsZero() {
					continue
				}
				if err := s.SetUntil(t.Context(), store.UntilDate{Kind: kind, Subject: "device/" + tc.device, Until: until, Set: noon}); err != nil {
					t.Fatal(err)
				}
			}
			ds, err := s.Devices(t.Context())
			if err != nil || len(ds) == 0 {
				t.Fatal(ds, err)
			}
			if d := ds[len(ds)-1]; d.ID != tc.device || !d.Maintenance.Equal(tc.want) {
				t.Errorf("%+v, want maintenance until %v", d, tc.want)
			}
		}
	})
}

func TestARemovedSettingIsUndone(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		adopt(t, s, request("0x1", "zigbee", "fridge"))
		fridge := store.DeviceSetting{Device: "fridge", Kind: "mapped", Name: "The fridge", Room: "Kitchen", Maintenance: noon.Add(time.Hour)}
		for _, settings := range [][]store.DeviceSetting{{fridge}, {{Device: "oven", Kind: "mapped", Physical: []string{"0x1"}}}, {}, {}} {
			if err := s.ConfigureDevices(t.Context(), settings, noon); err != nil {
				t.Fatal(err)
			}
			ds, err := s.Devices(t.Context())
			if err != nil || len(ds) == 0 || ds[0].ID != "fridge" {
				t.Fatal(ds, err)
			}
			named := len(settings) > 0 && settings[0].Device == "fridge"
			if d := ds[0]; (d.Name == "The fridge") != named || (d.Room != "") != named || d.Maintenance.IsZero() == named {
				t.Errorf("%+v with %+v", d, settings)
			}
			if len(ds) > 1 && ds[0].ReplacedBy != "oven" && len(settings) > 0 {
				t.Errorf("%+v, want it replaced by the oven", ds[0])
			}
		}
	})
}
