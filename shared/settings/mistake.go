package settings

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/nearest"
)

// Mistake is a mistake in hearth.yml: its position, and what to write instead.
type Mistake struct {
	Line    int    `json:"line"` // from 1; 0: the whole file
	Column  int    `json:"column"`
	Path    string `json:"path"` // as in devices[0].fields.power; "": the whole file
	Text    string `json:"text"`
	Warning bool   `json:"warning"` // the file may be used all the same
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

type position struct{ line, column int }

// Mistake notes a mistake at a path, as in devices[0].fields.power. If the file has no
// such path, the mistake stands at the nearest one that contains it.
func (f *File) Mistake(path, format string, args ...any) {
	f.mistake(f.nearPath(path), path, fmt.Sprintf(format, args...), false)
}

// Warn notes a warning at a path, as Mistake does.
func (f *File) Warn(path, format string, args ...any) {
	f.mistake(f.nearPath(path), path, fmt.Sprintf(format, args...), true)
}

// nearPath returns the position of a path, or of the nearest one that contains it.
func (f *File) nearPath(path string) position {
	for path != "" && f.at[path] == (position{}) {
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return f.at[path]
}

const maxMistakes = 1000

func (f *File) mistake(where position, path, text string, warning bool) {
	if !warning {
		f.markInvalid(path)
	}
	f.note(where, path, text, warning)
}

func (f *File) markInvalid(path string) {
	if f.invalid == nil {
		f.invalid = map[string]bool{}
	}
	f.invalid[path] = true
}

func (f *File) note(where position, path, text string, warning bool) {
	m := Mistake{Line: where.line, Column: where.column, Path: path, Text: text, Warning: warning}
	again := func(old Mistake) bool { // the value of an anchor may be used several times
		return m.Line > 0 && old.Line == m.Line && old.Column == m.Column && old.Text == m.Text
	}
	if len(f.Mistakes) < maxMistakes && !slices.ContainsFunc(f.Mistakes, again) {
		f.Mistakes = append(f.Mistakes, m)
	}
}

// Broken reports whether there is a mistake at a path or below it. Checking it further
// would only find consequences of that mistake.
func (f *File) Broken(path string) bool {
	return slices.ContainsFunc(f.Mistakes, func(m Mistake) bool { return !m.Warning && within(m.Path, path) })
}

// valid reports whether the paths, as in devices or house.zone, have no mistake: not
// in them, nor in what contains them. An unknown key counts as a mistake of the known
// key that was probably meant.
func (f *File) valid(paths ...string) bool {
	for bad := range f.invalid {
		if slices.ContainsFunc(paths, func(p string) bool { return within(bad, p) || within(p, bad) }) {
			return false
		}
	}
	return true
}

// within reports whether path is whole or below it.
func within(path, whole string) bool {
	rest, ok := strings.CutPrefix(path, whole)
	return ok && (whole == "" || rest == "" || rest[0] == '.' || rest[0] == '[')
}

// Sorted returns mistakes and warnings in the order of their positions.
func (f *File) Sorted() []Mistake {
	return slices.SortedStableFunc(slices.Values(f.Mistakes), func(a, b Mistake) int {
		return cmp.Or(a.Line-b.Line, a.Column-b.Column)
	})
}

// Note says in a sentence what is wrong with hearth.yml. f is the file in use, and err what Look
// of a Watch returned with it: if these are its own mistakes, it is in use all the same.
func (f *File) Note(err error) string {
	if own := f.Err(); own != nil && own.Error() == err.Error() {
		return "hearth.yml has mistakes: " + err.Error()
	}
	return "hearth.yml has mistakes; its last good version stays in use: " + err.Error()
}

const maxInError = 20 // mistakes that Err returns

// Err returns the mistakes as one error, a line each, at most 20; nil if there are
// only warnings.
func (f *File) Err() error {
	var errs []error
	more := 0
	for _, m := range f.Sorted() {
		switch {
		case m.Warning:
		case len(errs) < maxInError:
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

// unknown is the text for a name that is not known, with the nearest known name.
func unknown(what, name string, names []string) string {
	if n := nearest.Of(name, names); n != "" {
		return fmt.Sprintf("the %s %q is unknown: did you mean %s?", what, short(name), n)
	}
	return fmt.Sprintf("the %s %q is unknown: known are %s", what, short(name), strings.Join(names, ", "))
}

// short cuts a text that is quoted in a message.
func short(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}
