package folder

import (
	"path/filepath"
	"testing"

	"github.com/hearth-home/hearth/shared/testserver"
)

func TestTheDiskOfAFolderThatIsNotThereYet(t *testing.T) {
	dir := testserver.SmallDisk(t, 8)
	for _, name := range []string{dir, filepath.Join(dir, "a", "b")} {
		if size, free, err := Disk(name); err != nil || size != 8<<20 || free < 7<<20 || free > size {
			t.Errorf("%s: %d bytes, %d free, %v", name, size, free, err)
		}
	}
}
