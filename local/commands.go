package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/openfaas/faas-provider/types"

	"github.com/hearth-home/hearth/local/backfill"
	"github.com/hearth-home/hearth/local/docs"
	"github.com/hearth-home/hearth/local/gateway"
	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/store"
)

func cmdMigrate(ctx context.Context, h *house, _ []string, out io.Writer) error {
	if h.vars["DATABASE_URL"] == "" {
		return errors.New("which database? Set DATABASE_URL=postgres://user:password@host:5432/home in the environment or in .env; " +
			"the one in .hearth needs no make migrate")
	}
	env, err := h.env()
	if err != nil {
		return err
	}
	if err := store.Migrate(ctx, env.Secrets.Get("database-url")); err != nil {
		return err
	}
	fmt.Fprintln(out, "the database is up to date")
	return nil
}

func cmdBackfill(ctx context.Context, h *house, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("backfill", flag.ContinueOnError)
	from := fs.String("from", "", "first day, 2020-01-01")
	to := fs.String("to", time.Now().UTC().Format(time.DateOnly), "last day")
	address := fs.String("gateway", "http://127.0.0.1:"+h.port(), "the running gateway")
	words, err := names(fs, args, 3)
	if err != nil {
		return err
	}
	for i, into := range []*string{from, to} {
		if len(words) > i+1 {
			*into = words[i+1]
		}
	}
	name := words[0]
	j := backfill.Job{Gateway: *address, Function: name}
	if j.From, err = moment("from", *from); err != nil {
		return err
	}
	if j.To, err = moment("to", *to); err != nil {
		return err
	}
	bar := &backfill.Bar{W: out, Terminal: hasColor(out), Name: name}
	p, err := backfill.Run(ctx, j, bar.Show)
	bar.End()
	if err == nil && p.Sample {
		fmt.Fprintf(out, "%s ran on sample data: its key, or LIVE=%[1]s, in .env brings the real one\n", name)
	}
	return err
}

// moment reads a day or, to go on where a backfill stopped, a time.
func moment(name, v string) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, v); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%s is %q: write a day as 2024-01-31", name, v)
}

// cmdGateway serves functions that run elsewhere on this machine; what the
// stack files say of them is told by the API.
func cmdGateway(ctx context.Context, h *house, args []string, _ io.Writer) error {
	env, err := h.env()
	if err != nil {
		return err
	}
	log := h.logger(env.Secrets)
	fs, err := behind(h, args)
	if err != nil {
		return err
	}
	g := gateway.New(fs, http.NotFoundHandler(), log)
	srv, err := gateway.Listen(net.JoinHostPort("127.0.0.1", h.port()), g, log)
	if err != nil {
		return err
	}
	g.Ready(true)
	log.Info("the gateway is at http://" + srv.Addr)
	<-ctx.Done()
	g.Ready(false)
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	return srv.Stop(end)
}

func behind(h *house, args []string) ([]gateway.Function, error) {
	blocks, err := stack.Read(h.root, h.vars)
	if err != nil {
		return nil, err
	}
	if len(args) == 0 {
		return nil, errors.New("which functions? gateway weather=http://127.0.0.1:8082")
	}
	var out []gateway.Function
	for _, arg := range args {
		name, address, ok := strings.Cut(arg, "=")
		u, err := url.Parse(address)
		if !ok || err != nil || u.Scheme != "http" || u.Port() == "" || u.Path != "" {
			return nil, fmt.Errorf("%q: want NAME=http://host:port", arg)
		}
		s := types.FunctionStatus{Name: name}
		if i := slices.IndexFunc(blocks, func(f stack.Function) bool { return f.Name == name }); i >= 0 {
			s = status(blocks[i])
		}
		out = append(out, gateway.Function{Status: s, URL: *u})
	}
	return out, nil
}

func cmdDocs(_ context.Context, h *house, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("docs", flag.ContinueOnError)
	check := fs.Bool("check", false, "write nothing; fail if a page is out of date")
	if err := fs.Parse(args); err != nil {
		return err
	}
	blocks, err := stack.Read(h.root, nil)
	if err != nil {
		return err
	}
	pages, err := docs.Pages(h.root, blocks)
	if err != nil {
		return err
	}
	stale, err := docs.Write(h.root, pages, *check)
	if err != nil {
		return err
	}
	if *check && len(stale) > 0 {
		return fmt.Errorf("out of date: %s; run make docs", strings.Join(stale, ", "))
	}
	for _, name := range stale {
		fmt.Fprintln(out, "wrote", name)
	}
	return nil
}
