package deliver

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/hearth-home/hearth/connectors/mqtt/deadletter"
	"github.com/hearth-home/hearth/shared/wire"
)

// verdict is what an answer means for the messages of a call.
type verdict int

const (
	stored      verdict = iota // 2xx: all are stored
	partial                    // 207: some are rejected, some are to be sent again, the rest is stored
	refused                    // another 4xx: the function will never store them
	unavailable                // 401, 403, 404, 429, 503, no connection: send all of them again later
	tooLarge                   // 413: halve the batch
	failed                     // 500, 502, no answer in time: one message may be the cause
)

// maxReason is how many bytes of an answer go into a reason, before that is redacted
// and shortened.
const maxReason = 4 << 10

// answer is the answer of a function. Replay and Drop stay undecoded, so that each
// wire.Pick is decoded on its own and an invalid one does not affect the others.
type answer struct {
	wire.Answer
	Replay []json.RawMessage `json:"replay"`
	Drop   []json.RawMessage `json:"drop"`
}

// judge decides what an answer means (design: "Connector -> function"), and returns
// the decoded answer and a text for logs and dead letters. err is the error of a call
// that got no answer.
func judge(code int, body []byte, err error) (verdict, answer, string) {
	var a answer
	if err != nil {
		if isTimeout(err) {
			return failed, a, "no answer in time"
		}
		return unavailable, a, err.Error()
	}
	reason := fmt.Sprintf("answered %d: %s", code, body[:min(len(body), maxReason)])
	switch {
	case code == http.StatusMultiStatus:
		if err := json.Unmarshal(body, &a); err != nil {
			return failed, answer{}, "not JSON: " + reason
		}
		return partial, a, reason
	case code/100 == 2:
		if json.Unmarshal(body, &a) != nil {
			a = answer{} // a plain function may answer anything
		}
		return stored, a, reason
	case code == http.StatusUnauthorized, code == http.StatusForbidden, code == http.StatusNotFound,
		code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable:
		return unavailable, a, reason
	case code == http.StatusRequestEntityTooLarge:
		return tooLarge, a, reason
	case code/100 == 4:
		return refused, a, reason
	default:
		return failed, a, reason
	}
}

// requests returns the requests for dead letters in an answer of f. An invalid one is
// logged and left out.
func (a answer) requests(f subscriber, log *slog.Logger) (out []deadletter.Request) {
	take := func(raw json.RawMessage, drop bool) {
		r, err := request(f, raw, drop)
		if err != nil {
			log.Error("a function's request for dead letters is invalid", "drop", drop, "request", fmt.Sprintf("%.300s", raw), "err", err)
			return
		}
		out = append(out, r)
	}
	for _, raw := range a.Replay {
		take(raw, false)
	}
	for _, raw := range a.Drop {
		take(raw, true)
	}
	return out
}

// request decodes one wire.Pick. A pick must have All or a filter other than Function
// and Before, but not both.
func request(f subscriber, raw json.RawMessage, drop bool) (r deadletter.Request, err error) {
	var p wire.Pick
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields() // ignoring an unknown filter would match more letters than the function meant
	if err := d.Decode(&p); err != nil {
		return r, err
	}
	if filtered := p.ID != "" || p.Topic != "" || p.Reason != "" || p.Cause != ""; p.All == filtered {
		return r, errors.New("give either a filter or all")
	}
	if p.Function != "" && p.Function != f.Name && !f.mirrors() {
		return r, errors.New("only the function that mirrors the dead letters may name another function")
	}
	r = deadletter.Request{Drop: drop, Query: deadletter.Query{ID: p.ID, Function: cmp.Or(p.Function, f.Name), Topic: p.Topic, Reason: p.Reason, Cause: p.Cause, Before: p.Before}}
	if p.Function == wire.AnyFunction {
		r.Function = ""
		r.All = p.All
	}
	return r, nil
}

// mirrors reports whether f subscribes to the dead letters' notices: it keeps their
// mirror in the database.
func (f subscriber) mirrors() bool { return matchAny(f.Filters, wire.DeadPrefix+"id") }
