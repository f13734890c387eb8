// Command slacktest sends one test message to each destination that .env configures, in
// Slack to each channel, and says which secret is wrong. It exits with 1 if one is, or if
// nothing is configured.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"time"

	"github.com/hearth-home/hearth/local/dotenv"
	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/notify"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
)

const deadline = time.Minute // of all messages

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	vars, err := dotenv.Load(".env", os.Environ())
	if err == nil {
		err = test(ctx, vars, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "slack-test:", err)
		os.Exit(1)
	}
}

// test sends the messages and prints a line for each.
func test(ctx context.Context, vars map[string]string, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	values := map[string]string{}
	for _, name := range []string{"slack-webhooks", "slack-token", "ntfy-token", "alert-webhook"} {
		if v, err := host.Value(vars, name); err == nil && v != "" {
			values[name] = v
		}
	}
	env := config.Env{Vars: vars, Secrets: secret.InMemory(values, nil), Now: time.Now, Log: slog.New(slog.DiscardHandler)} // clock: the time of the messages
	c, err := config.Parse[notify.Config](env)
	if err != nil {
		return err
	}
	results := notify.New(c, serve.Env{Env: env}).Test(ctx)
	if len(results) == 0 {
		return errors.New("neither Slack nor ntfy nor a webhook is configured: docs/alerts.md says how")
	}
	failed := 0
	for _, r := range results {
		if r.Err != nil {
			failed++
			fmt.Fprintf(out, "%s: failed: %v\n", r.To, r.Err)
			continue
		}
		fmt.Fprintf(out, "%s: sent\n", r.To)
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d failed", failed, len(results))
	}
	return nil
}
