// Command secrets creates every secret that the stack files name on the OpenFaaS gateway.
// The values are from .env and the environment: OPENWEATHER_KEY is the value of
// openweather-key. The value of hearth-settings is the file hearth.yml, that of influx-ca
// the file that INFLUX_CA_FILE names.
//
// A secret without a value is created empty, so that its function can be deployed. If it
// exists already, it is kept. No value is printed.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/local/dotenv"
	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/local/stack"
)

var errRefused = errors.New("the gateway refused the secret")

const deadline = time.Minute // of one call of faas-cli

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	vars, err := dotenv.Load(".env", os.Environ())
	if err == nil {
		err = create(ctx, ".", vars, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "secrets:", err)
		os.Exit(1)
	}
}

// create creates or replaces the secrets and prints one line for each. An error of one
// secret does not stop the others.
func create(ctx context.Context, dir string, vars map[string]string, out io.Writer) error {
	names, err := named(dir, vars)
	if err != nil {
		return err
	}
	exist, err := existing(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range names {
		value, err := valueOf(dir, vars, name)
		switch {
		case err != nil:
		case value != "":
			err = set(ctx, name, value)
		case slices.Contains(exist, name):
			fmt.Fprintf(out, "%s: kept, no new value is set\n", name)
			continue
		default:
			err = set(ctx, name, "\n") // faas-cli refuses an empty value
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		fmt.Fprintf(out, "%s: %s\n", name, map[bool]string{true: "empty", false: "set"}[value == ""])
		if name == webhooks && vars[host.Variable(webhooks)] == "" && value != "" {
			fmt.Fprintf(out, "%s: the value is that of SLACK_WEBHOOK and SLACK_NEWS_WEBHOOK, which nothing else reads any more: write SLACK_WEBHOOKS='default=… products=…' in their place\n", name)
		}
	}
	for _, name := range []string{"slack-webhook", "slack-news-webhook"} {
		if slices.Contains(exist, name) && !slices.Contains(names, name) {
			fmt.Fprintf(out, "%s: no function reads it any more. After the next deployment: faas-cli secret remove %s\n", name, name)
		}
	}
	return errors.Join(errs...)
}

const webhooks = "slack-webhooks"

// former returns the value of slack-webhooks from the variables of the two secrets that it
// replaced.
func former(vars map[string]string) string {
	var lines []string
	for _, old := range [][2]string{{"default", "SLACK_WEBHOOK"}, {"products", "SLACK_NEWS_WEBHOOK"}} {
		if v := strings.TrimSpace(vars[old[1]]); v != "" {
			lines = append(lines, old[0]+"="+v)
		}
	}
	return strings.Join(lines, "\n")
}

// valueOf returns the value of a secret, "" if none is set.
func valueOf(dir string, vars map[string]string, name string) (string, error) {
	if name != "hearth-settings" {
		v, err := host.Value(vars, name)
		if name == webhooks && v == "" {
			v = former(vars)
		}
		return v, err
	}
	b, err := os.ReadFile(filepath.Join(dir, "hearth.yml"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(b), err
}

// named returns the names of all functions' secrets, without duplicates.
func named(dir string, vars map[string]string) ([]string, error) {
	functions, err := stack.Read(dir, vars)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range functions {
		names = append(names, f.Secrets...)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// existing returns the names of the gateway's secrets.
func existing(ctx context.Context) ([]string, error) {
	out, err := faas(ctx, "", "secret", "list")
	if err != nil {
		return nil, fmt.Errorf("faas-cli secret list: %w: %s", err, strings.TrimSpace(out))
	}
	return strings.Fields(out), nil
}

// set creates or replaces one secret.
func set(ctx context.Context, name, value string) error {
	out, err := faas(ctx, value, "secret", "create", name, "--replace", "--trim=false")
	// faas-cli exits with 0 even if the gateway refuses.
	if err != nil || !strings.Contains(out, "Created: ") && !strings.Contains(out, "Updated: ") {
		return fmt.Errorf("%s: %w: %s", name, cmp.Or(err, errRefused), strings.TrimSpace(strings.ReplaceAll(out, value, "[secret]")))
	}
	return nil
}

func faas(ctx context.Context, stdin string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	cmd := exec.CommandContext(ctx, "faas-cli", args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}
