//go:build linux || darwin

package folder

import (
	"errors"

	"golang.org/x/sys/unix"
)

func disk(dir string) (size, free int64, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, 0, err
	}
	if s.Blocks == 0 {
		return 0, 0, errors.New("the file system does not tell its size")
	}
	return int64(s.Blocks) * int64(s.Bsize), int64(s.Bavail) * int64(s.Bsize), nil
}
