package local

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/source"
)

// RunOnce runs one source once, without gateway and schedules. Its answer holds the
// readings and items that it decoded. A dry run does not store them. The platform may run
// at the same time. It is an error to store sample data of a source that works on live
// data here. With an error, too, the answer has a status.
func (h *Installation) RunOnce(ctx context.Context, name string, dry bool) (source.Answer, error) {
	a, err := h.runOnce(ctx, name, dry)
	if err != nil && a.Status == "" { // the function was not called
		a = source.Answer{Function: name, Status: "failed", Warnings: []string{}, Error: h.Redact(err.Error())}
	}
	return a, err
}

func (h *Installation) runOnce(ctx context.Context, name string, dry bool) (a source.Answer, err error) {
	p, err := newPlatform(h)
	if err != nil {
		return a, err
	}
	if p.functions, err = only(p.functions, h.build, name); err != nil {
		return a, err
	}
	database := p.storePart()
	if dry {
		database = p.dryStorePart()
	}
	parts := []part{database, p.samplesPart(), p.functionsPart()} // without folderPart: the state folder may be the running platform's
	if err := startAll(ctx, parts); err != nil {
		return a, err
	}
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		if ctx.Err() != nil {
			p.log.Info(stopping)
		}
		if stopErr := stopAll(end, parts); err == nil {
			err = stopErr
		}
	}()
	h.logMistypedNames(p.log)
	f := p.host.Functions()[0]
	switch a = blank(f); f.State {
	case host.Broken:
		a.Status, a.Error = "failed", f.Reason
		return a, fmt.Errorf("%s cannot start: %s", f.Name, f.Reason)
	case host.Unconfigured:
		// Not called: the call would record for the running platform that it lacks a key.
		a.Status, a.Missing = "not_configured", f.Missing
		return a, lacks(f, f.Missing)
	}
	p.log.Info(describe(f), "function", f.Name)
	if dry {
		return call(ctx, f, "?dry_run=true")
	}
	if err := p.mayStore(ctx, f); err != nil {
		return a, err
	}
	return call(ctx, f, "?show=true")
}

// mayStore returns an error if f would store sample data and its last run here was on
// live data.
func (p *platform) mayStore(ctx context.Context, f host.Function) error {
	if f.State != host.Sample {
		return nil
	}
	st, err := p.open(ctx)
	if err != nil {
		return err
	}
	runs, err := st.Runs(ctx, f.Name, 1)
	if err != nil || len(runs) == 0 || runs[0].Sample {
		return err
	}
	missing := "LIVE=" + f.Name
	if len(f.Missing) > 0 {
		missing = strings.Join(f.Missing, " and ")
	}
	return fmt.Errorf("%s works on live data here, and without %s this run would store sample data beside it: set %[2]s, or run it with --dry-run", f.Name, missing)
}

func only(fs []stack.Function, build map[string]host.Builder, name string) ([]stack.Function, error) {
	i := slices.IndexFunc(fs, func(f stack.Function) bool { return f.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("there is no function %q in %s", name, strings.Join(stack.Files, " or "))
	}
	if _, ok := build[name]; !ok {
		return nil, fmt.Errorf("%s is not built in: run go generate ./local and build hearth again", name)
	}
	return fs[i : i+1], nil
}

func call(ctx context.Context, f host.Function, query string) (source.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	a := blank(f)
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
		return a, lacks(f, a.Missing)
	}
	return a, nil
}

// blank is an answer of f without results; its lists are empty, not null.
func blank(f host.Function) source.Answer {
	return source.Answer{Function: f.Name, Warnings: []string{}}
}

func lacks(f host.Function, missing []string) error {
	return fmt.Errorf("%s is not configured: it lacks %s", f.Name, strings.Join(missing, ", "))
}
