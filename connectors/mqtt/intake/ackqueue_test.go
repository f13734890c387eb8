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

// ackRig is a running writer with Options.AckLater, and a spool with one function. The
// function and one message are set up; syncs counts from then on.
type ackRig struct {
	t        *testing.T
	w        *writer
	spool    *spool.Log
	function *spool.Reader // its cursor is how far the function has stored
	syncs    func() uint64 // of the spool
	acked    []atomic.Bool // by message
	count    int           // messages
	stop     func()
}

func newAckRig(t *testing.T, o spool.Options) *ackRig {
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
	r := &ackRig{t: t, spool: l, acked: make([]atomic.Bool, 10_000)}
	if r.function, err = l.Reader(message.LaneName("f", 1)); err != nil {
		t.Fatal(err)
	}
	r.w = newWriter(Options{Spool: l, Recent: recent, AckLater: true, Now: time.Now, Log: log})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan bool)
	go func() { r.w.run(ctx); close(done) }()
	r.stop = func() { cancel(); <-done }
	t.Cleanup(r.stop)
	r.send(1) // creates the first segment, which takes syncs
	r.store(1)
	r.waitAcked(1)
	begin := l.Stats().Fsyncs
	r.syncs = func() uint64 { return l.Stats().Fsyncs - begin }
	return r
}

// send passes n messages to the writer, as the session does.
func (r *ackRig) send(n int) {
	for range n {
		k := r.count
		r.count++
		r.w.enqueue(incoming{Message: message.Message{Topic: "house/x", Payload: []byte(strconv.Itoa(k)), QoS: 1, Packet: uint16(k)},
			ack: func() { r.acked[k].Store(true) }})
	}
}

// store lets the function store the first n messages.
func (r *ackRig) store(n int) {
	mqtttest.Until(r.t, "all messages in the spool", func() bool { return r.spool.Next() > spool.Seq(n) })
	r.function.Commit(spool.Seq(n))
}

// waitAcked waits until the first n messages are acknowledged.
func (r *ackRig) waitAcked(n int) {
	r.t.Helper()
	mqtttest.Until(r.t, "all acknowledgements", func() bool {
		for k := range n {
			if !r.acked[k].Load() {
				return false
			}
		}
		return true
	})
}

func TestStoredMessagesAreAcknowledgedWithoutASync(t *testing.T) {
	r := newAckRig(t, spool.Options{})
	late := uint64(0) // rounds in which a busy machine stored the messages so late that a sync was due
	for range 20 {
		begin := time.Now()
		r.send(5)
		r.store(r.count)
		took := time.Since(begin)
		r.w.acks.mu.Lock()
		if took >= r.w.acks.stallTime() {
			late++
		}
		r.w.acks.mu.Unlock()
		r.waitAcked(r.count)
	}
	if n := r.syncs(); n > late {
		t.Errorf("%d syncs, want none but for %d rounds that took too long", n, late)
	}
}

// TestUnstoredMessagesAreSyncedBeforeTheyAreAcknowledged: a message that no function
// stores is on the disk first.
func TestUnstoredMessagesAreSyncedBeforeTheyAreAcknowledged(t *testing.T) {
	r := newAckRig(t, spool.Options{})
	r.send(5)
	mqtttest.Until(t, "a sync", func() bool {
		acked := r.acked[5].Load() // before the syncs are read
		if r.syncs() == 0 && acked {
			t.Fatal("acknowledged before it was stored or on the disk")
		}
		return acked
	})
	r.waitAcked(r.count)
	if n := r.syncs(); n != 1 {
		t.Errorf("%d syncs for messages that came together, want 1", n)
	}
}

// TestAfterAFailedSyncMessagesWaitForTheirFunction: a later sync that succeeds does not
// bring back what the failed one has lost.
func TestAfterAFailedSyncMessagesWaitForTheirFunction(t *testing.T) {
	fs := &failingFS{}
	r := newAckRig(t, spool.Options{FS: fs})
	fs.failing.Store(true)
	r.send(20)
	mqtttest.Until(t, "a sync that fails", func() bool { return r.spool.Stats().SyncErrors > 0 })
	fs.failing.Store(false)
	r.send(20)
	time.Sleep(2 * checkEvery)
	for k := 1; k < r.count; k++ {
		if r.acked[k].Load() {
			t.Fatalf("%d is acknowledged: neither stored nor surely on the disk", k)
		}
	}
	r.store(r.count)
	r.waitAcked(r.count)
}

// TestAFailedSyncOfASegmentChangeCountsToo: the sync that fails is not one for an
// acknowledgement, but one of a change of segments. The messages that it may have lost
// are not acknowledged, not even at the end.
func TestAFailedSyncOfASegmentChangeCountsToo(t *testing.T) {
	fs := &failingFS{}
	r := newAckRig(t, spool.Options{FS: fs, SegmentBytes: 2000})
	fs.failing.Store(true)
	errors := r.spool.Stats().SyncErrors
	for r.spool.Stats().SyncErrors == errors { // ends before a sync for an acknowledgement is due
		r.send(1)
		mqtttest.Until(t, "the message in the spool", func() bool { return r.spool.Next() == spool.Seq(r.count+1) })
	}
	fs.failing.Store(false)
	r.send(5)
	time.Sleep(maxAckDelay + 2*checkEvery)
	r.stop()
	for k := 1; k < r.count; k++ {
		if r.acked[k].Load() {
			t.Fatalf("%d of %d is acknowledged: neither stored nor surely on the disk", k, r.count)
		}
	}
}

// TestAtTheEndSafeMessagesAreAcknowledged: and those that a failed sync may have lost
// are not.
func TestAtTheEndSafeMessagesAreAcknowledged(t *testing.T) {
	for _, failing := range []bool{false, true} {
		fs := &failingFS{}
		r := newAckRig(t, spool.Options{FS: fs})
		r.send(5)
		mqtttest.Until(t, "the messages in the spool", func() bool { return r.spool.Next() == spool.Seq(r.count+1) })
		if fs.failing.Store(failing); failing {
			if _, _, err := r.spool.SyncRecords(); err == nil { // as the dead letters do
				t.Fatal("the sync did not fail")
			}
			fs.failing.Store(false)
		}
		r.stop()
		for k := 1; k < r.count; k++ {
			if r.acked[k].Load() == failing {
				t.Errorf("sync failed: %v; message %d acknowledged: %v", failing, k, !failing)
			}
		}
	}
}

// TestARedeliveryIsAsSafeAsItsFirstDelivery: it is not acknowledged while the record of
// the first delivery may be lost.
func TestARedeliveryIsAsSafeAsItsFirstDelivery(t *testing.T) {
	fs := &failingFS{}
	r := newAckRig(t, spool.Options{FS: fs})
	fs.failing.Store(true)
	r.send(5)
	mqtttest.Until(t, "a sync that fails", func() bool { return r.spool.Stats().SyncErrors > 0 })
	fs.failing.Store(false)
	var again atomic.Bool
	r.w.enqueue(incoming{Message: message.Message{Topic: "house/x", Payload: []byte("3"), QoS: 1, Packet: 3}, dup: true, ack: func() { again.Store(true) }})
	r.send(5)
	time.Sleep(maxAckDelay + 2*checkEvery)
	if again.Load() {
		t.Error("a redelivery is acknowledged, though its record may be lost")
	}
	r.store(r.count)
	r.waitAcked(r.count)
	mqtttest.Until(t, "the redelivery is acknowledged", again.Load)
}

// failingFS is a file system on which file syncs can be made to fail.
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
