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
	noon    = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	errAway = errors.New("it went away")
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

// house is a register and its store.
type house struct {
	t   *testing.T
	st  *store.Store
	r   *Register
	now time.Time
}

func newHouse(t *testing.T) *house {
	return &house{t: t, st: open(t), r: &Register{Function: "sensors"}, now: noon}
}

// update changes the register and stores it.
func (h *house) update(change func(*Update)) {
	h.t.Helper()
	u := h.begin()
	change(u)
	h.store(u, u.Done(nil))
}

func (h *house) begin() *Update {
	h.t.Helper()
	u, err := h.r.Update(h.t.Context(), h.st, h.now)
	if err != nil {
		h.t.Fatal(err)
	}
	return u
}

func (h *house) store(u *Update, c store.DeviceChange) {
	h.t.Helper()
	err := saveDevices(h.t.Context(), h.st, c)
	if u.Stored(err); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) ok(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// adopt makes devices of physical things.
func (h *house) adopt(u *Update, physical ...string) {
	h.t.Helper()
	var requests []store.DeviceRequest
	for _, p := range physical {
		requests = append(requests, store.DeviceRequest{Physical: "edge/" + p, Kind: "edge", Device: p, Name: p})
	}
	h.ok(u.Adopt(h.t.Context(), requests))
}

func (h *house) thing(u *Update, name string) *Thing {
	h.t.Helper()
	b := u.Find([]byte("edge/" + name))
	if b == nil {
		h.t.Fatalf("nobody knows %s", name)
	}
	return b.Thing
}

// set makes a number the state of a metric.
func (h *house) set(u *Update, name, key string, v float64, at time.Time) {
	h.t.Helper()
	m := u.Metric(h.thing(u, name), key)
	m.Judge(&catalogue.Field{Key: key, Max: 1000, Step: 10}, v, at, true)
	m.State.Value, m.State.Time, m.State.Arrived, m.State.Changed, m.State.Quality = v, at, at, at, "ok"
	u.Changed(m)
}

func TestAThingStaysTheDeviceThatItBecame(t *testing.T) {
	h := newHouse(t)
	h.update(func(u *Update) {
		if before := u.Changes(); u.Find([]byte("edge/a")) != nil || before == 0 {
			t.Error("known before it was adopted")
		}
		changes := u.Changes()
		h.adopt(u, "a", "b")
		if u.Changes() != changes+1 || h.thing(u, "a").ID != "a" {
			t.Errorf("%d changes", u.Changes())
		}
		h.adopt(u)
		if u.Changes() != changes+1 {
			t.Error("nothing was adopted")
		}
	})
	again := &house{t: t, st: h.st, r: &Register{Function: "sensors"}, now: noon}
	again.update(func(u *Update) {
		var all []string
		for b := range u.Bound {
			all = append(all, b.Physical)
		}
		if slices.Sort(all); !slices.Equal(all, []string{"edge/a", "edge/b"}) {
			t.Errorf("%q", all)
		}
		for b := range u.Bound { // a search may end early
			if b != nil {
				break
			}
		}
	})
}

func TestLabels(t *testing.T) {
	h := newHouse(t)
	h.update(func(u *Update) {
		h.adopt(u, "a")
		a := h.thing(u, "a")
		if got := fmt.Sprint(a.Labels(false), a.Labels(true)); got != "map[device:a] map[device:a sample:true]" {
			t.Error(got)
		}
	})
}

func TestWhoIsNotAdopted(t *testing.T) {
	h := newHouse(t)
	h.update(func(u *Update) {
		h.ok(u.Adopt(t.Context(), []store.DeviceRequest{
			{Physical: "edge/\x00", Device: "x", Name: "x"}, {Physical: "edge/y", Device: "y", Name: "bell\a"}, {Physical: "edge/z", Device: "z", Name: "z"},
		}))
		if u.Find([]byte("edge/y")) != nil || u.Find([]byte("edge/\x00")) != nil || u.Find([]byte("edge/z")) == nil {
			t.Error("names with control characters are refused, and no others")
		}
		if err := u.Refused([]byte("edge/\x00")); err == nil || errors.Is(err, ErrFull) {
			t.Error(err)
		}
		if err := u.Refused([]byte("edge/q")); !errors.Is(err, ErrFull) {
			t.Error(err)
		}
	})
}

func TestTheRegisterHasRoomForSoManyDevices(t *testing.T) {
	h := newHouse(t)
	h.update(func(u *Update) {
		var names []string
		for i := range maxDevices + 2 {
			names = append(names, fmt.Sprint("d", i))
		}
		h.adopt(u, names[:3]...)
		h.adopt(u, names[3:]...)
		n := 0
		for range u.Bound {
			n++
		}
		if n != maxDevices || u.Find([]byte("edge/d1999")) == nil || u.Find([]byte("edge/d2000")) != nil {
			t.Errorf("%d devices", n)
		}
		h.adopt(u, "late")
		if u.Find([]byte("edge/late")) != nil {
			t.Error("one more than there is room for")
		}
	})
}

func TestRoomForMetrics(t *testing.T) {
	h := newHouse(t)
	h.update(func(u *Update) {
		h.adopt(u, "a")
		a := h.thing(u, "a")
		for more, ok := range map[int]bool{0: true, maxMetrics: true, maxMetrics + 1: false} {
			if err := u.Room(a, more); (err == nil) != ok {
				t.Errorf("%d more: %v", more, err)
			}
		}
		u.Metric(a, "x")
		u.Metric(a, "x")
		if err := u.Room(a, maxMetrics); err == nil || !strings.Contains(err.Error(), "a has more than 250 metrics") {
			t.Error(err)
		}
		h.r.series = maxSeries - 1
		if err := errors.Join(u.Room(a, 1), u.Room(a, 0)); err != nil {
			t.Error(err)
		}
		if err := u.Room(a, 2); !errors.Is(err, ErrFull) {
			t.Error(err)
		}
		u.Metric(a, "y")
		if err := u.Room(a, 1); !errors.Is(err, ErrFull) {
			t.Error(err)
		}
		if err := u.Room(a, 0); err != nil {
			t.Errorf("what it has is no more: %v", err)
		}
	})
}

func TestLeaveDescribeAndConfigure(t *testing.T) {
	h := newHouse(t)
	h.update(func(u *Update) {
		h.adopt(u, "a", "b")
		changes := u.Changes()
		h.ok(u.Leave(t.Context(), []string{"edge/b"}))
		h.ok(u.Describe(t.Context(), []store.DeviceID{{Physical: "edge/a", Device: "a", Name: "the new a", About: json.RawMessage(`{"x":1}`)}, {Physical: "edge/q", Name: "q", About: json.RawMessage(`{}`)}}))
		if b := u.Find([]byte("edge/a")); b.Name != "the new a" || string(b.About) != `{"x":1}` || u.Find([]byte("edge/b")) != nil || u.Changes() != changes+2 {
			t.Errorf("%+v, %d changes", b, u.Changes()-changes)
		}
	})
	h.now = noon.Add(time.Second)
	h.update(func(u *Update) {
		changes := u.Changes()
		h.ok(u.Configure(t.Context(), []store.DeviceSetting{{Device: "hall", Name: "Hall", Physical: []string{"edge/a"}}}))
		if got := h.thing(u, "a").ID; got != "hall" || u.Changes() != changes+1 {
			t.Errorf("edge/a is %s, %d changes", got, u.Changes()-changes)
		}
	})
}

func TestIDsAreReadAgainEveryMinute(t *testing.T) {
	h := newHouse(t)
	h.update(func(u *Update) { h.adopt(u, "a") })
	other := &house{t: t, st: h.st, r: &Register{Function: "zigbee"}, now: noon}
	other.update(func(u *Update) { other.adopt(u, "b") })
	for _, tc := range []struct {
		after time.Duration
		known bool
	}{{0, false}, {lookAgain - 1, false}, {lookAgain, true}} {
		h.now = noon.Add(tc.after)
		h.update(func(u *Update) {
			if known := u.Find([]byte("edge/b")) != nil; known != tc.known {
				t.Errorf("after %s what another function adopted is known: %v", tc.after, known)
			}
		})
	}
	other.update(func(u *Update) { other.adopt(u, "c") })
	h.now = noon // the clock was set back
	h.update(func(u *Update) {
		if u.Find([]byte("edge/c")) == nil {
			t.Error("after the clock was set back nothing is read for as long")
		}
	})
}

func TestStatesOutliveTheProcess(t *testing.T) {
	h := newHouse(t)
	h.update(func(u *Update) {
		h.adopt(u, "a")
		h.set(u, "a", "x", 5, noon)
		u.Metric(h.thing(u, "a"), "never stored")
	})
	h.r = &Register{Function: "sensors"}
	h.update(func(u *Update) {
		m := u.Known(h.thing(u, "a"), "x")
		if m == nil || m.State.Value != 5 || m.Good != 5 || !m.GoodTime.Equal(noon) || h.r.series != 1 {
			t.Errorf("%+v, %d series", m, h.r.series)
		}
	})
}

// saveDevices stores a change as ingest does.
func saveDevices(ctx context.Context, st *store.Store, c store.DeviceChange) error {
	return st.Commit(ctx, "store what devices say", nil, func(ctx context.Context, tx *store.Tx) error { return tx.SaveDevices(ctx, c) })
}
