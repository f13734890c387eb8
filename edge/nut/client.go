package nut

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

const maxAnswer = 256 << 10 // a UPS has some hundred variables

// variables asks the server at addr for all variables of a UPS.
func variables(ctx context.Context, addr, ups string) (map[string]string, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("check the address, that upsd runs, and its LISTEN line: %w", err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	c := client{conn, bufio.NewReader(io.LimitReader(conn, maxAnswer))}
	vars, err := c.variables(ups)
	if err != nil && ctx.Err() != nil {
		return nil, fmt.Errorf("no answer: %w", ctx.Err())
	}
	if err == nil {
		fmt.Fprint(conn, "LOGOUT\n") // a courtesy: what it answers is not awaited
	}
	return vars, err
}

type client struct {
	w io.Writer
	r *bufio.Reader
}

func (c client) variables(ups string) (map[string]string, error) {
	if ups == "" {
		var err error
		if ups, err = c.onlyUPS(); err != nil {
			return nil, err
		}
	}
	rows, err := c.list("VAR", ups)
	if err != nil {
		return nil, err
	}
	vars := make(map[string]string, len(rows))
	for _, row := range rows {
		if len(row) != 2 {
			return nil, fmt.Errorf("list VAR: a row of %d words: %.80q", len(row), row)
		}
		vars[row[0]] = row[1]
	}
	return vars, nil
}

// only is the name of the server's one UPS.
func (c client) onlyUPS() (string, error) {
	rows, err := c.list("UPS")
	if err != nil {
		return "", err
	}
	var names []string
	for _, row := range rows {
		if len(row) > 0 {
			names = append(names, row[0])
		}
	}
	if len(names) != 1 {
		return "", fmt.Errorf("the server has %d UPSes, not one: set UPS to one of %q", len(names), names)
	}
	return names[0], nil
}

// list sends LIST and returns the rows between BEGIN and END, without the words
// that repeat the question. An error may stand in place of any line.
func (c client) list(question ...string) ([][]string, error) {
	for i, q := range question {
		question[i] = quote(q)
	}
	if _, err := fmt.Fprintf(c.w, "LIST %s\n", strings.Join(question, " ")); err != nil {
		return nil, fmt.Errorf("ask: %w", err)
	}
	asked, err := split(strings.Join(question, " "))
	if err != nil {
		return nil, err
	}
	var rows [][]string
	for begun := false; ; {
		words, err := c.line()
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", question[0], err)
		}
		switch {
		case hasPrefix(words, append([]string{"BEGIN", "LIST"}, asked...)):
			begun = true
		case begun && hasPrefix(words, append([]string{"END", "LIST"}, asked...)):
			return rows, nil
		case begun && hasPrefix(words, asked):
			rows = append(rows, words[len(asked):])
		default:
			return nil, fmt.Errorf("list %s: an unexpected line %.80q", question[0], words)
		}
	}
}

// line reads a line; the server's own errors become Go's.
func (c client) line() ([]string, error) {
	text, err := c.r.ReadString('\n')
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	words, err := split(strings.TrimRight(text, "\r\n"))
	if err != nil {
		return nil, err
	}
	if len(words) >= 2 && words[0] == "ERR" {
		return nil, serverError(words[1])
	}
	return words, nil
}

func serverError(code string) error {
	switch code {
	case "DATA-STALE", "DRIVER-NOT-CONNECTED":
		return fmt.Errorf("%s: %w", code, errStale)
	case "UNKNOWN-UPS":
		return fmt.Errorf("%s: %w", code, errUnknown)
	case "ACCESS-DENIED":
		return fmt.Errorf("%s: %w", code, errDenied)
	}
	return fmt.Errorf("the server answers %.60q", code)
}

func hasPrefix(words, prefix []string) bool {
	if len(words) < len(prefix) {
		return false
	}
	for i, p := range prefix {
		if words[i] != p {
			return false
		}
	}
	return true
}

// split cuts a line into words. A word may be quoted; in quotes and outside, a
// backslash takes the next character as it is.
func split(line string) ([]string, error) {
	var words []string
	var b strings.Builder
	quoted, word := false, false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\' && i+1 < len(line):
			i++
			b.WriteByte(line[i])
			word = true
		case c == '"':
			quoted, word = !quoted, true
		case (c == ' ' || c == '\t') && !quoted:
			if word {
				words = append(words, b.String())
				b.Reset()
				word = false
			}
		default:
			b.WriteByte(c)
			word = true
		}
	}
	if quoted {
		return nil, fmt.Errorf("a quote without an end: %.80q", line)
	}
	if word {
		words = append(words, b.String())
	}
	return words, nil
}

// quote writes a word such that split gives it back.
func quote(word string) string {
	if word != "" && !strings.ContainsAny(word, " \t\"\\") {
		return word
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", " ", "\r", " ").Replace(word) + `"`
}
