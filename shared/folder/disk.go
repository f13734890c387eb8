package folder

import (
	"errors"
	"io/fs"
	"path/filepath"
)

// Disk returns the size of the disk of a folder and what is free on it for this process, in
// bytes. If there is no such folder yet, it is the disk on which it would be.
func Disk(dir string) (size, free int64, err error) {
	for {
		size, free, err = disk(dir)
		above := filepath.Dir(dir)
		if !errors.Is(err, fs.ErrNotExist) || above == dir {
			return size, free, err
		}
		dir = above
	}
}
