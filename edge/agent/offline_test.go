package agent

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/shared/spool"
	"github.com/hearth-home/hearth/shared/testserver"
	"github.com/hearth-home/hearth/shared/wire"
)

// threeHours is the number of readings of ten sensors in three hours, one reading every
// ten seconds each.
const threeHours = 10 * 3 * 360

func TestThreeHoursOfBacklogArriveInOrder(t *testing.T) {
	m := testserver.OwnMosquitto(t, 0)
	s := startStore(t, m.Addr, true)
	a := runAgent(t, with(sensors(10, 100*time.Millisecond), map[string]string{"MQTT_URL": "tcp://" + m.Addr, "BACKLOG_RATE": "5000", "SPOOL_SYNC": "1s"}), Deps{})
	waitFor(t, "first readings", func() bool { return s.count() > 20 })
	if err := m.Stop(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "readings on disk", func() bool { return a.backlog() > 0 })
	for i := range threeHours { // in place of the sensors, which would need three hours
		a.sensors[i%10].send(t.Context(), sampleOf(driver.OK, map[string]float64{"load_1m": float64(i)}))
	}
	waitFor(t, "three hours' worth on disk", func() bool { return a.backlog() >= threeHours })
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "delivery of the backlog", func() bool { return a.backlog() == 0 })
	if err := a.stop(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "delivery of every reading", func() bool { return s.count() >= int(a.delivery.numbers.seq) })
	s.complete()
	s.times()
	backlogOrder(t, s)
}

// backlogOrder checks that the readings of each device from before the reconnect came in
// their order.
func backlogOrder(t *testing.T, s *store) {
	t.Helper()
	last, late := map[string]uint64{}, map[string]uint64{}
	for _, r := range s.ordered() {
		// A live reading overtakes the backlog: its number is far ahead. Then the backlog goes on.
		switch {
		case r.Seq > last[r.Device]:
			last[r.Device] = r.Seq
		case r.Seq > late[r.Device]:
			late[r.Device] = r.Seq
		default:
			t.Fatalf("%s: %d came after %d and %d", r.Device, r.Seq, last[r.Device], late[r.Device])
		}
	}
}

