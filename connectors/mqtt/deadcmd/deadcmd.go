// Package deadcmd is the commands for dead letters: it asks a running connector,
// which alone may touch its folder.
package deadcmd

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/hearth-home/hearth/connectors/mqtt/deadletter"
	"github.com/hearth-home/hearth/shared/secret"
)

// Command is how to reach a connector, and where to write.
type Command struct {
	Program  string // as it is called: "mqtt"
	Listen   string // the connector's own port, as it listens
	Token    secret.String
	Out      io.Writer
	Terminal bool // Out is one: foreign bytes must not steer it
}

// Run does what follows the word dead: list, show ID, replay, drop. A drop needs a
// filter or -all.
func (c Command) Run(ctx context.Context, args []string) error {
	usage := fmt.Errorf("use: %s dead list|show ID|replay|drop [-function F] [-topic FILTER] [-reason PART] [-cause WHOLE] [-id ID] [-all]", c.Program)
	if len(args) == 0 {
		return usage
	}
	verb := args[0]
	fs := flag.NewFlagSet("dead", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	q := url.Values{}
	for _, name := range []string{"function", "topic", "reason", "cause", "id"} {
		fs.Func(name, "", func(v string) error { q.Set(name, v); return nil })
	}
	fs.BoolFunc("all", "", func(v string) error { q.Set("all", v); return nil })
	port := fs.String("at", "http://"+local(c.Listen), "the connector's own port")
	if err := fs.Parse(args[1:]); err != nil {
		return errors.Join(err, usage)
	}
	switch {
	case verb == "list" && fs.NArg() == 0:
		return c.list(ctx, *port, q)
	case verb == "show" && fs.NArg() == 1:
		return c.show(ctx, *port, fs.Arg(0))
	case (verb == "replay" || verb == "drop") && fs.NArg() == 0:
		body, err := c.ask(ctx, http.MethodPost, *port+"/dead/"+verb+"?"+q.Encode())
		if err == nil {
			_, err = c.Out.Write(body)
		}
		return err
	}
	return usage
}

func (c Command) list(ctx context.Context, port string, q url.Values) error {
	body, err := c.ask(ctx, http.MethodGet, port+"/dead?"+q.Encode())
	if err != nil {
		return err
	}
	var ds []deadletter.Letter
	if err := json.Unmarshal(body, &ds); err != nil {
		return fmt.Errorf("read the list: %w", err)
	}
	w := tabwriter.NewWriter(c.Out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tFUNCTION\tTOPIC\tCOUNT\tFIRST\tREASON")
	for _, d := range ds {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n", d.ID, d.Function, tame(d.Topic), d.Count, d.First.Format(time.DateTime), tame(d.Reason))
	}
	return w.Flush()
}

func (c Command) show(ctx context.Context, port, id string) error {
	body, err := c.ask(ctx, http.MethodGet, port+"/dead/"+url.PathEscape(id))
	if err != nil {
		return err
	}
	var ds []deadletter.Letter
	if err := json.Unmarshal(body, &ds); err != nil {
		return fmt.Errorf("read the letter: %w", err)
	}
	for _, d := range ds {
		payload := string(d.Payload)
		if c.Terminal {
			payload = tame(payload)
		}
		size := fmt.Sprint(d.Size)
		if d.Cut {
			size = fmt.Sprintf("the first %d of %d", len(d.Payload), d.Size)
		}
		if _, err := fmt.Fprintf(c.Out, "%s for %s on %s, %s bytes, refused %d times from %s to %s\n%s\n\n%s\n", d.ID, d.Function, tame(d.Topic), size, d.Count,
			d.First.Format(time.DateTime), d.Last.Format(time.DateTime), tame(d.Reason), payload); err != nil {
			return err
		}
	}
	return nil
}

func (c Command) ask(ctx context.Context, method, u string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, u, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.Token.Reveal())
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("the connector does not answer, is it running? %w", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 256<<20))
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("the connector answered %d: %.300s", res.StatusCode, body)
	}
	return body, err
}

// tame keeps foreign text from moving the cursor or beginning a new line.
func tame(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if unicode.IsControl(r) {
			return '·'
		}
		return r
	}, s)
}

// local turns the address that is listened on into one that can be called.
func local(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil || host != "" && host != "0.0.0.0" && host != "::" {
		return listen
	}
	return "127.0.0.1:" + port
}
