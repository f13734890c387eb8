//go:build !unix

package local

import "os"

// lock cannot tell here whether another process has the file.
func lock(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
}

// locked cannot tell here, either: no file is taken for one of a running platform.
func locked(*os.File) bool { return false }
