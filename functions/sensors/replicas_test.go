package function

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/mqttbatch"
	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/wire"
)

// plugReading is the energy reading of a plug at the node pi<plug>.
func plugReading(plug, seq int, kwh float64) wire.Message {
	t := noon.Add(time.Duration(seq) * time.Minute)
	m := message(time.Duration(seq)*time.Minute+time.Duration(plug), fmt.Sprintf("hearth/pi%d/plug", plug), fmt.Sprintf(
		`{"device":"plug-%d","sensor":"kasa","time":%q,"boot":"b1","seq":%d,"fields":{"energy_kwh":%v}}`, plug, t.Format(time.RFC3339Nano), seq, kwh))
	m.ID = fmt.Sprintf("%d-%d", plug, seq)
	return m
}

// risen returns the sum of all plugs' rises and the number of readings.
func risen(t *testing.T, f *batchtest.Served) (sum float64, n int) {
	t.Helper()
	rs, err := f.Store.Between(t.Context(), "power", nil, noon, noon.AddDate(0, 1, 0))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rs {
		sum += r.Fields["energy_delta_kwh"]
	}
	return sum, len(rs)
}

// TestTwoReplicasCountOnce: while one pod takes over from another, both get batches.
// Neither may count energy from the value that it has in memory.
func TestTwoReplicasCountOnce(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			st := open(t)
			replicas := []*batchtest.Served{batchtest.Serve(t, New, st), batchtest.Serve(t, New, st)}
			for seq := 1; seq <= 9; seq++ {
				f := replicas[seq%2]
				if seq > 5 { // several by one in between
					f = replicas[seq/3%2]
				}
				f.Post(t, plugReading(1, seq, 10+float64(seq)/4))
			}
			replicas[0].Post(t, plugReading(1, 9, 12.25), plugReading(1, 8, 12))
			if sum, n := risen(t, replicas[0]); math.Abs(sum-2) > 1e-9 || n != 9 {
				t.Errorf("%v kWh in %d readings, want 2 in 9", sum, n)
			}
			if states, err := st.DeviceStates(t.Context(), "plug-1"); err != nil || states[0].Value != 12.25 || *states[0].Good != 12.25 {
				t.Errorf("%+v, %v", states, err)
			}
		})
	}
}

// TestTwoReplicasAtOnceLoseAndDoubleNothing: the connector keeps the order of a topic.
// So a plug has one call at a time, at either replica, and some batches are sent
// twice.
func TestTwoReplicasAtOnceLoseAndDoubleNothing(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			st := open(t)
			replicas := []*batchtest.Served{batchtest.Serve(t, New, st), batchtest.Serve(t, New, st)}
			for _, f := range replicas {
				f.Clock(noon.Add(time.Hour))
			}
			const plugs, most = 6, 20
			var wg sync.WaitGroup
			for plug := range plugs {
				wg.Go(func() {
					for seq := 1; seq <= most; seq++ {
						for again := range 1 + seq%5/4 {
							code, body := replicas[(plug+seq+again)%2].Call(t, batchtest.Body(plugReading(plug, seq, float64(seq))))
							if code != http.StatusOK {
								t.Errorf("%d %s", code, body)
							}
						}
					}
				})
			}
			wg.Wait()
			seqs, err := st.EdgeSeqs(t.Context())
			if err != nil || len(seqs) != plugs {
				t.Fatalf("%+v, %v", seqs, err)
			}
			for _, e := range seqs {
				if e.Upto != most || e.Missing != 0 {
					t.Errorf("%+v", e)
				}
			}
			if sum, n := risen(t, replicas[0]); n != plugs*most || sum != plugs*(most-1) {
				t.Errorf("%d readings of %v kWh, want %d of %d", n, sum, plugs*most, plugs*(most-1))
			}
		})
	}
}

func TestAStepIsConfirmedAcrossReplicas(t *testing.T) {
	st := batchtest.SQLite(t)
	replicas := []*batchtest.Served{batchtest.Serve(t, New, st), batchtest.Serve(t, New, st)}
	for i, v := range []float64{20, 60, 60, 60, 60, 60, 60} {
		replicas[i%2].Post(t, edgeReading(i+1, time.Duration(i)*time.Minute, fmt.Sprintf(`"temperature_celsius":%v`, v)))
	}
	if got := replicas[0].States(t)[0]; got != "office-air temperature_celsius = 60 12:06:00.000 ok" {
		t.Error(got)
	}
}

// failsAfterWrite is a time series database whose Write stores and then returns an
// error.
type failsAfterWrite struct {
	store.Series
	after func()
}

func (h failsAfterWrite) Write(ctx context.Context, rs []reading.Reading) error {
	err := h.Series.Write(ctx, rs)
	h.after()
	return err
}

// TestACrashBetweenTheDatabasesIsRepairedByTheRetry: readings without their states are
// not acknowledged.
func TestACrashBetweenTheDatabasesIsRepairedByTheRetry(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			st := open(t)
			start := func() *sensors { return withoutSettings(t) }
			s, now := start(), noon.Add(time.Hour)
			post := func(ctx context.Context, ms ...wire.Message) (uint64, error) {
				a, err := s.transform(ctx, st, mqttbatch.Batch{Messages: ms, Now: now})
				return a.Stored["pi1"].Seq, err
			}
			if seq, err := post(t.Context(), plugReading(1, 1, 10)); seq != 1 || err != nil {
				t.Fatal(seq, err)
			}
			ctx, dies := context.WithCancel(t.Context())
			whole := st.Series
			st.Series = failsAfterWrite{whole, dies}
			if seq, err := post(ctx, plugReading(1, 2, 10.5), plugReading(1, 3, 11)); err == nil || seq != 0 {
				t.Errorf("acknowledged up to %d, %v", seq, err)
			}
			st.Series = whole
			if seqs, err := st.EdgeSeqs(t.Context()); err != nil || seqs[0].Upto != 1 {
				t.Errorf("%+v, %v", seqs, err)
			}
			for range 2 { // by the same process, then by another
				if seq, err := post(t.Context(), plugReading(1, 2, 10.5), plugReading(1, 3, 11)); err != nil || seq != 3 {
					t.Errorf("%d, %v", seq, err)
				}
				s = start()
			}
			if sum, n := risen(t, &batchtest.Served{Store: st}); sum != 1 || n != 3 {
				t.Errorf("%v kWh in %d readings", sum, n)
			}
		})
	}
}
