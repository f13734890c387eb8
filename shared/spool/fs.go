package spool

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// FS is the part of a file system that a spool needs. Tests use an FS that simulates
// power cuts.
type FS interface {
	MkdirAll(dir string) error
	ReadDir(dir string) ([]string, error) // names of the regular files in dir
	OpenFile(name string, flag int) (File, error)
	Remove(name string) error
	SyncDir(dir string) error                     // makes created and removed names in dir durable
	Lock(name string) (held io.Closer, err error) // ErrLocked if another process holds the lock
}

// File is an open file of an FS.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Truncate(size int64) error
	Size() (int64, error)
	Sync() error // makes data and size durable
}

// disk is the FS of the operating system.
type disk struct{}

// diskFile is an *os.File whose Sync leaves out metadata that is not needed.
type diskFile struct{ *os.File }

func (f diskFile) Sync() error { return syncData(f.File) }

func (f diskFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (disk) MkdirAll(dir string) error { return os.MkdirAll(dir, 0o700) }
func (disk) Remove(name string) error  { return os.Remove(name) }

func (disk) ReadDir(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		if e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

func (disk) OpenFile(name string, flag int) (File, error) {
	f, err := os.OpenFile(name, flag, 0o600)
	if err != nil {
		return nil, err
	}
	return diskFile{f}, nil
}

func (disk) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// noSpace wraps errNoSpace around the errors of a full disk or quota.
func noSpace(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", errNoSpace, err)
	}
	return err
}

// notExist reports whether err says that a file does not exist.
func notExist(err error) bool { return errors.Is(err, fs.ErrNotExist) }
