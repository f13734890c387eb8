package host

import "golang.org/x/sys/unix"

// statfs returns the size of a file system and the space free for an ordinary user, in
// bytes.
func statfs(path string) (size, free uint64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return 0, 0, err
	}
	return st.Blocks * uint64(st.Bsize), st.Bavail * uint64(st.Bsize), nil
}
