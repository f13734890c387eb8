// Package folder explains why a program's folder cannot be used.
package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// The codes of SQLite for a full disk and for a file that it may not write or cannot open:
// https://www.sqlite.org/rescode.html
const (
	sqliteReadOnly = 8
	sqliteFull     = 13
	sqliteCantOpen = 14
)

// Explain returns err with what to do about it in the same line, if it says that files in
// dir cannot be used: the disk is full, the folder is read-only or belongs to another user,
// or a file is where a folder should be. setting names the folder. It returns any other err
// as it is.
func Explain(err error, setting, dir string) error {
	what := advice(err)
	if what == "" {
		return err
	}
	return fmt.Errorf("%w: "+what, err, dir, setting)
}

// advice returns what to do about err, with verbs for the folder and its setting, or "".
func advice(err error) string {
	code := 0
	var coded interface{ Code() int }
	if errors.As(err, &coded) {
		code = coded.Code() & 0xff
	}
	is := func(target error) bool { return errors.Is(err, target) }
	switch {
	case is(syscall.ENOSPC), is(syscall.EDQUOT), code == sqliteFull:
		return "free space on the disk of %s, or name a folder on another one with %s"
	case is(syscall.ENOTDIR), is(syscall.EISDIR), is(syscall.EEXIST):
		return "a file is where a folder should be, or the other way round: move it away from %s, or name another folder with %s"
	case is(fs.ErrPermission), is(syscall.EROFS), code == sqliteReadOnly, code == sqliteCantOpen:
		return "make %s a folder that this user can write to, or name another one with %s"
	}
	return ""
}
