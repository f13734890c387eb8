//go:build !linux

package testserver

import "testing"

// SmallDisk returns a folder that is a disk of its own, of so many MiB. It skips the
// test: such a disk is made on Linux only.
func SmallDisk(t testing.TB, mib int) string {
	t.Helper()
	t.Skip("not tested: what happens on a full disk, because a small one is made on Linux only")
	return ""
}
