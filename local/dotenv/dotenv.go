// Package dotenv reads the user's variables from the file .env and the environment. The
// environment takes precedence. The documentation tells users to read the same file with
// a shell, so the file is refused where a shell would read something else.
package dotenv

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// Load returns the variables of the file, overridden by those of environ ("KEY=value").
// The file need not exist.
func Load(file string, environ []string) (map[string]string, error) {
	b, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	vars, err := Parse(string(b))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for _, kv := range environ {
		if k, v, ok := strings.Cut(kv, "="); ok && k != "" {
			vars[k] = v
		}
	}
	return vars, nil
}

// Parse reads plain assignments as `set -a; . ./.env` does in any POSIX shell: KEY=value,
// export KEY=value, 'single' and "double" quotes on one line, and comments. What a shell
// would read differently, or run, is an error. It names every wrong line, its variable and
// what to write, and never the line's content, which may be a secret.
func Parse(text string) (map[string]string, error) {
	vars := map[string]string{}
	var wrong []error
	n := 0
	for line := range strings.Lines(text) {
		n++
		k, v, err := assignment(strings.TrimSuffix(line, "\n"))
		switch {
		case err != nil && k != "":
			wrong = append(wrong, fmt.Errorf("line %d: %s: %w", n, k, err))
		case err != nil:
			wrong = append(wrong, fmt.Errorf("line %d: %w", n, err))
		case k != "":
			vars[k] = v
		}
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	return vars, nil
}

const (
	blank = " \t"
	bom   = "\ufeff"
)

// assignment reads one line. A blank line and a comment have no name.
func assignment(line string) (name, v string, err error) {
	if strings.HasPrefix(line, bom) {
		return "", "", errors.New("the line starts with a byte order mark, which a shell takes for a letter: save the file as UTF-8 without one")
	}
	line = strings.TrimLeft(line, blank)
	if strings.ContainsRune(line, 0) {
		return "", "", errors.New("the line holds a zero byte")
	}
	if line == "" || line[0] == '#' {
		return "", "", nil
	}
	rest, exported := strings.CutPrefix(line, "export")
	if exported = exported && strings.IndexAny(rest, blank) == 0; exported {
		line = strings.TrimLeft(rest, blank)
	}
	name, rest, ok := strings.Cut(line, "=")
	switch {
	case strings.Trim(line, blank+"\r") == "":
		return "", "", errLineEnd
	case ok && isName(strings.TrimRight(name, blank)) && strings.ContainsAny(name, blank):
		return strings.TrimRight(name, blank), "", errors.New("a shell takes the name for a command: write no space before the =")
	case !ok || !isName(name):
		return "", "", errors.New("want KEY=value; a value has one line")
	case strings.HasPrefix(name, "BASH") || slices.Contains(ofTheShell, name):
		return name, "", errors.New("a shell sets or protects this variable itself: choose another name")
	}
	v, err = value(rest, exported)
	var bare unquoted
	if errors.As(err, &bare) {
		err = fmt.Errorf("%w: %s", err, inQuotes(name, rest))
	}
	return name, v, err
}

// Variables that bash or dash protects, ignores or changes when they are assigned.
var ofTheShell = []string{
	"_", "DIRSTACK", "EPOCHREALTIME", "EPOCHSECONDS", "EUID", "FUNCNAME", "GROUPS", "HISTCMD", "LINENO", "OPTIND",
	"PIPESTATUS", "POSIXLY_CORRECT", "PPID", "RANDOM", "SECONDS", "SHELLOPTS", "SRANDOM", "UID",
}

func isName(s string) bool {
	for i, c := range s {
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
