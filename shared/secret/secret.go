// Package secret reads values that must not be printed, from the folder that
// OpenFaaS mounts, and takes them out of texts.
package secret

import (
	"cmp"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Redacted is what stands where a secret stood.
const Redacted = "[secret]"

const maxLen = 4 << 10 // longer files are settings, not secrets

// Folder is where the secrets are, one file each.
type Folder struct {
	dir  string
	mu   sync.Mutex
	seen map[string][]string // every value ever revealed, for a rotated key stays secret, and its forms
}

// NewFolder returns the secrets in dir. It reads nothing yet.
func NewFolder(dir string) *Folder { return &Folder{dir: dir, seen: map[string][]string{}} }

// String is a token, password or webhook URL, by the name of its file. Printing
// or encoding it gives "[secret]"; Reveal gives the value.
type String struct {
	folder *Folder
	name   string
}

// Get returns the secret called name, whether or not its file is there yet.
func (f *Folder) Get(name string) String { return String{f, filepath.Base(name)} }

// Name is the secret's name: "openweather-key".
func (s String) Name() string { return s.name }

// Reveal returns the value without the newline that editors and kubectl leave,
// or "" where there is none. The file is read at every call, so that a rotated
// key needs no restart. Call it only where the value leaves the process.
func (s String) Reveal() string {
	if s.folder == nil {
		return ""
	}
	b, err := os.ReadFile(filepath.Join(s.folder.dir, s.name))
	if err != nil {
		return ""
	}
	v := strings.TrimSpace(string(b))
	s.folder.remember(v)
	return v
}

// Present reports whether there is a value.
func (s String) Present() bool { return s.Reveal() != "" }

func (String) String() string               { return Redacted }
func (String) GoString() string             { return Redacted }
func (String) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

func (f *Folder) remember(v string) {
	if len(v) > maxLen || strings.Trim(v, "{}[]") == "" { // {} is a file without settings
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seen[v] != nil {
		return
	}
	for _, part := range parts(v) {
		f.seen[v] = append(f.seen[v], forms(part)...)
	}
}

// Redact returns s without the secrets of the folder, in the forms in which
// they turn up: as they are, in a query, in JSON or HTML, quoted, or in base64;
// and without the password in one that is a URL or key=value words. One of fewer
// than six bytes is taken out where it stands as a word of its own: anywhere else
// it would take parts of other words with it, and a secret is no part of a word.
func (f *Folder) Redact(s string) string {
	if f == nil || s == "" {
		return s
	}
	files, _ := os.ReadDir(f.dir) // no folder, no secrets
	for _, e := range files {
		if !strings.HasPrefix(e.Name(), ".") && e.Name() != "" {
			f.Get(e.Name()).Reveal()
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	all := map[string]bool{}
	for _, forms := range f.seen {
		for _, form := range forms {
			all[form] = true
		}
	}
	// The longest first, so that no part of a longer one is left.
	for _, v := range slices.SortedFunc(maps.Keys(all), func(a, b string) int { return cmp.Or(len(b)-len(a), cmp.Compare(a, b)) }) {
		s = replace(s, v)
	}
	return s
}

// Brief is Redact, and then at most n bytes: cutting first could leave half a
// secret that is not recognised.
func (f *Folder) Brief(s string, n int) string {
	s = f.Redact(s)
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

// Read returns the file as it is, at most its first most bytes, and when it was
// written: for settings, which have lines. It is an error of package fs where
// there is none.
func (s String) Read(most int64) (b []byte, written time.Time, err error) {
	if s.folder == nil {
		return nil, written, fs.ErrNotExist
	}
	f, err := os.Open(filepath.Join(s.folder.dir, s.name))
	if err != nil {
		return nil, written, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, written, err
	}
	b, err = io.ReadAll(io.LimitReader(f, most))
	return b, info.ModTime(), err
}
