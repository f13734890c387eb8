//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package spool

import (
	"io"
	"os"
)

// Lock creates the lock file but locks nothing: this operating system has no flock.
func (disk) Lock(name string) (io.Closer, error) {
	return os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
}
