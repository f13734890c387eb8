package spool

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkAppend appends records of 200 bytes. With sync=0 each call returns after an
// fsync. SPOOL_BENCH_DIR is the folder to use, for another disk than the temporary
// folder's.
func BenchmarkAppend(b *testing.B) {
	for _, sync := range []time.Duration{0, time.Second} {
		for _, c := range []struct{ appenders, batch int }{{1, 1}, {8, 1}, {200, 1}, {1, 500}} {
			b.Run(fmt.Sprintf("sync=%v/appenders=%d/batch=%d", sync, c.appenders, c.batch), func(b *testing.B) {
				l := mustOpen(b, benchDir(b), Options{Sync: sync, MaxBytes: 1 << 30})
				benchAppend(b, l, c.appenders, c.batch)
			})
		}
	}
}

func benchDir(b *testing.B) string {
	if dir := os.Getenv("SPOOL_BENCH_DIR"); dir != "" {
		dir, err := os.MkdirTemp(dir, "spool")
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { os.RemoveAll(dir) })
		return dir
	}
	return b.TempDir()
}

func benchAppend(b *testing.B, l *Log, appenders, batch int) {
	record := []byte(strings.Repeat("x", 200))
	records := make([][]byte, batch)
	for i := range records {
		records[i] = record
	}
	var left atomic.Int64
	left.Store(int64(b.N))
	b.SetBytes(200)
	b.ReportAllocs()
	b.ResetTimer()
	var wg sync.WaitGroup
	for range appenders {
		wg.Go(func() {
			for left.Add(-int64(batch)) > -int64(batch) {
				if _, err := l.Append(context.Background(), records...); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	s := l.Stats()
	seconds := b.Elapsed().Seconds()
	b.ReportMetric(float64(s.Appended)/seconds, "records/s")
	b.ReportMetric(float64(s.Fsyncs)/seconds, "fsyncs/s")
	b.ReportMetric(float64(s.Written)/float64(s.Appended*200), "disk/payload")
}

// BenchmarkDrain reads and commits a backlog of 200-byte records in batches of 500.
func BenchmarkDrain(b *testing.B) {
	l := mustOpen(b, benchDir(b), Options{Memory: 1})
	fill(b, l, b.N)
	r := mustReader(b, l, "r")
	b.SetBytes(200)
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; {
		recs, err := r.Next(b.Context(), 500, 1<<20)
		if err != nil {
			b.Fatal(err)
		}
		n += len(recs)
		r.Commit(recs[len(recs)-1].Seq)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

func fill(b *testing.B, l *Log, n int) {
	record := []byte(strings.Repeat("x", 200))
	batch := make([][]byte, 0, 500)
	for i := range n {
		batch = append(batch, record)
		if len(batch) == cap(batch) || i == n-1 {
			if _, err := l.Append(b.Context(), batch...); err != nil {
				b.Fatal(err)
			}
			batch = batch[:0]
		}
	}
}

// BenchmarkThrough appends records while two readers read and commit them.
func BenchmarkThrough(b *testing.B) {
	l := mustOpen(b, benchDir(b), Options{})
	var wg sync.WaitGroup
	for _, name := range []string{"a", "b"} {
		r := mustReader(b, l, name)
		wg.Go(func() {
			for n := 0; n < b.N; {
				recs, err := r.Next(b.Context(), 500, 1<<20)
				if err != nil {
					b.Error(err)
					return
				}
				n += len(recs)
				r.Commit(recs[len(recs)-1].Seq)
			}
		})
	}
	benchAppend(b, l, 1, 1)
	wg.Wait()
}

// BenchmarkOpen opens a spool of many segments. Open reads only the newest.
func BenchmarkOpen(b *testing.B) {
	dir := benchDir(b)
	l := mustOpen(b, dir, Options{})
	fill(b, l, 500_000)
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for range b.N {
		l, _, err := Open(dir, Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := l.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
