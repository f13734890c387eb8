// Package mqttbatch is the handler that the functions which take MQTT messages
// have in common (design: "Connector -> function").
package mqttbatch

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	handler "github.com/openfaas/templates-sdk/go-http"

	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/wire"
)

const (
	deadline    = 20 * time.Second // of a call: the connector waits for 25 s
	reportEvery = time.Minute      // in the log, for what went well
	reasonBytes = 300
)

// Transform stores messages or says why not, each on its own. An error means
// that nothing of the batch counts as stored, and all of it comes again.
type Transform func(ctx context.Context, st *store.Store, ms []wire.Message, now time.Time) (wire.Answer, error)

// Func serves t over HTTP: 200 all stored; 207 all but those in the answer;
// 400 no batch; 405 no POST; 500 the database refused a reading; 503 the store
// is away or not migrated.
func Func(env serve.Env, name string, t Transform) (func(handler.Request) (handler.Response, error), error) {
	seen, err := serve.NewPresence(env, name)
	if err != nil {
		return nil, err
	}
	s := &server{env: env, transform: t, seen: seen, report: report{name: name, env: env}}
	return s.serve, nil
}

type server struct {
	env       serve.Env
	transform Transform
	seen      *serve.Presence
	report    report
}

func (s *server) serve(r handler.Request) (handler.Response, error) {
	if r.Method != http.MethodPost {
		return s.failed(http.StatusMethodNotAllowed, errors.New("use POST")), nil
	}
	ms, err := wire.Read(r.Header, r.Body)
	if err != nil {
		return s.failed(http.StatusBadRequest, err), nil
	}
	// A gateway that hangs up does not stop a batch half-way.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), deadline)
	defer cancel()
	start := s.env.Now()
	st, err := s.env.Open(ctx)
	if err != nil {
		return s.failed(http.StatusServiceUnavailable, err), nil
	}
	s.seen.Seen(ctx, true)
	a, err := s.transform(ctx, st, ms, start)
	if err != nil {
		return s.failed(code(err), err), nil
	}
	s.report.took(len(ms), a, s.env.Now().Sub(start))
	return s.answer(a)
}

// code tells what a failed store means. What no store, or InfluxDB, will ever
// take is some message's fault: 500 makes the connector find which.
func code(err error) int {
	if errors.Is(err, store.ErrUnstorable) {
		return http.StatusInternalServerError
	}
	if e, ok := errors.AsType[*store.InfluxError](err); ok {
		switch {
		case e.StatusCode == http.StatusRequestEntityTooLarge:
			return http.StatusRequestEntityTooLarge
		case e.Partial, e.StatusCode == http.StatusBadRequest, e.StatusCode == http.StatusUnprocessableEntity:
			return http.StatusInternalServerError
		}
	}
	return http.StatusServiceUnavailable
}

func (s *server) answer(a wire.Answer) (handler.Response, error) {
	status := http.StatusOK
	if len(a.Rejected)+len(a.Retry) > 0 {
		status = http.StatusMultiStatus
	}
	seen := map[string]string{} // a batch has few reasons, and redacting reads files
	for _, rs := range [][]wire.Refusal{a.Rejected, a.Retry} {
		for i, r := range rs {
			if _, ok := seen[r.Reason]; !ok {
				seen[r.Reason] = s.env.Secrets.Brief(r.Reason, reasonBytes)
			}
			rs[i].Reason = seen[r.Reason]
		}
	}
	if a.Rejected == nil {
		a.Rejected = []wire.Refusal{}
	}
	if a.Retry == nil {
		a.Retry = []wire.Refusal{}
	}
	b, err := json.Marshal(a)
	return handler.Response{StatusCode: status, Body: b, Header: jsonHeader()}, err
}

func (s *server) failed(status int, err error) handler.Response {
	s.env.Log.Error("batch", "function", s.report.name, "code", status, "err", err)
	b, _ := json.Marshal(map[string]string{"status": "failed", "error": s.env.Secrets.Brief(err.Error(), reasonBytes)})
	return handler.Response{StatusCode: status, Body: b, Header: jsonHeader()}
}

func jsonHeader() http.Header { return http.Header{"Content-Type": {"application/json"}} }

// report logs refusals at once and the rest once a minute: one line a batch
// would wear out a Pi's card.
type report struct {
	name string
	env  serve.Env

	mu                            sync.Mutex
	since                         time.Time
	said                          string // the last refusal logged
	batches, messages, bad, again int
	busy                          time.Duration
}

func (r *report) took(messages int, a wire.Answer, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(a.Rejected) > 0 && a.Rejected[0].Reason != r.said {
		r.said = a.Rejected[0].Reason
		r.env.Log.Warn("rejected", "function", r.name, "messages", len(a.Rejected), "of", messages, "first", r.said)
	}
	now := r.env.Now()
	if r.since.IsZero() {
		r.since = now.Add(-reportEvery) // the first batch is news
	}
	r.batches, r.messages, r.bad, r.again, r.busy = r.batches+1, r.messages+messages, r.bad+len(a.Rejected), r.again+len(a.Retry), r.busy+took
	if now.Sub(r.since) < reportEvery {
		return
	}
	r.env.Log.Info("stored", "function", r.name, "batches", r.batches, "messages", r.messages,
		"rejected", r.bad, "asked_again", r.again, "took_ms", r.busy.Milliseconds())
	r.since, r.said, r.batches, r.messages, r.bad, r.again, r.busy = now, "", 0, 0, 0, 0, 0
}
