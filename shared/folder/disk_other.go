//go:build !linux && !darwin

package folder

import "errors"

func disk(string) (size, free int64, err error) {
	return 0, 0, errors.New("the size of a disk is not known on this system")
}
