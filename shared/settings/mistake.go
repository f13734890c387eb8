package settings

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/nearest"
)

// Mistake is what is wrong in hearth.yml, where, and what to write instead.
type Mistake struct {
	Line    int    `json:"line"` // from 1; 0: of the whole file
	Column  int    `json:"column"`
	Path    string `json:"path"` // devices[0].fields.power; "" for the whole file
	Text    string `json:"text"`
	Warning bool   `json:"warning"` // the file is good all the same
}

// Error is the mistake as one line.
func (m Mistake) Error() string {
	var b strings.Builder
	if m.Line > 0 {
		fmt.Fprintf(&b, "line %d, column %d: ", m.Line, m.Column)
	}
	if m.Path != "" {
		b.WriteString(m.Path + ": ")
	}
	return b.String() + m.Text
}

type at struct{ line, column int }

// Mistake notes what is wrong at a path, as in devices[0].fields.power; where that
// is not in the file, at what it would stand in.
func (f *File) Mistake(path, format string, args ...any) {
	f.mistake(f.nearPath(path), path, fmt.Sprintf(format, args...), false)
}

// Warn notes what may be wrong at a path, as Mistake does.
func (f *File) Warn(path, format string, args ...any) {
	f.mistake(f.nearPath(path), path, fmt.Sprintf(format, args...), true)
}

func (f *File) nearPath(path string) at {
	for path != "" && f.at[path] == (at{}) {
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return f.at[path]
}

const maxMistakes = 1000

func (f *File) mistake(where at, path, text string, warning bool) {
	if !warning {
		f.spoil(path)
	}
	f.note(where, path, text, warning)
}

func (f *File) spoil(path string) {
	if f.spoiled == nil {
		f.spoiled = map[string]bool{}
	}
	f.spoiled[path] = true
}

func (f *File) note(where at, path, text string, warning bool) {
	m := Mistake{Line: where.line, Column: where.column, Path: path, Text: text, Warning: warning}
	again := func(old Mistake) bool { // an anchor is used several times
		return m.Line > 0 && old.Line == m.Line && old.Column == m.Column && old.Text == m.Text
	}
	if len(f.Mistakes) < maxMistakes && !slices.ContainsFunc(f.Mistakes, again) {
		f.Mistakes = append(f.Mistakes, m)
	}
}

// Broken reports that there is a mistake at a path or in what it holds: another
// look at it would only find what follows from that.
func (f *File) Broken(path string) bool {
	return slices.ContainsFunc(f.Mistakes, func(m Mistake) bool { return !m.Warning && within(m.Path, path) })
}

// sound reports that what stands at the paths, as in devices or house.zone, can be
// acted on: there is no mistake in it, nor in the whole of which it is a part. A key
// that is unknown is a mistake in the one that was probably meant.
func (f *File) sound(paths ...string) bool {
	for bad := range f.spoiled {
		if slices.ContainsFunc(paths, func(p string) bool { return within(bad, p) || within(p, bad) }) {
			return false
		}
	}
	return true
}

// within reports that a path leads to what another holds, or to the same.
func within(path, whole string) bool {
	rest, ok := strings.CutPrefix(path, whole)
	return ok && (whole == "" || rest == "" || rest[0] == '.' || rest[0] == '[')
}

// Sorted returns mistakes and warnings as they stand in the file.
func (f *File) Sorted() []Mistake {
	return slices.SortedStableFunc(slices.Values(f.Mistakes), func(a, b Mistake) int {
		return cmp.Or(a.Line-b.Line, a.Column-b.Column)
	})
}

const maxSaid = 20 // in a log

// Err returns the mistakes as one error, a line each, or nil where there are at
// most warnings.
func (f *File) Err() error {
	var errs []error
	more := 0
	for _, m := range f.Sorted() {
		switch {
		case m.Warning:
		case len(errs) < maxSaid:
			errs = append(errs, m)
		default:
			more++
		}
	}
	if more > 0 {
		errs = append(errs, fmt.Errorf("and %d more", more))
	}
	return errors.Join(errs...)
}

// unknown says that a name is not known, and which one may be meant.
func unknown(what, name string, names []string) string {
	if n := nearest.Of(name, names); n != "" {
		return fmt.Sprintf("the %s %q is unknown: did you mean %s?", what, short(name), n)
	}
	return fmt.Sprintf("the %s %q is unknown: known are %s", what, short(name), strings.Join(names, ", "))
}

// short keeps what is quoted brief.
func short(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}