func TestABrokerWithAnOldSnapshotLosesNothing(t *testing.T) {
	for name, away := range map[string]time.Duration{"at once": 0, "after a while": 2 * time.Second} {
		t.Run(name, func(t *testing.T) {
			m := testserver.OwnMosquitto(t, 0) // writes its snapshot on SIGUSR1
			s := startStore(t, m.Addr, true)
			a := runAgent(t, with(sensors(3, 20*time.Millisecond), map[string]string{"MQTT_URL": "tcp://" + m.Addr}), Deps{})
			waitFor(t, "first readings", func() bool { return s.count() > 50 })
			if err := m.Signal(syscall.SIGUSR1); err != nil { // the snapshot
				t.Fatal(err)
			}
			// Without the connector the published readings are in the broker's memory only.
			s.client.Disconnect(100)
			before := a.delivery.monitor.snapshot().window.Sent
			waitFor(t, "readings that only the broker has", func() bool {
				v := a.delivery.monitor.snapshot()
				return v.window.Sent > before+100
			})
			if err := m.Kill(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(away)
			if err := m.Start(); err != nil {
				t.Fatal(err)
			}
			s.subscribe()
			waitFor(t, "storing of all readings", func() bool {
				v := a.delivery.monitor.snapshot()
				return s.count() > 200 && v.window.Confirmed > 150 && a.backlog() == 0
			})
			if err := a.stop(); err != nil {
				t.Fatal(err)
			}
			// Readings that were not reported as stored in time are on disk. Another run publishes them.
			b := runAgent(t, with(sensors(1, time.Hour), map[string]string{"MQTT_URL": "tcp://" + m.Addr, "SPOOL_DIR": a.cfg.Dir}), Deps{})
			waitFor(t, "delivery of every reading", func() bool { return uint64(s.countOf(a.boot)) == a.delivery.numbers.seq && b.backlog() == 0 })
			s.complete()
			s.times()
		})
	}
}

func TestAReadingThatTheBrokerLostIsSentAgain(t *testing.T) {
	b := startBroker(t)
	s := startStore(t, b.direct, true)
	var drop atomic.Bool
	s.set(func() { s.forget = func(r wire.Reading) bool { return r.Seq == 7 && drop.CompareAndSwap(false, true) } })
	a := runAgent(t, with(sensors(2, 30*time.Millisecond), map[string]string{"MQTT_URL": "tcp://" + b.addr, "RESEND_AFTER": "500ms"}), Deps{})
	waitFor(t, "resend of the lost reading", func() bool { return s.storedUpToOf(a.boot) > 100 })
	if !drop.Load() || a.delivery.monitor.snapshot().window.Resent == 0 {
		t.Error("no reading was lost, or none was sent again")
	}
	s.complete()
}

func TestTheCapDropsTheOldestAndCountsThem(t *testing.T) {
	b := startBroker(t)
	b.stop()
	a := runAgent(t, with(sensors(4, 2*time.Millisecond), map[string]string{
		"MQTT_URL": "tcp://" + b.addr, "SPOOL_MAX_RECORDS": "400", "BACKLOG_RATE": "5000",
	}), Deps{})
	lost := func() uint64 {
		if _, reader := a.delivery.monitor.disk(); reader != nil {
			return reader.Lag().Lost
		}
		return 0
	}
	waitFor(t, "dropped readings", func() bool { return lost() > 100 })
	s := startStore(t, b.direct, true)
	b.start()
	waitFor(t, "delivery of the backlog", func() bool { return a.backlog() == 0 && s.count() > 400 })
	waitFor(t, "stored message that skips the dropped readings", func() bool {
		return s.storedUpToOf(a.boot) > lost()+200 && a.delivery.monitor.snapshot().window.Confirmed > 200
	})
	if err := a.stop(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "delivery of all but the dropped readings", func() bool { return uint64(s.count()) >= a.delivery.numbers.seq-lost() })
	if got := uint64(s.count()); got != a.delivery.numbers.seq-lost() {
		t.Errorf("%d readings came of %d, of which %d count as dropped", got, a.delivery.numbers.seq, lost())
	}
	for _, r := range s.ordered() {
		if r.Seq <= lost() {
			t.Fatalf("reading %d came, but the %d oldest should have been dropped", r.Seq, lost())
		}
	}
}

func TestReadingsSurviveAFullDisk(t *testing.T) {
	b := startBroker(t)
	b.stop()
	full := &fullDisk{}
	a := runAgent(t, with(sensors(2, 10*time.Millisecond), map[string]string{"MQTT_URL": "tcp://" + b.addr, "BACKLOG_RATE": "5000"}), Deps{spool: full})
	waitFor(t, "readings on disk", func() bool { return a.backlog() > 20 })
	full.on.Store(true)
	waitFor(t, "readings in memory", func() bool { return a.delivery.monitor.snapshot().pending > 100 })
	b.start()
	s := startStore(t, b.direct, true)
	waitFor(t, "readings from disk and memory", func() bool { return a.delivery.monitor.snapshot().pending == 0 && a.backlog() == 0 && s.count() > 100 })
	full.on.Store(false)
	if err := a.stop(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "delivery of every reading", func() bool { return uint64(s.count()) == a.delivery.numbers.seq })
	s.complete()
	s.times()
}

func TestTheAgentStartsWithAFullDisk(t *testing.T) {
	b := startBroker(t)
	s := startStore(t, b.direct, true)
	full := &fullDisk{}
	full.on.Store(true)
	a := runAgent(t, with(sensors(2, 10*time.Millisecond), map[string]string{"MQTT_URL": "tcp://" + b.addr}), Deps{spool: full})
	waitFor(t, "readings", func() bool { return s.count() > 50 })
	if err := a.stop(); err != nil {
		t.Fatal(err)
	}
	s.complete()
}

// fullDisk is the disk. While on is set, it has no room.
type fullDisk struct{ on atomic.Bool }

func (d *fullDisk) check() error {
	if d.on.Load() {
		return syscall.ENOSPC
	}
	return nil
}

func (d *fullDisk) MkdirAll(dir string) error { return os.MkdirAll(dir, 0o700) }
func (d *fullDisk) Remove(name string) error  { return os.Remove(name) }
func (d *fullDisk) SyncDir(string) error      { return nil }

func (d *fullDisk) ReadDir(dir string) (names []string, err error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*"))
	for _, p := range paths {
		names = append(names, filepath.Base(p))
	}
	return names, err
}

func (d *fullDisk) OpenFile(name string, flag int) (spool.File, error) {
	if flag&os.O_CREATE != 0 {
		if err := d.check(); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(name, flag, 0o600)
	if err != nil {
		return nil, err
	}
	return &fullFile{f, d}, nil
}

func (d *fullDisk) Lock(string) (io.Closer, error) {
	return io.NopCloser(strings.NewReader("")), d.check()
}

type fullFile struct {
	*os.File
	d *fullDisk
}

func (f *fullFile) WriteAt(b []byte, at int64) (int, error) {
	size, err := f.Size()
	if err == nil && at+int64(len(b)) > size { // overwriting needs no room
		err = f.d.check()
	}
	if err != nil {
		return 0, err
	}
	return f.File.WriteAt(b, at)
}

func (f *fullFile) Size() (int64, error) {
	info, err := f.Stat()
	return info.Size(), err
}

func TestTwoAgentsDoNotShareASpool(t *testing.T) {
	b := startBroker(t)
	first := runAgent(t, with(sensors(1, time.Second), map[string]string{"MQTT_URL": "tcp://" + b.addr}), Deps{})
	waitFor(t, "spool of the first agent", func() bool { l, _ := first.delivery.monitor.disk(); return l != nil })
	second := newAgent(t, with(sensors(1, time.Second), map[string]string{"MQTT_URL": "tcp://" + b.addr, "SPOOL_DIR": first.cfg.Dir}), Deps{})
	if err := second.Run(t.Context()); !errors.Is(err, spool.ErrLocked) {
		t.Errorf("err = %v", err)
	}
}

// The budget for a backlog is filled at ticks. An idle tick of the time without a broker
// may have most of its second still to run.
func TestABacklogDoesNotWaitForTheIdleTick(t *testing.T) {
	d := newAgent(t, sensors(1, time.Hour), Deps{}).delivery
	if err := d.backlog.open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.backlog.close() })
	d.backlog.add(&record{Node: "pi", Reading: wire.Reading{Device: "host-0", Boot: "a", Seq: 1}})
	up := make(chan sessionChange, 1)
	d.sessions = up
	up <- sessionChange{session: &session{}, up: true}
	tick := time.NewTimer(time.Hour)
	d.step(nil, tick)
	select {
	case <-tick.C:
	case <-time.After(10 * time.Second):
		t.Error("the next tick of a delivery with a backlog is that of an idle one")
	}
}
