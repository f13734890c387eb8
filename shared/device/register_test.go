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
	"github.com/hearth-home/hearth/shared/quality"
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
	err := h.st.SaveDevices(h.t.Context(), c)
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

func TestWhatWasNotStoredIsForgotten(t *testing.T) {
	h := newHouse(t)
	h.update(func(u *Update) {
		h.adopt(u, "a")
		h.set(u, "a", "x", 5, noon)
	})
	u := h.begin()
	h.set(u, "a", "x", 6, noon.Add(time.Minute))
	if c := u.Done(nil); len(c.States) != 1 || c.States[0].Value != 6 || c.Function != "sensors" || c.Writer == "" {
		t.Errorf("%+v", c)
	}
	u.Stored(errAway)
	u = h.begin()
	if m := u.Known(h.thing(u, "a"), "x"); m.State.Value != 5 {
		t.Errorf("%+v", m.State)
	}
	h.set(u, "a", "x", 7, noon.Add(time.Minute))
	if c := u.Done(errAway); len(c.States) != 0 {
		t.Errorf("%+v", c)
	}
	h.update(func(u *Update) {
		if m := u.Known(h.thing(u, "a"), "x"); m.State.Value != 5 || u.Depends() {
			t.Errorf("%+v", m.State)
		}
	})
}

func TestAStateIsStoredOncePerUpdate(t *testing.T) {
	h := newHouse(t)
	h.update(func(u *Update) { h.adopt(u, "a") })
	u := h.begin()
	h.set(u, "a", "x", 5, noon)
	h.set(u, "a", "x", 6, noon)
	h.set(u, "a", "y", 7, noon)
	if u.Depends() {
		t.Error("an update depends on itself")
	}
	c := u.Done(nil)
	if len(c.States) != 2 {
		t.Errorf("%+v", c.States)
	}
	h.store(u, c)
}

func TestWhatDependsOnWhat(t *testing.T) {
	h := newHouse(t)
	h.update(func(u *Update) { h.adopt(u, "a", "b") })
	first := h.begin()
	h.set(first, "a", "x", 5, noon)
	c := first.Done(nil)
	second := h.begin()
	h.set(second, "b", "x", 5, noon)
	if second.Depends() {
		t.Error("of another device")
	}
	for range 2 {
		second.Metric(h.thing(second, "a"), "x")
	}
	if !second.Depends() || len(second.dependsOn) != 1 {
		t.Errorf("depends on %d", len(second.dependsOn))
	}
	away, cancel := context.WithCancel(t.Context())
	cancel()
	if err := second.Wait(away); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	h.store(first, c)
	h.ok(second.Wait(t.Context()))
	third := second.Done(nil)
	h.store(second, third)
	u := h.begin()
	if u.Metric(h.thing(u, "a"), "x"); u.Depends() {
		t.Error("what is stored is nobody's word")
	}
	u.Done(nil)
	u.Stored(nil)
}

func TestWhoDependsOnWhatFailedFailsToo(t *testing.T) {
	h := newHouse(t)
	h.update(func(u *Update) { h.adopt(u, "a") })
	first := h.begin()
	h.set(first, "a", "x", 5, noon)
	first.Done(nil)
	second := h.begin()
	second.Metric(h.thing(second, "a"), "x")
	second.Done(nil)
	first.Stored(errAway)
	if err := second.Wait(t.Context()); !errors.Is(err, errAway) {
		t.Error(err)
	}
	second.Stored(errAway)
}

// TestAnotherWriterIsNoticed: while one pod takes over from another both write, and
// neither goes by what it remembers.
func TestAnotherWriterIsNoticed(t *testing.T) {
	a := newHouse(t)
	a.update(func(u *Update) {
		a.adopt(u, "d")
		a.set(u, "d", "x", 1, noon)
	})
	b := &house{t: t, st: a.st, r: &Register{Function: "sensors"}, now: noon}
	for i, h := range []*house{b, a, a, b, b, a} {
		h.update(func(u *Update) {
			if m := u.Known(h.thing(u, "d"), "x"); m.State.Value != float64(i+1) {
				t.Errorf("update %d goes by %v", i, m.State.Value)
			}
			h.set(u, "d", "x", float64(i+2), noon.Add(time.Duration(i+1)*time.Minute))
		})
	}
}

// TestWhoReadsAnewWaitsForItsOwn: what is being stored would be missed in what is
// read.
func TestWhoReadsAnewWaitsForItsOwn(t *testing.T) {
	h := newHouse(t)
	h.update(func(u *Update) { h.adopt(u, "d") })
	slow := h.begin()
	h.set(slow, "d", "x", 7, noon)
	c := slow.Done(nil)
	if _, err := h.st.ClaimDevices(t.Context(), "sensors", "another process"); err != nil {
		t.Fatal(err)
	}
	soon, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if u, err := h.r.Update(soon, h.st, noon); err == nil || u != nil {
		t.Fatal("read while its own batch was under way")
	}
	h.store(slow, c)
	h.update(func(u *Update) {
		if m := u.Known(h.thing(u, "d"), "x"); m == nil || m.State.Value != 7 {
			t.Errorf("%+v", m)
		}
	})
	if len(h.r.unstored) != 1 {
		t.Errorf("%d updates are remembered", len(h.r.unstored))
	}
}

func TestPendingOutliersOutliveAReload(t *testing.T) {
	h := newHouse(t)
	h.update(func(u *Update) {
		h.adopt(u, "d")
		h.set(u, "d", "x", 5, noon)
	})
	judge := func(minute int) (v quality.Verdict) {
		h.update(func(u *Update) {
			m := u.Metric(h.thing(u, "d"), "x")
			if v = m.Judge(&catalogue.Field{Key: "x", Max: 1000, Step: 10}, 500, noon.Add(time.Duration(minute)*time.Minute), true); v.Outlier {
				m.Pend(&quality.Flagged{})
			}
		})
		return v
	}
	judge(1)
	judge(2)
	if _, err := h.st.ClaimDevices(t.Context(), "sensors", "another process"); err != nil {
		t.Fatal(err)
	}
	if v := judge(3); len(v.Confirmed) != 2 {
		t.Errorf("%+v", v)
	}
}

func TestAStoreThatIsAwayLeavesTheRegisterUsable(t *testing.T) {
	h := newHouse(t)
	away, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.r.Update(away, h.st, noon); err == nil {
		t.Fatal("an update of what could not be read")
	}
	h.update(func(u *Update) { h.adopt(u, "a") })
}
