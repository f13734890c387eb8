package printable

import (
	"fmt"
	"strings"
)

// Shell quotes text from outside for a command that a person pastes into bash or another
// shell of POSIX: the program gets exactly that text. The command is one line without
// characters that a person does not see or that a terminal obeys. Line breaks at the end
// of a text of several lines are lost.
func Shell(s string) string {
	switch {
	case s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:") == "":
		return s
	case Line(s) == s && !strings.Contains(s, "!"): // bash replaces !x by an earlier command
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	var out strings.Builder
	for _, r := range strings.ToValidUTF8(s, "\ufffd") {
		switch {
		case r == '\n':
			out.WriteString(`\n`)
		case r == '%':
			out.WriteString("%%")
		case strings.ContainsRune("\\'\"`$!", r), Line(string(r)) != string(r):
			for _, b := range []byte(string(r)) {
				fmt.Fprintf(&out, `\%03o`, b)
			}
		default:
			out.WriteRune(r)
		}
	}
	return `"$(printf '` + out.String() + `')"`
}
