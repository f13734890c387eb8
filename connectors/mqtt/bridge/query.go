package bridge

import (
	"strings"

	"github.com/hearth-home/hearth/shared/topic"
)

// Query picks dead letters; empty parts match all.
type Query struct {
	ID       string `json:"id"`
	Function string `json:"function"`
	Topic    string `json:"topic"`  // an MQTT filter
	Reason   string `json:"reason"` // part of it
}

func (q Query) matches(d *DeadLetter) bool {
	return (q.ID == "" || q.ID == d.ID) && (q.Function == "" || q.Function == d.Function) &&
		(q.Topic == "" || topic.Match(q.Topic, d.Topic)) && strings.Contains(d.Reason, q.Reason)
}
