package dotenv

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Set gives variables these values in the file and leaves the rest of it as it is: other
// lines, their order and the comments. A variable that is new comes after the line that has
// it as a comment (#KEY=), or else at the end. The file is replaced in one step, and only
// its user can read the new one. Two processes that set variables at the same time lose
// nothing. No error holds a value.
func Set(file string, values map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if err := checkValue(values[name]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if real, err := filepath.EvalSymlinks(file); err == nil {
		file = real // not the link is replaced
	}
	unlock, err := lockFolder(filepath.Dir(file))
	if err != nil {
		return err
	}
	defer unlock()
	b, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text, err := with(string(b), values)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return replace(file, text)
}

// checkValue returns an error if a value cannot stand in the file.
func checkValue(v string) error {
	switch {
	case strings.ContainsAny(v, "\r\n"):
		return errors.New("it has a line break: a value has one line")
	case !utf8.ValidString(v) || strings.ContainsFunc(v, func(r rune) bool { return r != '\t' && unicode.IsControl(r) }):
		return errControl
	}
	return nil
}

// with returns the text with these values. It is an error if the text has mistakes, or if
// it would be read otherwise than it is meant.
func with(text string, values map[string]string) (string, error) {
	before, err := Parse(text)
	if err != nil {
		return "", err
	}
	lines := slices.Collect(strings.Lines(text))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		lines = withLine(lines, name, values[name])
	}
	out := strings.Join(lines, "")
	after, err := Parse(out)
	if err != nil {
		return "", err
	}
	maps.Copy(before, values)
	if !maps.Equal(before, after) {
		return "", errors.New("a value cannot be written so that a shell reads the same")
	}
	return out, nil
}

// withLine replaces the last line that sets a variable, since that one counts, or adds one.
func withLine(lines []string, name, v string) []string {
	set, comment := -1, -1
	for i, line := range lines {
		if k, _, err := assignment(strings.TrimSuffix(line, "\n")); err == nil && k == name {
			set = i
		}
		if bare, ok := strings.CutPrefix(strings.TrimLeft(line, blank), "#"); ok && strings.HasPrefix(strings.TrimLeft(bare, blank), name+"=") {
			comment = i
		}
	}
	if set >= 0 {
		lines[set] = rewritten(lines[set], name, v)
		return lines
	}
	at := len(lines)
	if comment >= 0 {
		at = comment + 1
	}
	if at > 0 && !strings.HasSuffix(lines[at-1], "\n") {
		lines[at-1] += "\n"
	}
	return slices.Insert(lines, at, name+"="+quote(v)+"\n")
}

// rewritten returns a line that sets a variable with another value. What stands before the
// name and the comment at the end stay.
func rewritten(line, name, v string) string {
	start := strings.Index(line, name+"=")
	exported := strings.TrimLeft(line[:start], blank) != ""
	_, rest, err := split(strings.TrimSuffix(line[start+len(name)+1:], "\n"), exported)
	if err != nil {
		rest = ""
	}
	return line[:start] + name + "=" + quote(v) + rest + "\n"
}

// quote writes a value so that a shell reads it as it is.
func quote(v string) string {
	plain := func(r rune) bool {
		return r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_./,:+@%=", r))
	}
	switch {
	case strings.IndexFunc(v, func(r rune) bool { return !plain(r) }) < 0:
		return v
	case !strings.Contains(v, "'"):
		return "'" + v + "'"
	}
	return `"` + strings.NewReplacer(`"`, `\"`, `$`, `\$`, "`", "\\`", `\`, `\\`).Replace(v) + `"`
}

// replace writes the file in one step. It is on the disk when replace returns.
func replace(file, text string) error {
	part, err := os.CreateTemp(filepath.Dir(file), ".env.part") // mode 0600
	if err != nil {
		return err
	}
	_, err = part.WriteString(text)
	if err = errors.Join(err, part.Sync(), part.Close()); err == nil {
		err = os.Rename(part.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(part.Name()))
	}
	return nil
}
