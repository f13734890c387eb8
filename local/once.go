package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/source"
)

// cmdRun runs one source once, without gateway and schedules. It prints what was
// decoded, which a dry run does not store.
func cmdRun(ctx context.Context, h *house, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("run", flag.ContinueOnError)
	dry := fs.Bool("dry-run", false, "fetch and decode, store nothing")
	words, err := names(fs, args, 1)
	if err != nil {
		return err
	}
	return runOnce(ctx, h, functions, words[0], *dry, out)
}

func runOnce(ctx context.Context, h *house, build map[string]host.Builder, name string, dry bool, out io.Writer) (err error) {
	u, err := newUp(h, build)
	if err != nil {
		return err
	}
	if u.functions, err = only(u.functions, build, name); err != nil {
		return err
	}
	parts := []part{u.storePart(), u.samplesPart(), u.functionsPart()} // make up may run beside it
	if err := startAll(ctx, parts); err != nil {
		return err
	}
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		if stopErr := stopAll(end, parts); err == nil {
			err = stopErr
		}
	}()
	f := u.host.Functions[0]
	u.log.Info(works(f), "function", f.Name)
	query := "?show=true"
	if dry {
		query = "?dry_run=true"
	}
	a, err := call(ctx, f, query)
	if err != nil {
		return err
	}
	show(out, a)
	if !dry {
		fmt.Fprintf(out, "# %s: %d new, %d unchanged, %d ms\n", a.Status, a.Stored, a.Unchanged, a.TookMS)
	}
	return nil
}

func only(fs []stack.Function, build map[string]host.Builder, name string) ([]stack.Function, error) {
	i := slices.IndexFunc(fs, func(f stack.Function) bool { return f.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("there is no function %q in %s", name, strings.Join(stack.Files, " or "))
	}
	if _, ok := build[name]; !ok {
		return nil, fmt.Errorf("%s is not built in: run go generate ./local first, as make run does", name)
	}
	return fs[i : i+1], nil
}

func call(ctx context.Context, f host.Function, query string) (source.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var a source.Answer
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.URL.String()+"/"+query, http.NoBody)
	if err != nil {
		return a, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return a, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 64<<20))
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal(b, &a); err != nil {
		return a, fmt.Errorf("%s answered %d: %.500q", f.Name, res.StatusCode, b)
	}
	switch {
	case res.StatusCode != http.StatusOK:
		return a, fmt.Errorf("%s answered %d: %s", f.Name, res.StatusCode, a.Error)
	case a.Status == "not_configured":
		return a, fmt.Errorf("%s is not configured: it lacks %s", f.Name, strings.Join(a.Missing, ", "))
	}
	return a, nil
}

// show prints readings as line protocol, items as lines and warnings as
// comments.
func show(out io.Writer, a source.Answer) {
	for _, r := range a.Readings {
		fmt.Fprintln(out, r.Line())
	}
	for _, i := range a.Items {
		fmt.Fprintln(out, itemLine(i))
	}
	for _, w := range a.Warnings {
		fmt.Fprintln(out, "# warning:", w)
	}
	fmt.Fprintf(out, "# %d readings, %d items\n", len(a.Readings), len(a.Items))
}

func itemLine(i item.Item) string {
	line := fmt.Sprintf("item %q %q", i.Key(), i.Title)
	if !i.At.IsZero() {
		line += " at=" + i.At.UTC().Format(time.RFC3339)
	}
	if i.URL != "" {
		line += fmt.Sprintf(" url=%q", i.URL)
	}
	for _, k := range slices.Sorted(maps.Keys(i.Attributes)) {
		line += fmt.Sprintf(" %s=%q", k, i.Attributes[k])
	}
	return line
}
