// Package secret reads secrets from the folder that OpenFaaS mounts, and redacts them
// from texts.
package secret

import (
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

// redacted replaces a secret in a text.
const redacted = "[secret]"

const maxLen = 4 << 10 // bytes; a longer file contains settings and is not redacted

// Folder is a folder with one file per secret, or the same in memory. It is safe for
// concurrent use.
type Folder struct {
	dir    string
	values map[string]string // of a folder in memory, by name
	files  map[string]string // of a folder in memory: the paths of secrets that are files elsewhere
	mu     sync.Mutex
	seen   map[string]bool // every value read so far: a rotated key is still redacted
	match  *matcher        // of seen; nil: none yet
}

// NewFolder returns the folder dir. It reads no file.
func NewFolder(dir string) *Folder { return &Folder{dir: dir, seen: map[string]bool{}} }

// InMemory returns a folder of these values, by name, that is not on the disk: no other
// process can read or change them. A name in files is a secret that is read from the file
// at that path instead; the file need not exist yet.
func InMemory(values, files map[string]string) *Folder {
	return &Folder{values: maps.Clone(values), files: maps.Clone(files), seen: map[string]bool{}}
}

// path returns the path of a secret's file. In memory, a secret that is no file has "",
// which no file has.
func (f *Folder) path(name string) string {
	if f.dir == "" {
		return f.files[name]
	}
	return filepath.Join(f.dir, name)
}

// names returns the names of the folder's secrets.
func (f *Folder) names() []string {
	if f.dir == "" {
		return slices.AppendSeq(slices.Collect(maps.Keys(f.values)), maps.Keys(f.files))
	}
	var out []string
	files, _ := os.ReadDir(f.dir) // without the folder there are no secrets
	for _, e := range files {
		if !strings.HasPrefix(e.Name(), ".") {
			out = append(out, e.Name())
		}
	}
	return out
}

// String refers to a secret, such as a token, a password or a webhook URL, by the name
// of its file. Printing or encoding it gives "[secret]"; Reveal returns the value.
type String struct {
	folder *Folder
	name   string
}

// Get returns the secret called name. Its file need not exist yet.
func (f *Folder) Get(name string) String { return String{f, filepath.Base(name)} }

// Name returns the secret's name: "openweather-key".
func (s String) Name() string { return s.name }

// Reveal returns the value, or "" if there is no such file. It trims spaces and the
// newline that editors and kubectl add. It reads the file at every call, so a rotated
// key needs no restart. Call it only where the value is sent to another program.
func (s String) Reveal() string {
	if s.folder == nil {
		return ""
	}
	v, ok := s.folder.values[s.name]
	if !ok {
		b, err := os.ReadFile(s.folder.path(s.name))
		if err != nil {
			return ""
		}
		v = string(b)
	}
	v = strings.TrimSpace(v)
	s.folder.remember(v)
	return v
}

// Present reports whether the file exists and is not empty.
func (s String) Present() bool { return s.Reveal() != "" }

func (String) String() string               { return redacted }
func (String) GoString() string             { return redacted }
func (String) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Remember adds to what is redacted a part of a secret that has several.
func (f *Folder) Remember(part string) {
	if f != nil {
		f.remember(part)
	}
}

// remember adds v to the values to redact.
func (f *Folder) remember(v string) {
	if len(v) > maxLen || strings.Trim(v, "{}[]") == "" { // {} is an empty file of settings
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seen[v] {
		return
	}
	f.seen[v] = true
	f.match = nil
}

// matcher returns the matcher of all values read so far.
func (f *Folder) matcher() *matcher {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.match != nil {
		return f.match
	}
	var all []pattern
	for v := range f.seen {
		for _, part := range parts(v) {
			all = append(all, patterns(part)...)
		}
	}
	f.match = newMatcher(all)
	return f.match
}

// Redact returns s with "[secret]" in place of every secret of the folder. It finds a
// secret as it is, in base64 and in hex, and if any of its characters are escaped for a URL,
// JSON, HTML or a programming language, several times if need be. It also finds a part of
// about twelve bytes, and the password inside a secret that is a URL or a connection
// string. A secret of fewer than six bytes is replaced only where it is a whole word, so
// that other words that contain it stay readable. A nil Folder returns s.
func (f *Folder) Redact(s string) string { return f.redact(s, false) }

// RedactCut is Redact for the beginning of a longer text, such as the first bytes of an
// answer. At its end it also replaces the beginning of a secret, from four bytes on.
func (f *Folder) RedactCut(s string) string { return f.redact(s, true) }

func (f *Folder) redact(s string, cut bool) string {
	if f == nil || s == "" {
		return s
	}
	for _, name := range f.names() {
		f.Get(name).Reveal()
	}
	return f.matcher().redact(s, cut)
}

// Brief redacts s and then shortens it to at most n bytes and "…". Shortening first
// could leave half of a secret, which Redact would not find.
func (f *Folder) Brief(s string, n int) string {
	s = f.Redact(s)
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

// Read returns the first limit bytes of the file, unchanged, and the time of its last
// change, which is zero for a value in memory. It is for settings. If there is no such
// file, errors.Is(err, fs.ErrNotExist) is true.
func (s String) Read(limit int64) (b []byte, written time.Time, err error) {
	if s.folder == nil {
		return nil, written, fs.ErrNotExist
	}
	if v, ok := s.folder.values[s.name]; ok {
		return []byte(v[:min(int64(len(v)), limit)]), written, nil
	}
	f, err := os.Open(s.folder.path(s.name))
	if err != nil {
		return nil, written, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, written, err
	}
	b, err = io.ReadAll(io.LimitReader(f, limit))
	return b, info.ModTime(), err
}
