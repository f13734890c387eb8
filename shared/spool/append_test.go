package spool

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

func TestConcurrentAppendersShareSyncsAndKeepTheirOrder(t *testing.T) {
	l := mustOpen(t, t.TempDir(), Options{SegmentBytes: 4096})
	r := mustReader(t, l, "r")
	const appenders, each = 50, 20
	var wg sync.WaitGroup
	for a := range appenders {
		wg.Go(func() {
			for i := range each {
				if _, err := l.Append(t.Context(), fmt.Appendf(nil, "%d %d", a, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	var recs []Record
	for len(recs) < appenders*each {
		got, err := r.Next(t.Context(), 64, 0)
		if err != nil {
			t.Fatal(err)
		}
		recs = append(recs, got...)
		r.Commit(got[len(got)-1].Seq)
	}
	wg.Wait()
	next := map[int]int{}
	for i, rec := range recs {
		var a, n int
		if _, err := fmt.Sscanf(string(rec.Data), "%d %d", &a, &n); err != nil || n != next[a] || rec.Seq != Seq(i+1) {
			t.Fatalf("record %d is number %d of its appender (%q), want %d, %v", rec.Seq, n, rec.Data, next[a], err)
		}
		next[a]++
	}
	if s := l.Stats(); s.Appended != appenders*each || s.groups >= s.Appended/2 {
		t.Errorf("%d groups for %d records", s.groups, s.Appended)
	}
}

func TestWithdrawnAppendIsNotStored(t *testing.T) {
	l := mustOpen(t, t.TempDir(), Options{})
	l.writeLock <- struct{}{} // the disk is busy
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := l.Append(ctx, []byte("withdrawn"))
		ended <- err
	}()
	for waiting := 0; waiting == 0; time.Sleep(time.Millisecond) {
		l.mu.Lock()
		waiting = len(l.waiting)
		l.mu.Unlock()
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	<-l.writeLock
	mustAppend(t, l, "stored")
	if got := texts(readAll(t, mustReader(t, l, "r"))); !slices.Equal(got, []string{"stored"}) {
		t.Errorf("%q", got)
	}
}

func TestOptionsSyncSyncsLater(t *testing.T) {
	mem := newMemFS()
	l := mustOpen(t, "d", Options{FS: mem, Sync: time.Millisecond, CursorEvery: never})
	before := l.Stats().Fsyncs
	mustAppend(t, l, "x")
	for l.Stats().Fsyncs < before+2 { // the folder's and the segment's
		time.Sleep(time.Millisecond)
	}
	mem.mu.Lock()
	defer mem.mu.Unlock()
	for name, node := range mem.durable {
		if filepath.Ext(name) == ".log" && len(node.disk) == headerLen+1 {
			return
		}
	}
	t.Error("the record is not on disk")
}
