package alarms

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/alert/alerttest"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
)

// rounds returns how many seeds a test runs: few, or as many as CHAOS_SEEDS says.
func rounds(few int) int {
	if n, err := strconv.Atoi(os.Getenv("CHAOS_SEEDS")); err == nil {
		return n
	}
	return few
}

// TestEachFiringIsToldOnceByTwoReplicas: two replicas see the same evidence, at once, twice
// or after the other's crash at any step. Each message is in the outbox once and in order,
// as the reference says.
func TestEachFiringIsToldOnceByTwoReplicas(t *testing.T) {
	for seed := range rounds(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, uint64(seed))
			for range 150 {
				w.step()
			}
			w.deliver()
			w.compare()
		})
	}
}

var errCrash = errors.New("crash")

// world is a store with two replicas of the functions that use it, beside the reference.
type world struct {
	t        *testing.T
	r        *rand.Rand
	path     string
	replicas [2]*store.Store
	house    alert.House
	now      time.Time
	refs     []*alerttest.Reference
	bad      []bool // whether the condition of an alert holds
	want     map[string][]alert.What
	got      map[string][]alert.What
	log      []string
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{t: t, r: rand.New(rand.NewPCG(seed, 11)), path: filepath.Join(t.TempDir(), "hearth.db"), now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC),
		house: alert.House{Destinations: []string{alert.ToSlack}, QuietHours: []alert.QuietHours{{From: 22 * time.Hour, To: 7 * time.Hour}}},
		bad:   make([]bool, 3), want: map[string][]alert.What{}, got: map[string][]alert.What{}}
	for i := range w.replicas {
		w.open(i)
	}
	for i := range w.bad {
		spec := w.spec(i)
		w.refs = append(w.refs, &alerttest.Reference{For: spec.For, ClearFor: spec.ClearFor, Remind: spec.Remind, Critical: spec.Severity == alert.Critical})
	}
	return w
}

func (w *world) open(i int) {
	st, err := sqlite.Open(w.t.Context(), w.path)
	if err != nil {
		w.t.Fatal(err)
	}
	w.replicas[i] = st
	w.t.Cleanup(func() { st.Close() })
}

func (w *world) key(i int) string { return fmt.Sprintf("rule-%d/device", i) }

// spec is one of three rules: one that fires at once, one that waits, a critical one.
func (w *world) spec(i int) alert.Spec {
	return []alert.Spec{
		{Rule: "rule-0", Channel: alert.Devices, Severity: alert.Warning, Remind: 24 * time.Hour},
		{Rule: "rule-1", Channel: alert.Climate, Severity: alert.Warning, For: 15 * time.Minute, ClearFor: 5 * time.Minute},
		{Rule: "rule-2", Channel: alert.Security, Severity: alert.Critical, Remind: time.Hour},
	}[i]
}

// step lets something happen: evidence, a tick, or a delivery.
func (w *world) step() {
	w.now = w.now.Add(time.Duration(1+w.r.IntN(900)) * time.Second)
	switch n := w.r.IntN(10); {
	case n < 6:
		w.observe()
	case n < 9:
		w.tick()
	default:
		w.deliver()
	}
}

// observe makes evidence of some alerts, and hands it to the replicas.
func (w *world) observe() {
	var os []alert.Observation
	for n := 1 + w.r.IntN(4); n > 0; n-- {
		i := w.r.IntN(len(w.bad))
		if w.r.IntN(3) == 0 {
			w.bad[i] = !w.bad[i]
		}
		v := alert.Good
		switch {
		case w.r.IntN(8) == 0:
			v = alert.NoData
		case w.r.IntN(8) == 0:
			v = alert.Between
		case w.bad[i]:
			v = alert.Bad
		}
		o := alert.Observation{Key: w.key(i), Spec: w.spec(i), Verdict: v, At: w.now.Add(-time.Duration(n) * time.Millisecond)}
		os = append(os, o)
		w.refs[i].Evidence(v, o.At)
		w.reference(i)
		w.log = append(w.log, fmt.Sprintf("%s %s %d", w.now.Format("2 15:04:05"), o.Key, v))
	}
	var keys []string
	for _, o := range os {
		if !slices.Contains(keys, o.Key) {
			keys = append(keys, o.Key)
		}
	}
	w.both(func(st *store.Store, crash error) error {
		return w.move(st, crash, keys, func(before map[string]alert.State) ([]alert.State, []alert.Message) {
			return w.house.Move(before, os, w.now)
		})
	})
}

