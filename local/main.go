// Command local is the whole platform in one process: `make up`. Its other
// commands do one thing each beside it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	_ "time/tzdata" // schedules name zones
)

const usage = `usage: go run ./local [command]

  up                              the whole platform (the default)
  run FUNCTION [-dry-run]         one source once; prints what it decoded
  backfill FUNCTION -from 2020-01-01 [-to 2024-12-31]  (or FUNCTION FROM [TO])
                                  fill a span of history through the running gateway
  migrate                         bring the PostgreSQL of DATABASE_URL up to date
  device TOPIC [-for 30s]         listen to the broker; print what is said and how to map it
  dead list|show|replay|drop      what no function took: dead list [-function F] [-reason TEXT]
  functions-forget NAME           a function that was taken away: no longer shown and watched
  gateway NAME=URL...             the gateway alone, in front of running functions
  settings check [FILE]           every mistake in hearth.yml, with line and column
  docs [-check]                   write the settings reference
`

// command is one of the above; out is for what it is asked for, log for the rest.
type command func(ctx context.Context, h *house, args []string, out io.Writer) error

var commands = map[string]command{
	"up":               cmdUp,
	"run":              cmdRun,
	"backfill":         cmdBackfill,
	"device":           cmdDevice,
	"dead":             cmdDead,
	"settings":         cmdSettings,
	"migrate":          cmdMigrate,
	"gateway":          cmdGateway,
	"functions-forget": cmdForget,
	"docs":             cmdDocs,
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends it at once
	if err := run(ctx, os.Args[1:]); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	name := "up"
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	do, ok := commands[name]
	if !ok {
		fmt.Fprint(os.Stderr, usage)
		return flag.ErrHelp
	}
	root, err := findRoot()
	if err != nil {
		return err
	}
	logs := os.Stdout
	if name != "up" && name != "gateway" {
		logs = os.Stderr // stdout is for the answer
	}
	h, err := openHouse(root, os.Environ(), logs)
	if err != nil {
		return err
	}
	env, err := h.env()
	if err != nil {
		return err
	}
	slog.SetDefault(h.logger(env.Secrets)) // libraries that log
	if err := do(ctx, h, args, os.Stdout); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return errors.New(env.Secrets.Redact(err.Error()))
	}
	return nil
}

func cmdUp(ctx context.Context, h *house, args []string, _ io.Writer) error {
	if len(args) > 0 {
		return fmt.Errorf("up takes no arguments: %q", args)
	}
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(1) // it waits nearly always: more would only look for work, a fifth of its processor time
	}
	return runUp(ctx, h, functions)
}

// names reads the words before, between and after flags; the first is a
// function, and there are at most n.
func names(fs *flag.FlagSet, args []string, n int) ([]string, error) {
	var words []string
	for len(args) > 0 {
		if err := fs.Parse(args); err != nil {
			return nil, err
		}
		if args = fs.Args(); len(args) > 0 {
			words, args = append(words, args[0]), args[1:]
		}
	}
	switch {
	case len(words) == 0:
		return nil, fmt.Errorf("which function? make %s FUNCTION=weather", fs.Name())
	case len(words) > n:
		return nil, fmt.Errorf("%s does not know what to do with %q", fs.Name(), words[n:])
	}
	return words, nil
}
