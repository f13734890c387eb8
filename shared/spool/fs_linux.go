package spool

import (
	"errors"
	"os"
	"syscall"
)

// syncData syncs data and size, but not the modification time. If the size did not
// change, this saves a write to the file system's journal, and thereby wear of an
// SD card.
func syncData(f *os.File) error {
	for {
		err := syscall.Fdatasync(int(f.Fd()))
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
