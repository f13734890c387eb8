// Command secrets gives the OpenFaaS gateway every secret that the stack files
// name, with the values of .env and the environment: openweather-key is
// OPENWEATHER_KEY. One without a value is created empty, so that its function
// can be deployed, and never replaced. hearth-settings is the file hearth.yml. No
// value is printed.
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

var errRefused = errors.New("the gateway refused")

const deadline = time.Minute // for one call of faas-cli

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

func create(ctx context.Context, dir string, vars map[string]string, out io.Writer) error {
	names, err := named(dir, vars)
	if err != nil {
		return err
	}
	there, err := existing(ctx)
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
		case slices.Contains(there, name):
			fmt.Fprintf(out, "%s: kept, there is no new value\n", name)
			continue
		default:
			err = set(ctx, name, "\n") // faas-cli refuses what has no byte at all
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		fmt.Fprintf(out, "%s: %s\n", name, map[bool]string{true: "empty", false: "set"}[value == ""])
	}
	return errors.Join(errs...)
}

func valueOf(dir string, vars map[string]string, name string) (string, error) {
	if name != "hearth-settings" {
		return vars[host.Variable(name)], nil
	}
	b, err := os.ReadFile(filepath.Join(dir, "hearth.yml"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(b), err
}

// named returns the secrets of all functions, each once.
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

func existing(ctx context.Context) ([]string, error) {
	out, err := faas(ctx, "", "secret", "list")
	if err != nil {
		return nil, fmt.Errorf("faas-cli secret list: %w: %s", err, strings.TrimSpace(out))
	}
	return strings.Fields(out), nil
}

func set(ctx context.Context, name, value string) error {
	out, err := faas(ctx, value, "secret", "create", name, "--replace", "--trim=false")
	// faas-cli ends with 0 even when the gateway refuses.
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
