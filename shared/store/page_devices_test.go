package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

func TestWhatThePageSavesOfADeviceStaysUnlessHearthYMLSaysOtherwise(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		adopt(t, s, request("0x1", "zigbee", "fridge"))
		check := func(step, name, room string) {
			t.Helper()
			ds, err := s.Devices(t.Context())
			if err != nil || ds[0].Name != name || ds[0].Room != room {
				t.Errorf("%s: %+v, %v, want %s in %q", step, ds, err, name, room)
			}
		}
		save := func(p store.PageDevice, mapped bool) error {
			p.Since = noon
			return s.SavePageDevice(t.Context(), p, mapped)
		}
		configure := func(ds ...store.DeviceSetting) {
			t.Helper()
			if err := s.ConfigureDevices(t.Context(), ds, noon.Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
		}
		if err := save(store.PageDevice{Device: "fridge", Name: "The fridge", Room: "Kitchen"}, false); err != nil {
			t.Fatal(err)
		}
		check("saved", "The fridge", "Kitchen")
		configure()
		check("hearth.yml without it", "The fridge", "Kitchen")
		configure(store.DeviceSetting{Device: "fridge", Room: "Cellar", Kind: "mapped"})
		check("hearth.yml has a room", "The fridge", "Cellar")
		configure()
		check("hearth.yml has it no more", "The fridge", "Kitchen")
		if err := save(store.PageDevice{Device: "fridge", Name: "Fridge"}, false); err != nil {
			t.Fatal(err)
		}
		check("saved again", "Fridge", "")
		if err := save(store.PageDevice{Device: "nobody", Name: "x"}, false); err == nil || !strings.Contains(err.Error(), "no device") {
			t.Errorf("a device that is unknown: %v", err)
		}
		if err := save(store.PageDevice{Device: "nobody"}, false); err != nil { // dismissed
			t.Error(err)
		}
		if err := save(store.PageDevice{Device: "oven", Name: "Oven", Room: "Kitchen"}, true); err != nil {
			t.Error(err)
		}
		if err := save(store.PageDevice{Topic: "home/oven", Mapping: "- topic: home/oven\n  fields: {t: $.t}\n"}, true); err != nil {
			t.Error(err)
		}
		all, err := s.PageDevices(t.Context())
		if err != nil || len(all) != 4 || all[3].Topic != "home/oven" || all[0].Device != "fridge" || !all[0].Since.Equal(noon) {
			t.Errorf("%+v, %v", all, err)
		}
		if _, err := s.ForgetDevices(t.Context(), []string{"fridge"}); err != nil {
			t.Fatal(err)
		}
		if all, _ = s.PageDevices(t.Context()); len(all) != 3 {
			t.Errorf("after it is forgotten: %+v", all)
		}
	})
}
