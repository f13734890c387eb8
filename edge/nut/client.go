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

const maxAnswer = 256 << 10 // bytes; a UPS has about a hundred variables

// variables queries the server at addr for all variables of a UPS. If ups is empty the
// server must have exactly one UPS.
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
		fmt.Fprint(conn, "LOGOUT\n") // politeness: the answer is not read
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
			return nil, fmt.Errorf("list VAR: a row has %d words, not 2: %.80q", len(row), row)
		}
		vars[row[0]] = row[1]
	}
	return vars, nil
}

// onlyUPS returns the name of the server's only UPS.
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
		return "", fmt.Errorf("the server has %d UPSes: set UPS to one of %q", len(names), names)
	}
	return names[0], nil
}

// list sends LIST with the query and returns the rows between BEGIN and END, without the
// words of the query that each row repeats. The server may send an error instead of any
// line.
func (c client) list(query ...string) ([][]string, error) {
	for i, q := range query {
		query[i] = quote(q)
	}
	if _, err := fmt.Fprintf(c.w, "LIST %s\n", strings.Join(query, " ")); err != nil {
		return nil, fmt.Errorf("send the query: %w", err)
	}
	prefix, err := split(strings.Join(query, " "))
	if err != nil {
		return nil, err
	}
	var rows [][]string
	for begun := false; ; {
		words, err := c.line()
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", query[0], err)
		}
		switch {
		case hasPrefix(words, append([]string{"BEGIN", "LIST"}, prefix...)):
			begun = true
		case begun && hasPrefix(words, append([]string{"END", "LIST"}, prefix...)):
			return rows, nil
		case begun && hasPrefix(words, prefix):
			rows = append(rows, words[len(prefix):])
		default:
			return nil, fmt.Errorf("list %s: an unexpected line %.80q", query[0], words)
		}
	}
}

// line reads a line and splits it into words. An ERR line becomes an error.
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

// serverError returns the error for a code of the protocol.
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

// hasPrefix reports whether words begin with prefix.
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

// split splits a line into words. A word may be quoted. A backslash, also outside
// quotes, makes the next character literal.
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
		return nil, fmt.Errorf("a quote is not closed: %.80q", line)
	}
	if word {
		words = append(words, b.String())
	}
	return words, nil
}

// quote is the inverse of split for a word without line breaks.
func quote(word string) string {
	if word != "" && !strings.ContainsAny(word, " \t\"\\") {
		return word
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", " ", "\r", " ").Replace(word) + `"`
}
