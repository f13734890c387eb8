package folder

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

type coded int

func (c coded) Error() string { return "of a database" }
func (c coded) Code() int     { return int(c) }

func TestExplainSaysWhatToDo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, notDir := os.ReadFile(filepath.Join(file, "x"))
	for want, errs := range map[string][]error{
		"free space":     {&fs.PathError{Op: "write", Err: syscall.ENOSPC}, syscall.EDQUOT, coded(13)},
		"can write to":   {&fs.PathError{Op: "open", Err: syscall.EROFS}, fs.ErrPermission, syscall.EACCES, coded(8), coded(14 | 1<<8)},
		"move it away":   {notDir, os.MkdirAll(file, 0o700), syscall.EISDIR},
		"something else": {errors.New("something else"), coded(11)},
	} {
		for _, err := range errs {
			got := Explain(err, "DATA_DIR", "/data")
			text := got.Error()
			known := want != "something else"
			if !errors.Is(got, err) || strings.Contains(text, "\n") || known != (strings.Contains(text, want) && strings.Contains(text, "DATA_DIR") && strings.Contains(text, "/data")) {
				t.Errorf("%v is explained as %q, want %q", err, text, want)
			}
		}
	}
}
