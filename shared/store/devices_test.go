package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

func request(physical, kind, device string) store.DeviceRequest {
	return store.DeviceRequest{Physical: physical, Kind: kind, Device: device, Name: device, About: json.RawMessage(`{"a": 1}`)}
}

func adopt(t *testing.T, s *store.Store, rs ...store.DeviceRequest) []string {
	t.Helper()
	ids, err := s.AdoptDevices(t.Context(), rs, noon)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, id := range ids {
		out = append(out, id.Device)
	}
	return out
}

func TestAPhysicalIDKeepsItsDevice(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		first := adopt(t, s, request("0x1", "zigbee", "office"), request("edge/office", "edge", "office"), request("0x2", "zigbee", "office"))
		if want := []string{"office", "office-67eefa", "office-1b9efc"}; !slices.Equal(first, want) {
			t.Errorf("%v, want %v", first, want)
		}
		again := adopt(t, s, request("0x2", "zigbee", "another name"), request("0x1", "zigbee", "x"))
		if want := []string{"office-1b9efc", "office"}; !slices.Equal(again, want) {
			t.Errorf("again %v, want %v", again, want)
		}
	})
}

// A device that hearth.yml names before its source does gets its kind from the source.
func TestANamedDeviceGetsItsKindFromItsSource(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		if err := s.ConfigureDevices(t.Context(), []store.DeviceSetting{{Device: "bedroom", Kind: "mapped", Name: "My bedroom", Room: "Bedroom"}}, noon); err != nil {
			t.Fatal(err)
		}
		r := request("0x1", "zigbee", "bedroom")
		r.Publisher = "zigbee2mqtt"
		if _, err := s.AdoptDevices(t.Context(), []store.DeviceRequest{r}, noon); err != nil {
			t.Fatal(err)
		}
		ds, err := s.Devices(t.Context())
		if err != nil || len(ds) != 1 || ds[0].Kind != "zigbee" || ds[0].Publisher != "zigbee2mqtt" || ds[0].Name != "My bedroom" || ds[0].Room != "Bedroom" {
			t.Errorf("%+v, %v", ds, err)
		}
	})
}

// Of three things of one name, the id of the third depends neither on the second nor on
// what was registered and forgotten before.
func TestTheIDOfANamesakeIsOfItsPhysicalID(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		long := strings.Repeat("a", 60)
		adopt(t, s, request("0x1", "zigbee", "office"), request("0x3", "zigbee", "office"), request("0x4", "zigbee", long))
		got := adopt(t, s, request("0x2", "zigbee", "office"), request("0x5", "zigbee", long))
		if want := []string{"office-1b9efc", long[:53] + "-7f0b5f"}; !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}

func TestConcurrentAdoptsAgree(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		var wg sync.WaitGroup
		got := make([]string, 8)
		for i := range got {
			wg.Go(func() {
				ids, err := s.AdoptDevices(t.Context(), []store.DeviceRequest{request("0x1", "zigbee", "office"), request(fmt.Sprintf("own %d", i), "edge", "own")}, noon)
				if err != nil {
					t.Error(err)
					return
				}
				got[i] = ids[0].Device
			})
		}
		wg.Wait()
		if len(slices.Compact(slices.Clone(got))) != 1 {
			t.Errorf("0x1 is bound to several devices: %v", got)
		}
		ids, err := s.DeviceIDs(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		devices := map[string]bool{}
		for _, id := range ids {
			devices[id.Device] = true
		}
		if len(ids) != 9 || len(devices) != 9 {
			t.Errorf("%d physical ids have %d devices, want 9 and 9", len(ids), len(devices))
		}
	})
}

func TestAReplacementGetsTheUnboundDevice(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		adopt(t, s, request("0x1", "zigbee", "garage"))
		id := store.DeviceID{Physical: "0x1", Device: "garage", Name: "Garage door", About: json.RawMessage(`{}`)}
		if err := s.DescribeDevices(t.Context(), []store.DeviceID{id}); err != nil {
			t.Fatal(err)
		}
		if err := s.UnbindDevices(t.Context(), []string{"0x1"}, noon.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		next := request("0x2", "zigbee", "garage-door")
		next.Name = "Garage door"
		if got := adopt(t, s, next); got[0] != "garage" {
			t.Errorf("the replacement is %v, want garage", got)
		}
		ds, err := s.Devices(t.Context())
		if err != nil || len(ds) != 1 || ds[0].Name != "Garage door" {
			t.Errorf("%+v, %v", ds, err)
		}
	})
}

func TestKnownMappingsAreStored(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		for _, want := range [][]string{nil, {"a", "b"}, {"c"}, nil} {
			if err := s.SetNamedMappings(t.Context(), want); err != nil {
				t.Fatal(err)
			}
			if got, err := s.NamedMappings(t.Context()); err != nil || !slices.Equal(got, want) {
				t.Errorf("%v, %v, want %v", got, err, want)
			}
			found := append(slices.Clone(want), "z")
			if err := s.SetFoundMappings(t.Context(), found); err != nil {
				t.Fatal(err)
			}
			if got, err := s.FoundMappings(t.Context()); err != nil || !slices.Equal(got, found) {
				t.Errorf("found %v, %v, want %v", got, err, found)
			}
		}
	})
}

// saveDevices stores a change as ingest does.
func saveDevices(ctx context.Context, st *store.Store, c store.DeviceChange) error {
	return st.Commit(ctx, "store the states of devices", store.Batch{}, func(ctx context.Context, tx *store.Tx) error { return tx.SaveDevices(ctx, c) })
}

// A thousand rooms may each have a sensor of the same name.
func TestThousandsOfDevicesHaveOneName(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		const n = 1500
		for first := 0; first < n; first += 100 {
			var rs []store.DeviceRequest
			for i := first; i < first+100; i++ {
				rs = append(rs, request(fmt.Sprintf("topic/home/%d/temp", i), "mapped", "temp"))
			}
			adopt(t, s, rs...)
		}
		got := adopt(t, s, request("topic/home/0/temp", "mapped", "temp"), request("topic/home/1499/temp", "mapped", "temp"), request("topic/temp", "mapped", "temp"))
		if want := []string{"temp", "temp-fce8b7", "temp-6a04b0"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}
