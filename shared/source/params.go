package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/nearest"
	"github.com/hearth-home/hearth/shared/wire"
)

// params are the parameters of a call.
type params struct {
	Window
	dryRun, strict, show bool
	trigger              string
}

// parse reads the parameters of a call. history reports whether the source can
// backfill; without it, from and to are an error.
func parse(r *http.Request, history bool, now time.Time) (params, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return params{}, fmt.Errorf("parse the query: %w", err)
	}
	p := params{trigger: "http"}
	if r.Header.Get("X-Connector") == "cron-connector" || r.Header.Get("X-Topic") == wire.CronTopic {
		p.trigger = "cron"
	}
	if err := misplaced(r); err != nil {
		return params{}, err
	}
	for k, values := range q {
		if len(values) > 1 {
			return params{}, fmt.Errorf("%.40q is given %d times: give it once", k, len(values))
		}
		switch k {
		case "dry_run":
			p.dryRun, err = flag(k, q.Get(k))
		case "strict":
			p.strict, err = flag(k, q.Get(k))
		case "show":
			p.show, err = flag(k, q.Get(k))
		case "from":
			p.From, err = date(k, q.Get(k))
		case "to":
			p.To, err = date(k, q.Get(k))
		default:
			err = unknown(k)
		}
		if err != nil {
			return params{}, err
		}
	}
	return p, p.check(q, history, now)
}

var names = []string{"from", "to", "dry_run", "strict", "show"}

// unknown returns the error for a parameter that does not exist.
func unknown(name string) error {
	if near := nearest.Of(name, names); near != "" {
		return fmt.Errorf("unknown parameter %.40q: did you mean %s?", name, near)
	}
	return fmt.Errorf("unknown parameter %.40q: there are %s", name, strings.Join(names, ", "))
}

// misplaced returns an error if parameters are in the body, which is not read: a form,
// or a JSON object with the name of a parameter. Some callers send a body of their own.
func misplaced(r *http.Request) error {
	b, err := io.ReadAll(io.LimitReader(r.Body, 4<<10))
	if err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	form := len(b) > 0 && kind == "application/x-www-form-urlencoded"
	var object map[string]any
	if !form && json.Unmarshal(b, &object) != nil {
		return nil
	}
	if form || slices.ContainsFunc(names, func(name string) bool { _, has := object[name]; return has }) {
		return errors.New("parameters belong into the URL, as in ?dry_run=true: the body is not read")
	}
	return nil
}

// check completes the window and refuses one that is empty or in the future.
func (p *params) check(q url.Values, history bool, now time.Time) error {
	switch {
	case !q.Has("from") && !q.Has("to"):
		return nil
	case !history:
		return fmt.Errorf("this source has no history: leave out from and to")
	case !q.Has("from"):
		return fmt.Errorf("to was given without from: write from=2024-01-01&to=2024-06-30")
	case !q.Has("to"):
		p.To = now
	case len(q.Get("to")) == len(time.DateOnly):
		p.To = p.To.AddDate(0, 0, 1) // to=2024-06-30 includes that day
	}
	if p.To.After(now) {
		p.To = now
	}
	if !p.From.Before(p.To) {
		return fmt.Errorf("from %s must be before to and before now", q.Get("from"))
	}
	p.trigger = "backfill"
	return nil
}

func flag(name, v string) (bool, error) {
	b, err := strconv.ParseBool(v)
	if err != nil {
		return false, fmt.Errorf("%s is %q: write true or false", name, v)
	}
	return b, nil
}

func date(name, v string) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, v); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%s is %q: write a day as 2024-01-31 or a time as 2024-01-31T15:04:05Z", name, v)
}
