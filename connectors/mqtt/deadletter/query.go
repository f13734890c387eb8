package deadletter

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

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
	All      bool      `json:"all,omitempty"`    // all letters are meant; not together with a filter. A drop without a filter needs it
}

// matches reports whether d matches all fields of q.
func (q Query) matches(d *Letter) bool {
	return (q.ID == "" || q.ID == d.ID) && (q.Function == "" || q.Function == d.Function) &&
		(q.Topic == "" || topic.Match(q.Topic, d.Topic)) && strings.Contains(d.Reason, q.Reason) && (q.Cause == "" || q.Cause == d.Reason) && (q.Before.IsZero() || !d.Last.After(q.Before))
}

// parseQuery reads the URL parameters id, function, topic, reason, cause and all=true.
// An unknown parameter or an empty value is an error: ignoring it would select more
// letters than the caller meant.
func parseQuery(v url.Values) (q Query, err error) {
	parts := map[string]*string{"id": &q.ID, "function": &q.Function, "topic": &q.Topic, "reason": &q.Reason, "cause": &q.Cause}
	for name, values := range v {
		part, known := parts[name]
		switch {
		case len(values) != 1 || values[0] == "":
			return Query{}, fmt.Errorf("%.40q needs one value", name)
		case known:
			*part = values[0]
		case name == "all" && values[0] == "true":
			q.All = true
		default:
			return Query{}, fmt.Errorf("unknown parameter %.40q: use id, function, topic, reason, cause or all=true", name+"="+values[0])
		}
	}
	return q, q.check()
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

// checkDrop is check for a query that removes letters: it must have a filter or All.
func (q Query) checkDrop() error {
	if q == (Query{Before: q.Before}) {
		return errors.New("give the letters to drop by id, function, topic, reason or cause, or give all")
	}
	return q.check()
}
