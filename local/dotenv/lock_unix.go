//go:build unix

package dotenv

import (
	"errors"
	"os"
	"syscall"
)

// lockFolder waits until no other process changes a file of settings in the folder, and
// keeps them from it until unlock.
func lockFolder(dir string) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { f.Close() }, nil
}
