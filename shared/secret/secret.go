// Package secret reads values that must not be printed, from the folder that
// OpenFaaS mounts, and takes them out of texts.
package secret

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"html"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Redacted is what stands where a secret stood.
const Redacted = "[secret]"

const (
	minLen = 6       // shorter values would take ordinary words with them
	maxLen = 4 << 10 // longer files are settings, not secrets
)

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
	if len(v) < minLen || len(v) > maxLen {
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
// they turn up: as they are, in a query, in JSON or HTML, quoted, or in basic
// authentication.
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
		s = strings.ReplaceAll(s, v, Redacted)
	}
	return s
}

// forms returns v as it turns up. An upstream that tells it back in JSON is
// quoted in an error, which is quoted once more in a log.
func forms(v string) []string {
	out := []string{
		v, url.QueryEscape(v), url.PathEscape(v), html.EscapeString(v),
		base64.StdEncoding.EncodeToString([]byte(v)), base64.URLEncoding.EncodeToString([]byte(v)),
	}
	quoted := []string{v, inJSON(v)}
	for range 3 {
		for i, q := range quoted {
			q = strconv.Quote(q)
			quoted[i] = q[1 : len(q)-1]
		}
		out = append(out, quoted...)
	}
	return append(out, inJSON(v))
}

// inJSON is v as json.Encoder writes it: \u0026 for an ampersand.
func inJSON(v string) string {
	b, err := json.Marshal(v)
	if err != nil {
		return v
	}
	return string(b[1 : len(b)-1])
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

// parts returns v and, where it is a URL, the password and path that make it a
// secret.
func parts(v string) []string {
	out := []string{v}
	u, err := url.Parse(v)
	if err != nil || u.Host == "" {
		return out
	}
	more := []string{}
	if u.User != nil {
		p, _ := u.User.Password()
		_, encoded, _ := strings.Cut(u.User.String(), ":")
		more = append(more, p, encoded)
	} else {
		more = append(more, strings.TrimPrefix(u.RequestURI(), "/"))
	}
	for _, p := range more {
		if len(p) >= minLen {
			out = append(out, p)
		}
	}
	return out
}
