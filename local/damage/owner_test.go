package damage

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// other is a user that is not root.
const other = 65534

// A folder of another user is named, with what to do. The connector runs as another user
// if this one is root, who may write everywhere.
func TestAFolderOfAnotherUser(t *testing.T) {
	dir := t.TempDir()
	private := filepath.Join(dir, "private")
	if err := errors.Join(os.Mkdir(private, 0o500), os.Chmod(dir, 0o755), os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(scratch, 0o755)); err != nil {
		t.Fatal(err)
	}
	startAs(t, other, built(t, "./connectors/mqtt"), settings(t, filepath.Join(private, "data"))).refuses("permission denied", "can write to", "DATA_DIR", private)
}

// credential makes a process run as a user, if this one may do that.
func credential(user uint32) *syscall.SysProcAttr {
	if user == 0 || os.Geteuid() != 0 {
		return nil
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
}
