package deadletter

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/topic"
)

// Query picks dead letters. An empty part is no filter.
type Query struct {
	ID       string    `json:"id,omitempty"`
	Function string    `json:"function,omitempty"`
	Topic    string    `json:"topic,omitempty"`  // an MQTT filter
	Reason   string    `json:"reason,omitempty"` // part of it
	Cause    string    `json:"cause,omitempty"`  // the whole reason
	Before   time.Time `json:"before,omitzero"`  // refused last until then
	All      bool      `json:"all,omitempty"`    // said where all are meant, and then alone
}

func (q Query) matches(d *Letter) bool {
	return (q.ID == "" || q.ID == d.ID) && (q.Function == "" || q.Function == d.Function) &&
		(q.Topic == "" || topic.Match(q.Topic, d.Topic)) && strings.Contains(d.Reason, q.Reason) && (q.Cause == "" || q.Cause == d.Reason) && (q.Before.IsZero() || !d.Last.After(q.Before))
}

// parseQuery reads id, function, topic, reason, cause and all=true. What it does not
// know it refuses, and an empty value too: left out, either would pick more
// letters than was meant.
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
			return Query{}, fmt.Errorf("%.40q is not understood: use id, function, topic, reason, cause or all=true", name+"="+values[0])
		}
	}
	return q, q.check()
}

func (q Query) check() error {
	if q.Topic != "" {
		if err := topic.Check(q.Topic); err != nil {
			return err
		}
	}
	if q.All && (q.ID != "" || q.Function != "" || q.Topic != "" || q.Reason != "" || q.Cause != "") {
		return errors.New("all and a filter do not go together: say which is meant")
	}
	return nil
}

// forDrop refuses what would remove more than was meant.
func (q Query) forDrop() error {
	if q == (Query{Before: q.Before}) {
		return errors.New("say which letters to drop, by id, function, topic, reason or cause, or say all")
	}
	return q.check()
}
