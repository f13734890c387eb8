package damage

import (
	"syscall"
	"testing"
)

// readOnly makes a disk of testserver.SmallDisk read-only.
func readOnly(t *testing.T, disk string) {
	t.Helper()
	if err := syscall.Mount("", disk, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
}
