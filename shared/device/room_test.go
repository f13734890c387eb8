package device

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

// flood asks for devices until 4000 were asked for, in batches, as messages come in.
func (h *harness) flood(kind string, topic func(i int) string) {
	h.t.Helper()
	for first := 0; first < 4000; first += 500 {
		h.update(func(u *Update) {
			var rs []store.DeviceRequest
			for i := range 500 {
				at := topic(first + i)
				rs = append(rs, store.DeviceRequest{Physical: kind + "/" + at, Kind: kind, Device: ID(at), Name: at, Publisher: PublisherOf(at)})
			}
			h.ok(u.Adopt(h.t.Context(), rs))
		})
	}
}

// takes asks for one device and returns why it was refused.
func (h *harness) takes(kind, topic string) (refused error) {
	h.t.Helper()
	h.update(func(u *Update) {
		physical := kind + "/" + topic
		h.ok(u.Adopt(h.t.Context(), []store.DeviceRequest{{Physical: physical, Kind: kind, Device: ID(topic), Name: topic, Publisher: PublisherOf(topic)}}))
		if u.Find([]byte(physical)) == nil {
			refused = u.Refused([]byte(physical), kind, PublisherOf(topic))
		}
	})
	return refused
}

func (h *harness) count() (n int) {
	h.t.Helper()
	ds, err := h.st.Devices(h.t.Context())
	h.ok(err)
	return len(ds)
}

func TestANoisyPublisherLeavesRoomForOthers(t *testing.T) {
	digits := func(format string) func(int) string { return func(i int) string { return fmt.Sprintf(format, i) } }
	for name, tc := range map[string]struct {
		kind  string
		noise func(int) string
		most  int      // devices that the noise gets
		cause string   // of what is refused
		good  []string // topics of sensors that are new afterwards
	}{
		"a_node":              {"edge", digits("hearth/evil/d%d"), maxDevices / 2, "devices of hearth/evil/#", []string{"hearth/pi4/air", "hearth/new/air", "tele/plug/SENSOR", "desk"}},
		"a_mapping_with_plus": {"mapped", digits("tele/d%d/SENSOR"), maxDevices / 2, "devices of tele/#", []string{"hearth/pi4/air", "home/kitchen/co2", "desk"}},
		"one_room_of_a_home":  {"mapped", digits("home/evil/d%d"), maxDevices / 3, "devices of home/evil/#", []string{"home/kitchen/co2", "home/pi4/air", "tele/plug"}},
		"a_leading_slash":     {"mapped", digits("/evil/d%d"), maxDevices / 2, "devices of /evil/#", []string{"/home/co2", "desk"}},
		"endless_topics":      {"mapped", digits("d%d"), maxDevices / 5, "devices of further publishers", []string{"known/x", "hearth/known/y"}},
		"endless_nodes":       {"node", digits("hearth/d%d"), maxDevices / 5, "devices of further publishers", []string{"known/x", "hearth/known/y"}},
		"two_topics":          {"mapped", func(i int) string { return fmt.Sprintf("%c/d%d", 'a'+i%2, i) }, maxDevices * 2 / 3, "devices of", []string{"c/d", "known/x"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			for _, known := range []string{"known/a", "hearth/known/a"} {
				h.ok(h.takes("edge", known))
			}
			before := h.count()
			h.flood(tc.kind, tc.noise)
			if n := h.count() - before; n > tc.most || n < tc.most-10 {
				t.Errorf("the noise has %d devices, want at most %d", n, tc.most)
			}
			err := h.takes(tc.kind, tc.noise(5000))
			if !errors.Is(err, errFull) || !strings.Contains(err.Error(), tc.cause) || !strings.Contains(err.Error(), "hearth device forget ") {
				t.Errorf("%v, want %s", err, tc.cause)
			}
			if again := h.takes(tc.kind, tc.noise(5002)); again.Error() != err.Error() {
				t.Errorf("two causes: %v; %v", err, again)
			}
			for _, topic := range tc.good {
				if err := h.takes("edge", topic); err != nil {
					t.Errorf("%s: %v", topic, err)
				}
			}
			zigbee := &harness{t: t, st: h.st, r: &Register{Function: "zigbee"}, now: noon}
			zigbee.flood("zigbee", digits("zigbee2mqtt/d%d"))
			if err := zigbee.takes("zigbee", "attic/plug"); err != nil {
				t.Errorf("another function: %v", err)
			}
			if n := zigbee.count() - h.count(); n != 0 {
				t.Error(n)
			}
		})
	}
}

func TestForgettingMakesRoomAtOnce(t *testing.T) {
	h := newHarness(t)
	h.flood("mapped", func(i int) string { return fmt.Sprintf("tele/d%d/SENSOR", i) })
	if h.takes("mapped", "tele/good/SENSOR") == nil {
		t.Fatal("there is room")
	}
	_, err := h.st.ForgetDevices(t.Context(), []string{ID("tele/d7/SENSOR"), ID("tele/d8/SENSOR")})
	h.ok(err)
	if err := h.takes("mapped", "tele/good/SENSOR"); err != nil {
		t.Error(err)
	}
	if err := h.takes("mapped", "tele/d7/SENSOR"); err != nil { // it still publishes
		t.Error(err)
	}
	if err := h.takes("mapped", "tele/d8/SENSOR"); !errors.Is(err, errFull) {
		t.Error(err)
	}
}

