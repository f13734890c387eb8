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
	stored   verdict = iota // all of them
	parted                  // 207: some rejected, some to be sent again, the rest stored
	never                   // another 4xx: will not be taken, ever
	away                    // gateway, function or store is away: the whole again, later
	tooLarge                // 413: halve
	failed                  // 500, 502, no answer in time: perhaps one message is the cause
)

// maxReason is what is kept of an answer until it is redacted and cut.
const maxReason = 4 << 10

// answer is a function's. Its picks of dead letters are read one by one: one that
// is not understood spoils no other.
type answer struct {
	wire.Answer
	Replay []json.RawMessage `json:"replay"`
	Drop   []json.RawMessage `json:"drop"`
}

// judge reads an answer (design: "Connector -> function"). err is the error of
// a call that got none.
func judge(code int, body []byte, err error) (verdict, answer, string) {
	var a answer
	if err != nil {
		if isTimeout(err) {
			return failed, a, "no answer in time"
		}
		return away, a, err.Error()
	}
	reason := fmt.Sprintf("answered %d: %s", code, body[:min(len(body), maxReason)])
	switch {
	case code == http.StatusMultiStatus:
		if err := json.Unmarshal(body, &a); err != nil {
			return failed, answer{}, "with something else than JSON: " + reason
		}
		return parted, a, reason
	case code/100 == 2:
		if json.Unmarshal(body, &a) != nil {
			a = answer{} // a plain function may answer anything
		}
		return stored, a, reason
	case code == http.StatusUnauthorized, code == http.StatusForbidden, code == http.StatusNotFound,
		code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable:
		return away, a, reason
	case code == http.StatusRequestEntityTooLarge:
		return tooLarge, a, reason
	case code/100 == 4:
		return never, a, reason
	default:
		return failed, a, reason
	}
}

// requests are what an answer of f asks for dead letters. What is not understood
// is refused and logged.
func (a answer) requests(f listener, log *slog.Logger) (out []deadletter.Request) {
	take := func(raw json.RawMessage, drop bool) {
		r, err := request(f, raw, drop)
		if err != nil {
			log.Error("a request for dead letters is refused", "drop", drop, "request", fmt.Sprintf("%.300s", raw), "err", err)
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

// request reads one pick. One without a filter beside the function chooses
// nothing, unless it says all.
func request(f listener, raw json.RawMessage, drop bool) (r deadletter.Request, err error) {
	var p wire.Pick
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields() // passed over, an unknown filter would pick more letters than was meant
	if err := d.Decode(&p); err != nil {
		return r, err
	}
	if filtered := p.ID != "" || p.Topic != "" || p.Reason != "" || p.Cause != ""; p.All == filtered {
		return r, errors.New("give a filter, or all, and not both")
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

// mirrors reports whether f gets the news of dead letters.
func (f listener) mirrors() bool { return matchAny(f.Filters, wire.DeadPrefix+"id") }
