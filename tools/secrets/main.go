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
	}
	return errors.Join(errs...)
}

// valueOf returns the value of a secret, "" if none is set.
func valueOf(dir string, vars map[string]string, name string) (string, error) {
	if name != "hearth-settings" {
		return host.Value(vars, name)
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
