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

// Three hours of ten sensors, one reading every ten seconds each.
const threeHours = 10 * 3 * 360

func TestThreeHoursOfReadingsAwayArriveInOrder(t *testing.T) {
	m := testserver.OwnMosquitto(t, 0)
	s := startStore(t, m.Addr, true)
	a := runAgent(t, with(sensors(10, 100*time.Millisecond), map[string]string{"MQTT_URL": "tcp://" + m.Addr, "BACKLOG_RATE": "5000", "SPOOL_SYNC": "1s"}), Deps{})
	waitFor(t, "the first readings", func() bool { return s.count() > 20 })
	if err := m.Stop(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the disk", func() bool { return a.backlog() > 0 })
	for i := range threeHours { // in the sensors' stead, for they take three hours
		a.sensors[i%10].hand(t.Context(), sampleOf(driver.OK, map[string]float64{"load_1m": float64(i)}))
	}
	waitFor(t, "three hours' worth on disk", func() bool { return a.backlog() >= threeHours })
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the backlog to be delivered", func() bool { return a.backlog() == 0 })
	if err := a.stop(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "every reading", func() bool { return s.count() >= int(a.delivery.numbers.seq) })
	s.complete()
	s.times()
	backlogOrder(t, s)
}

// backlogOrder checks that of the readings of before the return, those of each
// device came in their order.
func backlogOrder(t *testing.T, s *store) {
	t.Helper()
	last, late := map[string]uint64{}, map[string]uint64{}
	for _, r := range s.ordered() {
		// A live reading overtakes: its number is far ahead. Then the old ones go on.
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

func TestABrokerThatComesBackWithAnOldSnapshotCostsNothing(t *testing.T) {
	for name, away := range map[string]time.Duration{"at once": 0, "after a while": 2 * time.Second} {
		t.Run(name, func(t *testing.T) {
			m := testserver.OwnMosquitto(t, 0) // writes its snapshot when told
			s := startStore(t, m.Addr, true)
			a := runAgent(t, with(sensors(3, 20*time.Millisecond), map[string]string{"MQTT_URL": "tcp://" + m.Addr}), Deps{})
			waitFor(t, "the first readings", func() bool { return s.count() > 50 })
			if err := m.Signal(syscall.SIGUSR1); err != nil { // the snapshot
				t.Fatal(err)
			}
			// The connector is away: the broker has what the agent publishes, in memory alone.
			s.client.Disconnect(100)
			before := a.delivery.monitor.look().window.Sent
			waitFor(t, "readings that only the broker has", func() bool {
				v := a.delivery.monitor.look()
				return v.window.Sent > before+100
			})
			if err := m.Kill(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(away)
			if err := m.Start(); err != nil {
				t.Fatal(err)
			}
			s.back()
			waitFor(t, "all to be stored", func() bool {
				v := a.delivery.monitor.look()
				return s.count() > 200 && v.window.Confirmed > 150 && a.backlog() == 0
			})
			if err := a.stop(); err != nil {
				t.Fatal(err)
			}
			// What the agent could not see stored in time is on its disk: another run brings it.
			b := runAgent(t, with(sensors(1, time.Hour), map[string]string{"MQTT_URL": "tcp://" + m.Addr, "SPOOL_DIR": a.cfg.Dir}), Deps{})
			waitFor(t, "every reading", func() bool { return uint64(s.countOf(a.boot)) == a.delivery.numbers.seq && b.backlog() == 0 })
			s.complete()
			s.times()
		})
	}
}

func TestAReadingThatTheBrokerLostInSilenceIsSentAgain(t *testing.T) {
	b := startBroker(t)
	s := startStore(t, b.direct, true)
	var drop atomic.Bool
	s.set(func() { s.forget = func(r wire.Reading) bool { return r.Seq == 7 && drop.CompareAndSwap(false, true) } })
	a := runAgent(t, with(sensors(2, 30*time.Millisecond), map[string]string{"MQTT_URL": "tcp://" + b.addr, "RESEND_AFTER": "500ms"}), Deps{})
	waitFor(t, "the reading that was lost", func() bool { return s.uptoOf(a.boot) > 100 })
	if !drop.Load() || a.delivery.monitor.look().window.Resent == 0 {
		t.Error("nothing was lost, or nothing sent again")
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
	waitFor(t, "the cap", func() bool { return lost() > 100 })
	s := startStore(t, b.direct, true)
	b.start()
	waitFor(t, "the backlog", func() bool { return a.backlog() == 0 && s.count() > 400 })
	waitFor(t, "nobody to wait for what was dropped", func() bool { return s.uptoOf(a.boot) > lost()+200 && a.delivery.monitor.look().window.Confirmed > 200 })
	if err := a.stop(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "every reading but the dropped", func() bool { return uint64(s.count()) >= a.delivery.numbers.seq-lost() })
	if got := uint64(s.count()); got != a.delivery.numbers.seq-lost() {
		t.Errorf("%d came of %d and %d count as dropped", got, a.delivery.numbers.seq, lost())
	}
	for _, r := range s.ordered() {
		if r.Seq <= lost() {
			t.Fatalf("%d came: not the oldest were dropped, of which there are %d", r.Seq, lost())
		}
	}
}

func TestReadingsSurviveAFullDisk(t *testing.T) {
	b := startBroker(t)
	b.stop()
	full := &fullDisk{}
	a := runAgent(t, with(sensors(2, 10*time.Millisecond), map[string]string{"MQTT_URL": "tcp://" + b.addr, "BACKLOG_RATE": "5000"}), Deps{Spool: full})
	waitFor(t, "readings on disk", func() bool { return a.backlog() > 20 })
	full.on.Store(true)
	waitFor(t, "readings in memory", func() bool { return a.delivery.monitor.look().pending > 100 })
	b.start()
	s := startStore(t, b.direct, true)
	waitFor(t, "what was on disk and in memory", func() bool { return a.delivery.monitor.look().pending == 0 && a.backlog() == 0 && s.count() > 100 })
	full.on.Store(false)
	if err := a.stop(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "every reading", func() bool { return uint64(s.count()) == a.delivery.numbers.seq })
	s.complete()
	s.times()
}

func TestAFullDiskFromTheStartIsNoReasonNotToStart(t *testing.T) {
	b := startBroker(t)
	s := startStore(t, b.direct, true)
	full := &fullDisk{}
	full.on.Store(true)
	a := runAgent(t, with(sensors(2, 10*time.Millisecond), map[string]string{"MQTT_URL": "tcp://" + b.addr}), Deps{Spool: full})
	waitFor(t, "readings", func() bool { return s.count() > 50 })
	if err := a.stop(); err != nil {
		t.Fatal(err)
	}
	s.complete()
}

// fullDisk is the disk, without room while on is set.
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
	if err == nil && at+int64(len(b)) > size { // in place there is room
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
	waitFor(t, "the first agent", func() bool { l, _ := first.delivery.monitor.disk(); return l != nil })
	second := newAgent(t, with(sensors(1, time.Second), map[string]string{"MQTT_URL": "tcp://" + b.addr, "SPOOL_DIR": first.cfg.Dir}), Deps{})
	if err := second.Run(t.Context()); !errors.Is(err, spool.ErrLocked) {
		t.Errorf("err = %v", err)
	}
}
