// Package dotenv reads the user's variables from the file .env and the environment. The
// environment takes precedence.
package dotenv

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
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

// Parse reads plain assignments as a shell's `set -a; . ./.env` does: KEY=value, export
// KEY=value, 'single' and "double" quotes on one line, and comments. An error names the
// line and never its content, which may be a secret.
func Parse(text string) (map[string]string, error) {
	vars := map[string]string{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		k, rest, ok := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "export ")), "=")
		if !ok || !isName(k) {
			return nil, fmt.Errorf("line %d: want KEY=value", n)
		}
		v, err := value(rest)
		if err != nil {
			return nil, fmt.Errorf("line %d: %s: %w", n, k, err)
		}
		vars[k] = v
	}
	return vars, nil
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

var unescape = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\$`, `$`, "\\`", "`")

func value(s string) (string, error) {
	if s == "" || s[0] != '"' && s[0] != '\'' {
		if i := strings.Index(" "+s, " #"); i >= 0 {
			s = s[:max(i-1, 0)]
		}
		return strings.TrimSpace(s), nil
	}
	quote, body := s[0], s[1:]
	for i := 0; i < len(body); i++ {
		switch {
		case body[i] == '\\' && quote == '"':
			i++
		case body[i] == quote:
			if rest := strings.TrimSpace(body[i+1:]); rest != "" && rest[0] != '#' {
				return "", errors.New("there is text after the closing quote")
			}
			if quote == '"' {
				return unescape.Replace(body[:i]), nil
			}
			return body[:i], nil
		}
	}
	return "", errors.New("the closing quote is missing")
}