func TestAForgottenDeviceComesBackWithoutItsStates(t *testing.T) {
	h := newHarness(t)
	h.update(func(u *Update) {
		h.adopt(u, "a", "b")
		h.set(u, "a", "x", 5, noon)
	})
	_, err := h.st.ForgetDevices(t.Context(), []string{"a"})
	h.ok(err)
	h.update(func(u *Update) {
		if u.Find([]byte("edge/a")) != nil || u.Find([]byte("edge/b")) == nil {
			t.Error("want a forgotten and b known")
		}
		h.adopt(u, "a")
		if u.Known(h.device(u, "a"), "x") != nil {
			t.Error("it has its old state")
		}
	})
}

func TestWhatIsNoNewDeviceNeedsNoRoom(t *testing.T) {
	h := newHarness(t)
	plug := store.DeviceRequest{Physical: "0x1", Kind: "zigbee", Device: "plug", Name: "Plug", Publisher: "zigbee2mqtt"}
	h.update(func(u *Update) { h.ok(u.Adopt(t.Context(), []store.DeviceRequest{plug})) })
	h.flood("zigbee", func(i int) string { return fmt.Sprintf("zigbee2mqtt/d%d", i) })
	h.ok(h.st.ConfigureDevices(t.Context(), []store.DeviceSetting{{Device: "boiler", Kind: "mapped"}}, noon))
	h.update(func(u *Update) { h.ok(u.Unbind(t.Context(), []string{"0x1"})) })
	h.now = h.now.Add(time.Hour)
	h.update(func(u *Update) {
		plug.Physical = "0x2"
		bridge := store.DeviceRequest{Physical: "attic/bridge", Kind: "bridge", Device: "attic", Name: "attic"}
		boiler := store.DeviceRequest{Physical: "topic/boiler", Kind: "mapped", Device: "boiler", Name: "x", Publisher: "boiler"}
		h.ok(u.Adopt(t.Context(), []store.DeviceRequest{plug, bridge, boiler}))
		var got []string
		for _, p := range []string{"0x2", "attic/bridge", "topic/boiler"} {
			if b := u.Find([]byte(p)); b != nil {
				got = append(got, b.Logical.ID)
			}
		}
		if want := []string{"plug", "attic", "boiler"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
	if err := h.takes("zigbee", "zigbee2mqtt/more"); !errors.Is(err, errFull) {
		t.Error(err)
	}
}

// A list that replaces all devices by others again and again must not fill the table.
func TestDevicesWithoutAPhysicalIDTakeRoom(t *testing.T) {
	h := newHarness(t)
	for list := range 10 {
		h.now = noon.Add(time.Duration(list) * time.Hour)
		h.update(func(u *Update) {
			var gone []string
			for b := range u.Bindings {
				gone = append(gone, b.Physical)
			}
			h.ok(u.Unbind(t.Context(), gone))
			var rs []store.DeviceRequest
			for i := range 300 {
				name := fmt.Sprint(list, "-", i)
				rs = append(rs, store.DeviceRequest{Physical: "0x" + name, Kind: "zigbee", Device: name, Name: name, Publisher: "zigbee2mqtt"})
			}
			h.ok(u.Adopt(t.Context(), rs))
		})
	}
	if n := h.count(); n != maxDevices/2 {
		t.Errorf("%d devices, want %d", n, maxDevices/2)
	}
}

func TestMetricsHaveTheSameShares(t *testing.T) {
	h := newHarness(t)
	h.takes("edge", "hearth/pi4/air")
	h.flood("mapped", func(i int) string { return fmt.Sprintf("tele/d%d/SENSOR", i) })
	h.update(func(u *Update) {
		refused := 0
		for b := range u.Bindings {
			if b.Logical.publisher == "hearth/pi4" {
				continue
			}
			for m := range 100 {
				if err := u.CheckCapacity(b.Logical, 1); err != nil {
					if refused++; !errors.Is(err, errFull) || !strings.Contains(err.Error(), "metrics of tele/#") {
						t.Fatal(err)
					}
					break
				}
				u.Metric(b.Logical, fmt.Sprint("m", m))
			}
		}
		if used := h.r.rooms.metricsOf("sensors").used; used > maxSeries/2 || refused == 0 {
			t.Errorf("%d metrics, %d devices refused", used, refused)
		}
		if err := u.CheckCapacity(u.Find([]byte("edge/hearth/pi4/air")).Logical, maxMetrics); err != nil {
			t.Error(err)
		}
	})
}

func TestPublisherOf(t *testing.T) {
	long := strings.Repeat("ä", 100)
	for topic, want := range map[string]string{
		"desk": "desk", "office/desk": "office/desk", "tele/plug/SENSOR": "tele/plug", "hearth/pi4/air": "hearth/pi4", "/a/b/c": "/a/b", "": "", "/": "/", "//": "//", "a//b": "a/",
		long: long[:120],
	} {
		if got := PublisherOf(topic); got != want {
			t.Errorf("%q: %q, want %q", topic, got, want)
		}
		levels(PublisherOf(topic)) // must not panic
	}
}
