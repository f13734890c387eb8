package agent

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hearth-home/hearth/edge/window"
	"github.com/hearth-home/hearth/shared/spool"
)

// uptime is the time when the agent started.
type uptime time.Time

// now returns the monotonic time since the start plus one second, so that zero can mean
// never.
func (u uptime) now() time.Duration { return time.Since(time.Time(u)) + time.Second }

// monitor holds the state of the other parts for metrics and health. It is safe for
// concurrent use.
type monitor struct {
	log *slog.Logger
	up  uptime

	lost     atomic.Uint64 // readings
	wroteOwn atomic.Int64  // bytes written outside the spool
	lastBeat atomic.Int64  // time of delivery's last tick, by up

	mu     sync.Mutex
	last   snapshot
	spool  *spool.Log
	reader *spool.Reader
}

// snapshot is the state of delivery at its last tick.
type snapshot struct {
	connected, gaveUp bool
	disk              bool // the disk takes readings
	window            window.Stats
	live, backlog     int // readings in the window
	bytes, pending    int
	numbered          uint64
}

// countLost counts and logs readings that neither disk nor memory could keep, or that
// the disk gave back damaged.
func (m *monitor) countLost(n int) {
	m.lost.Add(uint64(n))
	m.log.Error("readings were lost: neither disk nor memory had room, or they were damaged on disk", "readings", n)
}

// countWritten counts bytes that were written to disk outside the spool.
func (m *monitor) countWritten(n int) { m.wroteOwn.Add(int64(n)) }

func (m *monitor) setSpool(l *spool.Log, r *spool.Reader) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.spool, m.reader = l, r
}

func (m *monitor) setSnapshot(v snapshot) {
	m.lastBeat.Store(int64(m.up.now()))
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last = v
}

func (m *monitor) snapshot() snapshot {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.last
}

// disk returns the spool and its reader, nil before the spool was opened.
func (m *monitor) disk() (*spool.Log, *spool.Reader) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.spool, m.reader
}

// written returns how many bytes were written to disk since the start, and the number
// of syncs.
func (m *monitor) written() (bytes uint64, syncs uint64) {
	bytes = uint64(m.wroteOwn.Load())
	if l, _ := m.disk(); l != nil {
		s := l.Stats()
		bytes, syncs = bytes+s.Written, s.Fsyncs
	}
	return bytes, syncs
}
