package main

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
	"os"
	"text/tabwriter"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/bridge"
)

const usage = "use: mqtt dead list|show ID|replay|drop [-function F] [-topic FILTER] [-reason TEXT] [-id ID]"

// dead asks the running connector: it alone may touch its folder.
func dead(c bridge.Config, args []string) error {
	if args[0] != "dead" || len(args) < 2 {
		return errors.New(usage)
	}
	verb := args[1]
	fs := flag.NewFlagSet("dead", flag.ContinueOnError)
	q := url.Values{}
	for _, name := range []string{"function", "topic", "reason", "id"} {
		fs.Func(name, "", func(v string) error { q.Set(name, v); return nil })
	}
	port := fs.String("at", "http://"+local(c.Listen), "the connector's own port")
	fs.Usage = func() { fmt.Fprintln(os.Stderr, usage) }
	if err := fs.Parse(args[2:]); err != nil {
		return err
	}
	switch {
	case verb == "list":
		return list(c, *port, q)
	case verb == "show" && fs.NArg() == 1:
		return show(c, *port, fs.Arg(0))
	case (verb == "replay" || verb == "drop") && fs.NArg() == 0:
		body, err := ask(c, http.MethodPost, *port+"/dead/"+verb+"?"+q.Encode())
		fmt.Printf("%s", body)
		return err
	}
	return errors.New(usage)
}

func list(c bridge.Config, port string, q url.Values) error {
	body, err := ask(c, http.MethodGet, port+"/dead?"+q.Encode())
	if err != nil {
		return err
	}
	var ds []bridge.DeadLetter
	if err := json.Unmarshal(body, &ds); err != nil {
		return fmt.Errorf("read the list: %w", err)
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tFUNCTION\tTOPIC\tCOUNT\tFIRST\tREASON")
	for _, d := range ds {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n", d.ID, d.Function, d.Topic, d.Count, d.First.Format(time.DateTime), d.Reason)
	}
	return w.Flush()
}

func show(c bridge.Config, port, id string) error {
	body, err := ask(c, http.MethodGet, port+"/dead/"+url.PathEscape(id))
	if err != nil {
		return err
	}
	var ds []bridge.DeadLetter
	if err := json.Unmarshal(body, &ds); err != nil {
		return fmt.Errorf("read the letter: %w", err)
	}
	for _, d := range ds {
		fmt.Printf("%s for %s on %s, %d bytes, refused %d times from %s to %s\n%s\n\n%s\n", d.ID, d.Function, d.Topic, d.Size, d.Count,
			d.First.Format(time.DateTime), d.Last.Format(time.DateTime), d.Reason, d.Payload)
	}
	return nil
}

func ask(c bridge.Config, method, u string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
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

// local turns the address that is listened on into one that can be called.
func local(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil || host != "" && host != "0.0.0.0" && host != "::" {
		return listen
	}
	return "127.0.0.1:" + port
}
