package intake

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
	"github.com/hearth-home/hearth/shared/spool"
)

// lateRig is a writer that acknowledges later, at work on a spool with one function.
type lateRig struct {
	t        *testing.T
	w        *writer
	spool    *spool.Log
	function *spool.Reader
	syncs    func() uint64
	acked    []atomic.Bool
	sent     int
	stop     func()
}

func newLateRig(t *testing.T, o spool.Options) *lateRig {
	t.Helper()
	o.Sync, o.CursorEvery = -1, 1000*time.Hour
	log := slog.New(slog.DiscardHandler)
	l, _, err := spool.Open(filepath.Join(t.TempDir(), "spool"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	recent, err := ReadRecent(t.Context(), l, 8<<20, log)
	if err != nil {
		t.Fatal(err)
	}
	r := &lateRig{t: t, spool: l, acked: make([]atomic.Bool, 10_000)}
	if r.function, err = l.Reader(message.LaneName("f", 1)); err != nil {
		t.Fatal(err)
	}
	r.w = newWriter(Options{Spool: l, Recent: recent, AckLater: true, Now: time.Now, Log: log})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan bool)
	go func() { r.w.run(ctx); close(done) }()
	r.stop = func() { cancel(); <-done }
	t.Cleanup(r.stop)
	r.take(1) // makes the first segment
	r.store(1)
	r.until(1)
	begin := l.Stats().Fsyncs
	r.syncs = func() uint64 { return l.Stats().Fsyncs - begin }
	return r
}

// take hands over messages as the broker does.
func (r *lateRig) take(n int) {
	for range n {
		k := r.sent
		r.sent++
		r.w.take(incoming{Message: message.Message{Topic: "house/x", Payload: []byte(strconv.Itoa(k)), QoS: 1, Packet: uint16(k)},
			ack: func() { r.acked[k].Store(true) }})
	}
}

// store is the function's answer for the first n.
func (r *lateRig) store(n int) {
	mqtttest.Until(r.t, "all is in the spool", func() bool { return r.spool.Next() > spool.Seq(n) })
	r.function.Commit(spool.Seq(n))
}

func (r *lateRig) until(n int) {
	r.t.Helper()
	mqtttest.Until(r.t, "all is acknowledged", func() bool {
		for k := range n {
			if !r.acked[k].Load() {
				return false
			}
		}
		return true
	})
}

func TestWhatItsFunctionsStoredIsAcknowledgedWithoutASync(t *testing.T) {
	r := newLateRig(t, spool.Options{})
	for range 20 {
		r.take(5)
		r.store(r.sent)
		r.until(r.sent)
	}
	if n := r.syncs(); n != 0 {
		t.Errorf("%d syncs", n)
	}
}

// What no function stores is on the disk before it is acknowledged.
func TestWhatWaitsForItsFunctionIsSyncedAndAcknowledged(t *testing.T) {
	r := newLateRig(t, spool.Options{})
	r.take(5)
	mqtttest.Until(t, "a sync", func() bool {
		acked := r.acked[5].Load() // looked at first
		if r.syncs() == 0 && acked {
			t.Fatal("acknowledged before it was stored or on the disk")
		}
		return acked
	})
	r.until(r.sent)
	if n := r.syncs(); n != 1 {
		t.Errorf("%d syncs for what came at once, want 1", n)
	}
}

// What a failed disk may not have is acknowledged by its function alone.
func TestAfterAFailedSyncOnlyTheFunctionsAnswerCounts(t *testing.T) {
	fs := &failingFS{}
	r := newLateRig(t, spool.Options{FS: fs})
	fs.failing.Store(true)
	r.take(20)
	mqtttest.Until(t, "a sync that fails", func() bool { return r.spool.Stats().SyncErrors > 0 })
	fs.failing.Store(false)
	r.take(20)
	time.Sleep(2 * ackLook)
	for k := 1; k < r.sent; k++ {
		if r.acked[k].Load() {
			t.Fatalf("%d is acknowledged: neither stored nor surely on the disk", k)
		}
	}
	r.store(r.sent)
	r.until(r.sent)
}

// Also where a change of segments heard of the failure, and no sync for an
// acknowledgement did; and at the end.
func TestAFailedSyncThatAnotherHeardIsNoReasonToAcknowledge(t *testing.T) {
	fs := &failingFS{}
	r := newLateRig(t, spool.Options{FS: fs, SegmentBytes: 2000})
	fs.failing.Store(true)
	errors := r.spool.Stats().SyncErrors
	for r.spool.Stats().SyncErrors == errors { // faster than a sync for an acknowledgement comes
		r.take(1)
		mqtttest.Until(t, "it is in the spool", func() bool { return r.spool.Next() == spool.Seq(r.sent+1) })
	}
	fs.failing.Store(false)
	r.take(5)
	time.Sleep(ackWait + 2*ackLook)
	r.stop()
	for k := 1; k < r.sent; k++ {
		if r.acked[k].Load() {
			t.Fatalf("%d of %d is acknowledged: neither stored nor surely on the disk", k, r.sent)
		}
	}
}

// What is safe when the connector ends is acknowledged, and nothing behind a failure.
func TestAtTheEndNothingBehindAFailureIsAcknowledged(t *testing.T) {
	for _, failing := range []bool{false, true} {
		fs := &failingFS{}
		r := newLateRig(t, spool.Options{FS: fs})
		r.take(5)
		mqtttest.Until(t, "they are in the spool", func() bool { return r.spool.Next() == spool.Seq(r.sent+1) })
		if fs.failing.Store(failing); failing {
			if _, _, err := r.spool.SyncRecords(); err == nil { // asked for by the dead letters
				t.Fatal("the sync did not fail")
			}
			fs.failing.Store(false)
		}
		r.stop()
		for k := 1; k < r.sent; k++ {
			if r.acked[k].Load() == failing {
				t.Errorf("the disk failed: %v; %d is acknowledged: %v", failing, k, !failing)
			}
		}
	}
}

// A redelivery is as safe as its first.
func TestARedeliveryOfWhatMayBeLostIsNotAcknowledged(t *testing.T) {
	fs := &failingFS{}
	r := newLateRig(t, spool.Options{FS: fs})
	fs.failing.Store(true)
	r.take(5)
	mqtttest.Until(t, "a sync that fails", func() bool { return r.spool.Stats().SyncErrors > 0 })
	fs.failing.Store(false)
	var again atomic.Bool
	r.w.take(incoming{Message: message.Message{Topic: "house/x", Payload: []byte("3"), QoS: 1, Packet: 3}, dup: true, ack: func() { again.Store(true) }})
	r.take(5)
	time.Sleep(ackWait + 2*ackLook)
	if again.Load() {
		t.Error("acknowledged, and what it repeats may be lost")
	}
	r.store(r.sent)
	r.until(r.sent)
	mqtttest.Until(t, "the redelivery is acknowledged", again.Load)
}

// failingFS is a folder on a disk whose syncs can fail.
type failingFS struct{ failing atomic.Bool }

var errCable = errors.New("cable")

func (f *failingFS) MkdirAll(dir string) error           { return os.MkdirAll(dir, 0o700) }
func (f *failingFS) Remove(name string) error            { return os.Remove(name) }
func (f *failingFS) SyncDir(string) error                { return nil }
func (f *failingFS) Lock(name string) (io.Closer, error) { return os.Create(name) }
func (f *failingFS) ReadDir(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

func (f *failingFS) OpenFile(name string, flag int) (spool.File, error) {
	file, err := os.OpenFile(name, flag, 0o600)
	return failingFile{file, f}, err
}

type failingFile struct {
	*os.File
	fs *failingFS
}

func (f failingFile) Sync() error {
	if f.fs.failing.Load() {
		return errCable
	}
	return f.File.Sync()
}

func (f failingFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
