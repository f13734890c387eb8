//go:build !linux

package host

import "errors"

func statfs(string) (size, free uint64, err error) { return 0, 0, errors.ErrUnsupported }
