package agent

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hearth-home/hearth/edge/window"
	"github.com/hearth-home/hearth/shared/spool"
)

// uptime is when the agent started.
type uptime time.Time

// now is the time since then. It never steps, and begins at a second: zero means
// never.
func (u uptime) now() time.Duration { return time.Since(time.Time(u)) + time.Second }

// monitor is what the parts show of themselves, for metrics and health. Any
// goroutine may use it.
type monitor struct {
	log *slog.Logger
	up  uptime

	lost     atomic.Uint64 // readings
	wroteOwn atomic.Int64  // bytes, beside the spool's
	lastBeat atomic.Int64  // of the delivery, by up

	mu     sync.Mutex
	last   view
	spool  *spool.Log
	reader *spool.Reader
}

// view is how the delivery stood at its last tick.
type view struct {
	connected, gaveUp bool
	disk              bool // takes readings
	window            window.Stats
	live, backlog     int // readings in the window
	bytes, pending    int
	numbered          uint64
}

// lose counts readings that neither disk nor memory could keep.
func (m *monitor) lose(n int) {
	m.lost.Add(uint64(n))
	m.log.Error("readings were lost: the disk takes none and memory is full", "readings", n)
}

// wrote counts bytes that went to the disk besides the spool's.
func (m *monitor) wrote(n int) { m.wroteOwn.Add(int64(n)) }

func (m *monitor) showSpool(l *spool.Log, r *spool.Reader) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.spool, m.reader = l, r
}

func (m *monitor) show(v view) {
	m.lastBeat.Store(int64(m.up.now()))
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last = v
}

func (m *monitor) look() view {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.last
}

// disk returns the spool and its reader, nil while the disk was never usable.
func (m *monitor) disk() (*spool.Log, *spool.Reader) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.spool, m.reader
}

// written is how many bytes went to the disk since the start, and by how many syncs.
func (m *monitor) written() (bytes uint64, syncs uint64) {
	bytes = uint64(m.wroteOwn.Load())
	if l, _ := m.disk(); l != nil {
		s := l.Stats()
		bytes, syncs = bytes+s.Written, s.Fsyncs
	}
	return bytes, syncs
}
