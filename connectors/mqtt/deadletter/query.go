package deadletter

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/nearest"
	"github.com/hearth-home/hearth/shared/topic"
)

// Query selects the dead letters that match all its fields. A zero field matches all.
type Query struct {
	ID       string    `json:"id,omitempty"`
	Function string    `json:"function,omitempty"`
	Topic    string    `json:"topic,omitempty"`  // an MQTT filter
	Reason   string    `json:"reason,omitempty"` // a part of the reason
	Cause    string    `json:"cause,omitempty"`  // the whole reason
	Before   time.Time `json:"before,omitzero"`  // last refusal at this time or before
	All      bool      `json:"all,omitempty"`    // all letters are meant; not together with a filter. A drop or replay without a filter needs it
}

// matches reports whether d matches all fields of q.
func (q Query) matches(d *Letter) bool {
	return (q.ID == "" || q.ID == d.ID) && (q.Function == "" || q.Function == d.Function) &&
		(q.Topic == "" || topic.Match(q.Topic, d.Topic)) && strings.Contains(d.Reason, q.Reason) && (q.Cause == "" || q.Cause == d.Reason) && (q.Before.IsZero() || !d.Last.After(q.Before))
}

// parameters are the URL parameters: those that select letters, and for a replay how
// long to wait for what becomes of them.
var parameters = []string{"id", "function", "topic", "reason", "cause", "all", "wait"}

// parseQuery reads the query of a URL. An unknown parameter, an empty or repeated one,
// or a query that cannot be read whole is an error: ignoring it would select more
// letters than the caller meant. The error names the parameter.
func parseQuery(raw string) (q Query, wait time.Duration, err error) {
	v, err := url.ParseQuery(raw)
	if err != nil {
		return Query{}, 0, fmt.Errorf("the query cannot be read: %w", err)
	}
	names := slices.Sorted(maps.Keys(v))
	for _, name := range names {
		if !slices.Contains(parameters, name) {
			return Query{}, 0, unknown(name)
		}
	}
	parts := map[string]*string{"id": &q.ID, "function": &q.Function, "topic": &q.Topic, "reason": &q.Reason, "cause": &q.Cause}
	for _, name := range names {
		switch value := v.Get(name); {
		case len(v[name]) > 1:
			return Query{}, 0, fmt.Errorf("%s is given %d times: give it once", name, len(v[name]))
		case strings.TrimSpace(value) == "":
			return Query{}, 0, fmt.Errorf("%s is empty: leave it out, or give it a value", name)
		case name == "wait":
			if wait, err = time.ParseDuration(value); err != nil || wait < 0 || wait > MaxWait {
				return Query{}, 0, fmt.Errorf("wait is %.40q: write a time up to %s, such as 5s", value, MaxWait)
			}
		case name != "all":
			*parts[name] = value
		case value != "true":
			return Query{}, 0, fmt.Errorf("all is %.40q: write all=true, or leave it out", value)
		default:
			q.All = true
		}
	}
	return q, wait, q.check()
}

// unknown returns the error for a parameter that does not exist.
func unknown(name string) error {
	if near := nearest.Of(name, parameters); near != "" {
		return fmt.Errorf("unknown parameter %.40q: did you mean %s?", name, near)
	}
	return fmt.Errorf("unknown parameter %.40q: there are %s", name, strings.Join(parameters, ", "))
}

// check returns an error if Topic is no MQTT filter, or if All is set together with a
// filter.
func (q Query) check() error {
	if q.Topic != "" {
		if err := topic.Check(q.Topic); err != nil {
			return err
		}
	}
	if q.All && (q.ID != "" || q.Function != "" || q.Topic != "" || q.Reason != "" || q.Cause != "") {
		return errors.New("give either a filter or all")
	}
	return nil
}

// checkPicks is check for a query that changes letters: it must have a filter or All.
func (q Query) checkPicks() error {
	if q == (Query{Before: q.Before}) {
		return errors.New("which dead letters? Give id, function, topic, reason or cause, or all=true")
	}
	return q.check()
}
