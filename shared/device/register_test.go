package device

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
)

var (
	noon           = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	errUnreachable = errors.New("the database cannot be reached")
)

func open(t *testing.T) *store.Store {
	t.Helper()
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hearth.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st
}

// harness is a register and its store.
type harness struct {
	t   *testing.T
	st  *store.Store
	r   *Register
	now time.Time
}

func newHarness(t *testing.T) *harness {
	return &harness{t: t, st: open(t), r: &Register{Function: "sensors"}, now: noon}
}

// update changes the register and stores it.
func (h *harness) update(change func(*Update)) {
	h.t.Helper()
	u := h.begin()
	change(u)
	h.store(u, u.Done(nil))
}

func (h *harness) begin() *Update {
	h.t.Helper()
	u, err := h.r.Update(h.t.Context(), h.st, h.now)
	if err != nil {
		h.t.Fatal(err)
	}
	return u
}

func (h *harness) store(u *Update, c store.DeviceChange) {
	h.t.Helper()
	err := saveDevices(h.t.Context(), h.st, c)
	if u.Stored(err); err != nil {
		h.t.Fatal(err)
	}
}

func (h *harness) ok(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// adopt makes devices of physical ids.
func (h *harness) adopt(u *Update, physical ...string) {
	h.t.Helper()
	var requests []store.DeviceRequest
	for _, p := range physical {
		requests = append(requests, store.DeviceRequest{Physical: "edge/" + p, Kind: "edge", Device: p, Name: p})
	}
	h.ok(u.Adopt(h.t.Context(), requests))
}

func (h *harness) device(u *Update, name string) *Device {
	h.t.Helper()
	b := u.Find([]byte("edge/" + name))
	if b == nil {
		h.t.Fatalf("%s is bound to no device", name)
	}
	return b.Logical
}

// set makes a number the state of a metric.
func (h *harness) set(u *Update, name, key string, v float64, at time.Time) {
	h.t.Helper()
	m := u.Metric(h.device(u, name), key)
	m.Judge(&catalogue.Field{Key: key, Max: 1000, Step: 10}, v, at, true)
	m.State.Value, m.State.Time, m.State.Arrived, m.State.Changed, m.State.Quality = v, at, at, at, "ok"
	u.Changed(m)
}

func TestAPhysicalIDStaysBoundToItsDevice(t *testing.T) {
	h := newHarness(t)
	h.update(func(u *Update) {
		if before := u.Version(); u.Find([]byte("edge/a")) != nil || before == 0 {
			t.Error("bound before it was adopted")
		}
		before := u.Version()
		h.adopt(u, "a", "b")
		if u.Version() != before+1 || h.device(u, "a").ID != "a" {
			t.Errorf("version %d", u.Version())
		}
		h.adopt(u)
		if u.Version() != before+1 {
			t.Error("the version grew although nothing was adopted")
		}
	})
	again := &harness{t: t, st: h.st, r: &Register{Function: "sensors"}, now: noon}
	again.update(func(u *Update) {
		var all []string
		for b := range u.Bindings {
			all = append(all, b.Physical)
		}
		if slices.Sort(all); !slices.Equal(all, []string{"edge/a", "edge/b"}) {
			t.Errorf("%q", all)
		}
		for b := range u.Bindings { // a caller may stop the iteration
			if b != nil {
				break
			}
		}
	})
}

func TestLabels(t *testing.T) {
	h := newHarness(t)
	h.update(func(u *Update) {
		h.adopt(u, "a")
		a := h.device(u, "a")
		if got := fmt.Sprint(a.Labels(false), a.Labels(true)); got != "map[device:a] map[device:a sample:true]" {
			t.Error(got)
		}
	})
}

func TestNamesWithControlCharactersAreNotAdopted(t *testing.T) {
	h := newHarness(t)
	h.update(func(u *Update) {
		h.ok(u.Adopt(t.Context(), []store.DeviceRequest{
			{Physical: "edge/\x00", Device: "x", Name: "x"}, {Physical: "edge/y", Device: "y", Name: "bell\a"}, {Physical: "edge/z", Device: "z", Name: "z"},
		}))
		if u.Find([]byte("edge/y")) != nil || u.Find([]byte("edge/\x00")) != nil || u.Find([]byte("edge/z")) == nil {
			t.Error("want exactly the names with control characters refused")
		}
		if err := u.Refused([]byte("edge/\x00"), "edge", "hearth/pi4"); err == nil || errors.Is(err, errFull) {
			t.Error(err)
		}
		if err := u.Refused([]byte("edge/q"), "edge", "hearth/pi4"); !errors.Is(err, errFull) {
			t.Error(err)
		}
	})
}

func TestTheNumberOfMetricsIsLimited(t *testing.T) {
	h := newHarness(t)
	h.update(func(u *Update) {
		h.adopt(u, "a")
		a := h.device(u, "a")
		for more, ok := range map[int]bool{0: true, maxMetrics: true, maxMetrics + 1: false} {
			if err := u.CheckCapacity(a, more); (err == nil) != ok {
				t.Errorf("%d more: %v", more, err)
			}
		}
		u.Metric(a, "x")
		u.Metric(a, "x")
		if err := u.CheckCapacity(a, maxMetrics); err == nil || !strings.Contains(err.Error(), "a has more than 250 metrics") {
			t.Error(err)
		}
		h.r.rooms.metricsOf("sensors").add("", maxSeries-2)
		if err := errors.Join(u.CheckCapacity(a, 1), u.CheckCapacity(a, 0)); err != nil {
			t.Error(err)
		}
		if err := u.CheckCapacity(a, 2); !errors.Is(err, errFull) {
			t.Error(err)
		}
		u.Metric(a, "y")
		if err := u.CheckCapacity(a, 1); !errors.Is(err, errFull) {
			t.Error(err)
		}
		if err := u.CheckCapacity(a, 0); err != nil {
			t.Errorf("a full register must take reports without new metrics: %v", err)
		}
	})
}

func TestUnbindDescribeAndConfigure(t *testing.T) {
	h := newHarness(t)
	h.update(func(u *Update) {
		h.adopt(u, "a", "b")
		before := u.Version()
		h.ok(u.Unbind(t.Context(), []string{"edge/b"}))
		h.ok(u.Describe(t.Context(), []store.DeviceID{{Physical: "edge/a", Device: "a", Name: "the new a", About: json.RawMessage(`{"x":1}`)}, {Physical: "edge/q", Name: "q", About: json.RawMessage(`{}`)}}))
		if b := u.Find([]byte("edge/a")); b.Name != "the new a" || string(b.About) != `{"x":1}` || u.Find([]byte("edge/b")) != nil || u.Version() != before+2 {
			t.Errorf("%+v, version grew by %d", b, u.Version()-before)
		}
	})
	h.now = noon.Add(time.Second)
	h.update(func(u *Update) {
		before := u.Version()
		h.ok(u.Configure(t.Context(), []store.DeviceSetting{{Device: "hall", Name: "Hall", Physical: []string{"edge/a"}}}))
		if got := h.device(u, "a").ID; got != "hall" || u.Version() != before+1 {
			t.Errorf("edge/a is %s, the version grew by %d", got, u.Version()-before)
		}
	})
}

func TestBindingsAreReadAgainEveryMinute(t *testing.T) {
	h := newHarness(t)
	h.update(func(u *Update) { h.adopt(u, "a") })
	other := &harness{t: t, st: h.st, r: &Register{Function: "zigbee"}, now: noon}
	other.update(func(u *Update) { other.adopt(u, "b") })
	for _, tc := range []struct {
		after time.Duration
		known bool
	}{{0, false}, {refreshEvery - 1, false}, {refreshEvery, true}} {
		h.now = noon.Add(tc.after)
		h.update(func(u *Update) {
			if known := u.Find([]byte("edge/b")) != nil; known != tc.known {
				t.Errorf("%s after the last read, the device that another function adopted is known: %v, want %v", tc.after, known, tc.known)
			}
		})
	}
	other.update(func(u *Update) { other.adopt(u, "c") })
	h.now = noon // the clock was set back
	h.update(func(u *Update) {
		if u.Find([]byte("edge/c")) == nil {
			t.Error("after the clock was set back the bindings must be read at once")
		}
	})
}

func TestStatesSurviveARestart(t *testing.T) {
	h := newHarness(t)
	h.update(func(u *Update) {
		h.adopt(u, "a")
		h.set(u, "a", "x", 5, noon)
		u.Metric(h.device(u, "a"), "never stored")
	})
	h.r = &Register{Function: "sensors"}
	h.update(func(u *Update) {
		m := u.Known(h.device(u, "a"), "x")
		if m == nil || m.State.Value != 5 || m.Good != 5 || !m.GoodTime.Equal(noon) || h.r.rooms.metricsOf("sensors").used != 1 {
			t.Errorf("%+v, %+v", m, h.r.rooms)
		}
	})
}

// saveDevices stores a change as ingest does.
func saveDevices(ctx context.Context, st *store.Store, c store.DeviceChange) error {
	return st.Commit(ctx, "store device states", store.Batch{}, func(ctx context.Context, tx *store.Tx) error { return tx.SaveDevices(ctx, c) })
}