// tick lets time pass for the alerts that are active.
func (w *world) tick() {
	for i := range w.refs {
		w.refs[i].Elapse(w.now)
		w.reference(i)
	}
	w.both(func(st *store.Store, crash error) error {
		active, err := st.ActiveAlerts(w.t.Context())
		if err != nil {
			return err
		}
		var keys []string
		for _, s := range active {
			keys = append(keys, s.Key)
		}
		return w.move(st, crash, keys, func(before map[string]alert.State) ([]alert.State, []alert.Message) {
			var states []alert.State
			for _, k := range keys {
				states = append(states, before[k])
			}
			return w.house.Look(states, func(*alert.State) bool { return true }, w.now)
		})
	})
}

// move moves alerts. With the error crash, the transaction ends with it before its commit.
func (w *world) move(st *store.Store, crash error, keys []string, move store.Move) error {
	return st.Commit(w.t.Context(), "test", store.Batch{}, func(ctx context.Context, tx *store.Tx) error {
		return errors.Join(tx.MoveAlerts(ctx, keys, move), crash)
	})
}

// reference notes what a person must be told of an alert now.
func (w *world) reference(i int) {
	told, _ := w.refs[i].Tell(alerttest.Around{Night: !w.house.QuietUntil(w.now).IsZero()}, w.now)
	if told != "" {
		w.want[w.key(i)] = append(w.want[w.key(i)], told)
	}
}

// both lets the replicas do one piece of work that was handed over at least once: one of
// them, both at once, or one that crashes before or after its commit and then the other.
func (w *world) both(do func(st *store.Store, crash error) error) {
	first := w.r.IntN(2)
	whole := func(i int) {
		if err := do(w.replicas[i], nil); err != nil {
			w.t.Fatal(err)
		}
	}
	switch w.r.IntN(6) {
	case 0: // both at once
		var wg sync.WaitGroup
		for i := range w.replicas {
			wg.Go(func() {
				if err := do(w.replicas[i], nil); err != nil {
					w.t.Error(err)
				}
			})
		}
		wg.Wait()
	case 1: // a crash before the commit
		if err := do(w.replicas[first], errCrash); !errors.Is(err, errCrash) {
			w.t.Fatal(err)
		}
		whole(1 - first)
	case 2: // one whose store is down
		w.replicas[first].Close()
		if err := do(w.replicas[first], nil); err == nil {
			w.t.Fatal("a closed store stored")
		}
		w.open(first)
		whole(1 - first)
	case 3: // a crash after the commit, before the answer: it is done again
		whole(first)
		whole(1 - first)
	default:
		whole(first)
	}
}

// deliver sends what is due.
func (w *world) deliver() {
	st := w.replicas[w.r.IntN(2)]
	for {
		due, err := st.Due(w.t.Context(), w.now, 100)
		if err != nil {
			w.t.Fatal(err)
		}
		if len(due) == 0 {
			return
		}
		for _, m := range due {
			key, _, _ := strings.Cut(m.Key, "#")
			w.got[key] = append(w.got[key], m.What)
			if err := st.Sent(w.t.Context(), []string{m.Key}, nil, w.now); err != nil {
				w.t.Fatal(err)
			}
		}
	}
}

func (w *world) compare() {
	fired := 0
	for i := range w.refs {
		key := w.key(i)
		if !slices.Equal(w.got[key], w.want[key]) {
			w.t.Errorf("%s: told\n%v, want\n%v", key, w.got[key], w.want[key])
		}
		for _, what := range w.got[key] {
			if what == alert.Fired {
				fired++
			}
		}
	}
	if fired < 5 {
		w.t.Errorf("only %d alerts fired: this test tests nothing", fired)
	}
	if w.t.Failed() {
		for _, line := range w.log {
			w.t.Log(line)
		}
	}
}
