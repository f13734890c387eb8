package testserver

import (
	"fmt"
	"syscall"
	"testing"
)

// SmallDisk returns a folder that is a disk of its own, of so many MiB of memory. It
// skips the test where mounting is not allowed, also if CI is set.
func SmallDisk(t testing.TB, mib int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=700", mib)); err != nil {
		t.Skipf("not tested: what happens on a full disk, because mounting a small one is not allowed here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}
