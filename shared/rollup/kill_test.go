package rollup

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// TestMain also runs the child process that TestAKilledTick… kills.
func TestMain(m *testing.M) {
	if text := os.Getenv("ROLLUP_TEST_CHILD"); text != "" {
		if err := child(text); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// childsPlace is a place as it is handed to a child process.
type childsPlace struct{ File, URL, Bucket, Dir string }

// child runs one tick without a limit of time, and prints "begins" and "done".
func child(text string) error {
	var c childsPlace
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return err
	}
	ctx := context.Background()
	st, err := place{file: c.File, influx: store.Influx{URL: c.URL, Org: "home", Bucket: c.Bucket}, dir: c.Dir}.open(ctx)
	if err != nil {
		return err
	}
	fmt.Println("begins")
	var r Roller
	if _, err := r.Tick(ctx, st, noon.Add(2*time.Hour)); err != nil {
		return err
	}
	fmt.Println("done")
	return st.Close()
}

// kill starts a child and kills it after it began, after a while. It reports whether the
// child's tick was done by then.
func (h *house) kill(after time.Duration) (done bool) {
	h.Helper()
	text, err := json.Marshal(childsPlace{h.place.file, h.place.influx.URL, h.place.influx.Bucket, h.place.dir})
	if err != nil {
		h.Fatal(err)
	}
	cmd := exec.CommandContext(h.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "ROLLUP_TEST_CHILD="+string(text))
	out, err := cmd.StdoutPipe()
	if err != nil {
		h.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		h.Fatal(err)
	}
	defer cmd.Wait() // killed
	for lines := bufio.NewScanner(out); lines.Scan(); {
		switch text := lines.Text(); text {
		case "begins":
			time.AfterFunc(after, func() { cmd.Process.Kill() })
		case "done":
			return true
		default:
			h.Fatal(text)
		}
	}
	return false
}

func TestAKilledTickLeavesNothingWrong(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		seed := uint64(os.Getpid())
		t.Logf("seed %d", seed)
		rng := rand.New(rand.NewPCG(seed, 0))
		for _, name := range []string{monthsKept, daysKept} {
			h.write(series(name, "office", noon.AddDate(0, -2, 0), noon, time.Hour))
			if err := h.BeginRollups(t.Context(), name, noon.AddDate(0, -2, 0), noon.Add(-time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		kills := 0
		for longest := 100; kills < 15; longest += 60 {
			if h.kill(time.Duration(rng.IntN(longest)) * time.Millisecond) {
				break
			}
			kills++
			at := noon.Add(-time.Duration(rng.IntN(12*24)) * time.Hour).Add(time.Duration(rng.IntN(3600)) * time.Second)
			h.commit(noon, one(monthsKept, "attic", at), one(daysKept, "attic", at))
		}
		t.Logf("%d kills", kills)
		h.reopen()
		now := noon.Add(2 * time.Hour)
		h.tick(now)
		for _, name := range []string{monthsKept, daysKept} {
			for _, resolution := range []time.Duration{store.FiveMinutes, store.Hour} {
				h.same(resolution, name, noon.AddDate(-1, 0, 0), dueAt(now))
			}
		}
		limit := now.Add(-14 * day).Truncate(day)
		if before, after := h.counts(daysKept, limit); before != 0 || after == 0 {
			t.Errorf("%d readings are left that are too old, and %d others", before, after)
		}
		if d := h.tick(now); d.hours != 0 || d.Deleted != 0 {
			t.Errorf("a tick more: %+v", d)
		}
	})
}

func TestTwoTicksAtOnceDoNoHarm(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for _, name := range []string{monthsKept, daysKept} {
			h.write(series(name, "office", noon.AddDate(0, -1, 0), noon, 20*time.Minute))
			if err := h.BeginRollups(t.Context(), name, noon.AddDate(0, -1, 0), noon.Add(-time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		var all, written sync.WaitGroup
		var mu sync.Mutex
		stop := make(chan struct{})
		written.Go(func() { // late readings meanwhile
			rng := rand.New(rand.NewPCG(1, 2))
			for {
				select {
				case <-stop:
					return
				default:
				}
				rs := []reading.Reading{one(monthsKept, "attic", noon.Add(-time.Duration(rng.IntN(12*24*60))*time.Minute))}
				if err := h.Commit(t.Context(), "test", store.Batch{Readings: rs, Now: noon}, nil); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				h.written = append(h.written, rs...)
				mu.Unlock()
			}
		})
		for range 3 {
			all.Go(func() {
				var r Roller
				for range 2 {
					if _, err := r.Tick(t.Context(), h.Store, noon.Add(2*time.Hour)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		close(stop)
		written.Wait()
		h.tick(noon.Add(2 * time.Hour))
		for _, name := range []string{monthsKept, daysKept} {
			for _, resolution := range []time.Duration{store.FiveMinutes, store.Hour} {
				h.same(resolution, name, noon.AddDate(-1, 0, 0), noon.Add(time.Hour))
			}
		}
	})
}
