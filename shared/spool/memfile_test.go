package spool

import (
	"io"
	"syscall"
)

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
	if f.m.space >= 0 && more > f.m.space { // a full disk writes the bytes that fit
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
	if f.m.onSync != nil {
		f.m.onSync()
	}
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.m.op(); err != nil {
		return err
	}
	pending := f.node.pending
	f.node.pending = nil
	if f.m.syncs != nil { // as on Linux: reported once, then the data counts as written
		return f.m.syncs
	}
	for _, c := range pending {
		f.node.disk = c.apply(f.node.disk)
	}
	return nil
}
