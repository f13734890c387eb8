package spool

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
)

var errPower = errors.New("power is cut")

// memFS is a file system in memory that can simulate a power cut: synced data stays,
// and chance decides which of the other data stays.
type memFS struct {
	mu      sync.Mutex
	names   map[string]*inode // as programs see them
	durable map[string]*inode // as they are on the disk
	locked  map[string]bool

	ops   int   // operations so far that change the file system
	cutAt int   // the power is cut during this operation; 0 = never
	space int64 // bytes free, -1 = no limit
	syncs error // the result of Sync
	reads error // the error of ReadAt

	onSync func() // called at the start of Sync
}

type inode struct {
	now, disk []byte
	pending   []change // since the last sync
}

// change is a write, or a truncation where data is nil.
type change struct {
	off  int64
	data []byte
}

func newMemFS() *memFS {
	return &memFS{names: map[string]*inode{}, durable: map[string]*inode{}, locked: map[string]bool{}, space: -1}
}

// op counts an operation. It fails once the power is cut.
func (m *memFS) op() error {
	m.ops++
	if m.cutAt > 0 && m.ops >= m.cutAt {
		return errPower
	}
	return nil
}

// apply returns b with the change applied.
func (c change) apply(b []byte) []byte {
	if c.data == nil {
		if c.off <= int64(len(b)) {
			return b[:c.off:c.off]
		}
		return append(b, make([]byte, c.off-int64(len(b)))...)
	}
	if end := c.off + int64(len(c.data)); end > int64(len(b)) {
		b = append(b, make([]byte, end-int64(len(b)))...)
	}
	copy(b[c.off:], c.data)
	return b
}

// reboot returns the file system after a power cut, as one possible state of the disk.
func (m *memFS) reboot(rng *rand.Rand) *memFS {
	m.mu.Lock()
	defer m.mu.Unlock()
	after := newMemFS()
	for _, name := range union(m.names, m.durable) {
		node, was := m.names[name], m.durable[name]
		if node != was && rng.IntN(2) == 0 {
			node = was // the change of this name was lost
		}
		if node == nil {
			continue
		}
		left := node.afterCut(rng)
		after.names[name] = &inode{now: left, disk: append([]byte(nil), left...)}
		after.durable[name] = after.names[name]
	}
	return after
}

// afterCut returns one possible content after a power cut: the synced content, and of
// each later change either all, nothing, a part, or only the larger size, filled with
// zeros or old garbage.
func (n *inode) afterCut(rng *rand.Rand) []byte {
	b := append([]byte(nil), n.disk...)
	for _, c := range n.pending {
		switch rng.IntN(5) {
		case 0:
		case 1:
			b = c.apply(b)
		default:
			if len(c.data) == 0 {
				continue
			}
			whole, from := len(c.data), min(len(b), int(c.off)+len(c.data))
			part := rng.IntN(whole)
			room := c.apply(append([]byte(nil), b...))[:max(len(b), int(c.off)+whole)]
			for i := from; i < len(room); i++ { // what the file grew by
				room[i] = byte(rng.IntN(2) * rng.IntN(256))
			}
			if rng.IntN(2) == 0 {
				room = room[:max(len(b), int(c.off)+part)]
			}
			b = change{c.off, c.data[:part:part]}.apply(room)
		}
	}
	return b
}

func union(a, b map[string]*inode) (names []string) {
	for name := range a {
		names = append(names, name)
	}
	for name := range b {
		if a[name] == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names) // so that only the seed decides the outcome
	return names
}

func (m *memFS) MkdirAll(string) error { return nil }

func (m *memFS) ReadDir(dir string) (names []string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name := range m.names {
		if filepath.Dir(name) == dir {
			names = append(names, filepath.Base(name))
		}
	}
	return names, nil
}

func (m *memFS) OpenFile(name string, flag int) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	node := m.names[name]
	switch {
	case node == nil && flag&os.O_CREATE == 0:
		return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.ENOENT}
	case node == nil:
		if err := m.op(); err != nil {
			return nil, err
		}
		node = &inode{}
		m.names[name] = node
	case flag&os.O_TRUNC != 0:
		if err := m.op(); err != nil {
			return nil, err
		}
		m.grow(-int64(len(node.now)))
		node.pending = append(node.pending, change{})
		node.now = nil
	}
	return &memFile{m, node}, nil
}

func (m *memFS) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.op(); err != nil {
		return err
	}
	node := m.names[name]
	if node == nil {
		return syscall.ENOENT
	}
	m.grow(-int64(len(node.now)))
	delete(m.names, name)
	return nil
}

func (m *memFS) SyncDir(dir string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.op(); err != nil {
		return err
	}
	for _, name := range union(m.names, m.durable) {
		if filepath.Dir(name) != dir {
			continue
		}
		if m.durable[name] = m.names[name]; m.durable[name] == nil {
			delete(m.durable, name)
		}
	}
	return nil
}

func (m *memFS) grow(n int64) {
	if m.space >= 0 {
		m.space -= n
	}
}
