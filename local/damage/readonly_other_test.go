//go:build !linux

package damage

import "testing"

// readOnly is not reached: testserver.SmallDisk skips the test.
func readOnly(t *testing.T, _ string) { t.Fatal("only on Linux") }
