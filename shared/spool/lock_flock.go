//go:build linux || darwin || freebsd || netbsd || openbsd

package spool

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// Lock locks the file name for this process. The kernel releases the lock when the
// process ends, however it ends.
func (disk) Lock(name string) (io.Closer, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, ErrLocked
	}
	return nil, fmt.Errorf("flock: %w", err)
}
