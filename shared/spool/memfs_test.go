package spool

import (
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

var errPower = errors.New("power is gone")

// memFS is a file system in memory that knows what a power cut would leave: what
// was synced for certain, and of the rest whatever chance decides.
type memFS struct {
	mu      sync.Mutex
	names   map[string]*inode // as programs see them
	durable map[string]*inode // as the disk has them
	locked  map[string]bool

	ops   int   // operations that change something, so far
	cutAt int   // the power goes during this one; 0 = never
	space int64 // bytes left, -1 = no end
	syncs error // what Sync answers from now on
	reads error // what ReadAt answers from now on
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

// op counts an operation; with the power gone, it fails.
func (m *memFS) op() error {
	m.ops++
	if m.cutAt > 0 && m.ops >= m.cutAt {
		return errPower
	}
	return nil
}

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

// reboot returns what the disk holds after the power came back.
func (m *memFS) reboot(rng *rand.Rand) *memFS {
	m.mu.Lock()
	defer m.mu.Unlock()
	after := newMemFS()
	for _, name := range union(m.names, m.durable) {
		node, was := m.names[name], m.durable[name]
		if node != was && rng.IntN(2) == 0 {
			node = was // the change of this name did not make it
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

// afterCut is the synced content and, of each change since: all, nothing, a part,
// or only the room for it, with zeros or old rubbish in it.
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

type memLock struct {
	m    *memFS
	name string
}

func (m *memFS) Lock(name string) (io.Closer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locked[name] {
		return nil, ErrLocked
	}
	m.locked[name] = true
	return memLock{m, name}, nil
}

func (l memLock) Close() error {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	delete(l.m.locked, l.name)
	return nil
}

type memFile struct {
	m    *memFS
	node *inode
}

func (f *memFile) Close() error { return nil }

func (f *memFile) Size() (int64, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	return int64(len(f.node.now)), nil
}

func (f *memFile) ReadAt(b []byte, off int64) (int, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if f.m.reads != nil {
		return 0, f.m.reads
	}
	if off >= int64(len(f.node.now)) {
		return 0, io.EOF
	}
	n := copy(b, f.node.now[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memFile) WriteAt(b []byte, off int64) (n int, err error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	err = f.m.op()
	more := max(off+int64(len(b))-int64(len(f.node.now)), 0)
	if f.m.space >= 0 && more > f.m.space { // a full disk takes what fits
		b, more, err = b[:int64(len(b))-(more-f.m.space)], f.m.space, syscall.ENOSPC
	}
	f.m.grow(more)
	c := change{off, append([]byte{}, b...)}
	f.node.now = c.apply(f.node.now)
	f.node.pending = append(f.node.pending, c)
	if err != nil {
		return 0, err
	}
	return len(b), nil
}

func (f *memFile) Truncate(size int64) error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.m.op(); err != nil {
		return err
	}
	f.m.grow(size - int64(len(f.node.now)))
	c := change{off: size}
	f.node.now = c.apply(f.node.now)
	f.node.pending = append(f.node.pending, c)
	return nil
}

func (f *memFile) Sync() error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.m.op(); err != nil {
		return err
	}
	if f.m.syncs != nil {
		return f.m.syncs
	}
	f.node.disk = append([]byte(nil), f.node.now...)
	f.node.pending = nil
	return nil
}

// segments lists the segment files there are.
func (m *memFS) segments(tb testing.TB, dir string) (names []string) {
	tb.Helper()
	all, err := m.ReadDir(dir)
	if err != nil {
		tb.Fatal(err)
	}
	for _, name := range all {
		if strings.HasSuffix(name, ".log") {
			names = append(names, filepath.Join(dir, name))
		}
	}
	return names
}
