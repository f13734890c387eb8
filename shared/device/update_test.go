package device

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/quality"
)

func TestAnUpdateThatWasNotStoredIsForgotten(t *testing.T) {
	h := newHarness(t)
	h.update(func(u *Update) {
		h.adopt(u, "a")
		h.set(u, "a", "x", 5, noon)
	})
	u := h.begin()
	h.set(u, "a", "x", 6, noon.Add(time.Minute))
	if c := u.Done(nil); len(c.States) != 1 || c.States[0].Value != 6 || c.Function != "sensors" || c.Writer == "" {
		t.Errorf("%+v", c)
	}
	u.Stored(errUnreachable)
	u = h.begin()
	if m := u.Known(h.device(u, "a"), "x"); m.State.Value != 5 {
		t.Errorf("%+v", m.State)
	}
	h.set(u, "a", "x", 7, noon.Add(time.Minute))
	if c := u.Done(errUnreachable); len(c.States) != 0 {
		t.Errorf("%+v", c)
	}
	h.update(func(u *Update) {
		if m := u.Known(h.device(u, "a"), "x"); m.State.Value != 5 || u.Depends() {
			t.Errorf("%+v", m.State)
		}
	})
}

func TestAStateIsStoredOncePerUpdate(t *testing.T) {
	h := newHarness(t)
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

func TestAnUpdateDependsOnAnUnstoredOneWhoseStateItUses(t *testing.T) {
	h := newHarness(t)
	h.update(func(u *Update) { h.adopt(u, "a", "b") })
	first := h.begin()
	h.set(first, "a", "x", 5, noon)
	c := first.Done(nil)
	second := h.begin()
	h.set(second, "b", "x", 5, noon)
	if second.Depends() {
		t.Error("it depends on an update of another device")
	}
	for range 2 {
		second.Metric(h.device(second, "a"), "x")
	}
	if !second.Depends() || len(second.dependsOn) != 1 {
		t.Errorf("depends on %d", len(second.dependsOn))
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := second.Wait(canceled); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	h.store(first, c)
	h.ok(second.Wait(t.Context()))
	third := second.Done(nil)
	h.store(second, third)
	u := h.begin()
	if u.Metric(h.device(u, "a"), "x"); u.Depends() {
		t.Error("it depends on an update that is stored")
	}
	u.Done(nil)
	u.Stored(nil)
}

func TestAnUpdateFailsIfOneThatItDependsOnFails(t *testing.T) {
	h := newHarness(t)
	h.update(func(u *Update) { h.adopt(u, "a") })
	first := h.begin()
	h.set(first, "a", "x", 5, noon)
	first.Done(nil)
	second := h.begin()
	second.Metric(h.device(second, "a"), "x")
	second.Done(nil)
	first.Stored(errUnreachable)
	if err := second.Wait(t.Context()); !errors.Is(err, errUnreachable) {
		t.Error(err)
	}
	second.Stored(errUnreachable)
}

// TestAnotherWriterIsNoticed: while one pod takes over from another, both write.
// Neither may use the states that it has in memory.
func TestAnotherWriterIsNoticed(t *testing.T) {
	a := newHarness(t)
	a.update(func(u *Update) {
		a.adopt(u, "d")
		a.set(u, "d", "x", 1, noon)
	})
	b := &harness{t: t, st: a.st, r: &Register{Function: "sensors"}, now: noon}
	for i, h := range []*harness{b, a, a, b, b, a} {
		h.update(func(u *Update) {
			if m := u.Known(h.device(u, "d"), "x"); m.State.Value != float64(i+1) {
				t.Errorf("update %d reads the state %v, want %d", i, m.State.Value, i+1)
			}
			h.set(u, "d", "x", float64(i+2), noon.Add(time.Duration(i+1)*time.Minute))
		})
	}
}

// TestAReloadWaitsForUnstoredUpdates: else it would miss their states.
func TestAReloadWaitsForUnstoredUpdates(t *testing.T) {
	h := newHarness(t)
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
		t.Fatal("it read the states while an update of its own was unstored")
	}
	h.store(slow, c)
	h.update(func(u *Update) {
		if m := u.Known(h.device(u, "d"), "x"); m == nil || m.State.Value != 7 {
			t.Errorf("%+v", m)
		}
	})
	if len(h.r.unstored) != 1 {
		t.Errorf("%d unstored updates are remembered, want only the last", len(h.r.unstored))
	}
}

func TestPendingOutliersSurviveAReload(t *testing.T) {
	h := newHarness(t)
	h.update(func(u *Update) {
		h.adopt(u, "d")
		h.set(u, "d", "x", 5, noon)
	})
	judge := func(minute int) (v quality.Verdict) {
		h.update(func(u *Update) {
			m := u.Metric(h.device(u, "d"), "x")
			if v = m.Judge(&catalogue.Field{Key: "x", Max: 1000, Step: 10}, 500, noon.Add(time.Duration(minute)*time.Minute), true); v.Outlier {
				m.AddOutlier(&quality.Flagged{})
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

func TestTheRegisterIsUsableAfterTheStoreFailed(t *testing.T) {
	h := newHarness(t)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.r.Update(canceled, h.st, noon); err == nil {
		t.Fatal("an update although the register could not be read")
	}
	h.update(func(u *Update) { h.adopt(u, "a") })
}
