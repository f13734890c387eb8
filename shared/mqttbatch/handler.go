// Package mqttbatch is the HTTP handler of the functions that store MQTT messages
// (design: "Connector -> function").
package mqttbatch

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	handler "github.com/openfaas/templates-sdk/go-http"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/house"
	"github.com/hearth-home/hearth/shared/notify"
	"github.com/hearth-home/hearth/shared/rules"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/wire"
)

const (
	deadline    = 20 * time.Second // of a call: below exec_timeout (25 s), and the 30 s for which the connector waits
	reportEvery = time.Minute      // between two log lines about stored messages
	reasonBytes = 300              // of a reason in an answer
)

// Batch is a batch of messages, with what decides which alerts they raise.
type Batch struct {
	Messages []wire.Message
	House    *alert.House
	Rules    *rules.Set
	Now      time.Time
}

// Transform stores the messages of a batch. Its answer names those that it did not
// store, with the reasons. An error means that no message counts as stored: the
// connector sends the whole batch again.
type Transform func(ctx context.Context, st *store.Store, b Batch) (wire.Answer, error)

// setup has the settings that every function of MQTT messages reads from the environment.
type setup struct {
	Settings secret.String `env:"HEARTH_SETTINGS_SECRET" envDefault:"hearth-settings"` // secret with hearth.yml; its section devices maps topics and names devices, its rules change alerts
	Notify   notify.Config
}

// Func returns the function that serves t over HTTP. name is the function's name in
// logs. The messages of alerts that a batch has changed are sent beside its answer. The status of an answer is 200 if all messages are stored, 207 if all but
// those in the answer, 400 if the body is invalid, 405 if it is not a POST, 413 if the
// batch is too large for the database, 500 if the database refused a reading, and 503
// if the store cannot be reached or is not migrated.
func Func(env serve.Env, name string, t Transform) (func(handler.Request) (handler.Response, error), error) {
	c, err := config.Parse[setup](env.Env)
	if err != nil {
		return nil, err
	}
	seen, err := serve.NewPresence(env, name)
	if err != nil {
		return nil, err
	}
	s := &server{env: env, transform: t, seen: seen, loader: house.New(env, c.Settings), report: report{name: name, env: env}}
	s.drain = drain{env: env, sender: notify.New(c.Notify, env)}
	return s.serve, nil
}

type server struct {
	env       serve.Env
	transform Transform
	seen      *serve.Presence
	loader    *house.Loader
	drain     drain
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
	// The batch is finished even if the gateway closes the connection.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), deadline)
	defer cancel()
	start := s.env.Now()
	st, err := s.env.Open(ctx)
	if err != nil {
		return s.failed(http.StatusServiceUnavailable, err), nil
	}
	s.seen.Seen(ctx, true)
	h, set, err := s.loader.Load(ctx, st, start)
	if err != nil {
		return s.failed(http.StatusServiceUnavailable, err), nil
	}
	a, err := s.transform(ctx, st, Batch{Messages: ms, House: h, Rules: set, Now: start})
	if err != nil {
		return s.failed(statusOf(err), err), nil
	}
	s.drain.look(st, start)
	s.report.add(len(ms), a, s.env.Now().Sub(start))
	return s.answer(a)
}

// statusOf returns the HTTP status for an error of the store. If the store will never accept
// some reading, one of the messages is at fault: with 500, the connector searches for
// it. Any other error is 503: all messages are sent again later.
func statusOf(err error) int {
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

// answer encodes a, with its reasons redacted.
func (s *server) answer(a wire.Answer) (handler.Response, error) {
	status := http.StatusOK
	if len(a.Rejected)+len(a.Retry) > 0 {
		status = http.StatusMultiStatus
	}
	seen := map[string]string{} // redacted reasons: a batch has few different ones, and redacting reads files
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

// failed logs and answers an error.
func (s *server) failed(status int, err error) handler.Response {
	s.env.Log.Error("a batch failed", "function", s.report.name, "code", status, "err", err)
	b, _ := json.Marshal(map[string]string{"status": "failed", "error": s.env.Secrets.Brief(err.Error(), reasonBytes)})
	return handler.Response{StatusCode: status, Body: b, Header: jsonHeader()}
}

func jsonHeader() http.Header { return http.Header{"Content-Type": {"application/json"}} }

// report logs a new reason of a refusal at once, and sums of everything else once a
// minute: one line for each batch would wear out a Pi's SD card.
type report struct {
	name string
	env  serve.Env

	mu                                   sync.Mutex
	since                                time.Time // of the sums below
	lastReason                           string    // the last one logged
	batches, messages, rejected, retried int
	busy                                 time.Duration
}

// add adds a batch that was handled.
func (r *report) add(messages int, a wire.Answer, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(a.Rejected) > 0 && a.Rejected[0].Reason != r.lastReason {
		r.lastReason = a.Rejected[0].Reason
		r.env.Log.Warn("rejected", "function", r.name, "messages", len(a.Rejected), "of", messages, "first", r.lastReason)
	}
	now := r.env.Now()
	if r.since.IsZero() {
		r.since = now.Add(-reportEvery) // so that the first batch is logged at once
	}
	r.batches, r.messages, r.rejected, r.retried, r.busy = r.batches+1, r.messages+messages, r.rejected+len(a.Rejected), r.retried+len(a.Retry), r.busy+took
	if now.Sub(r.since) < reportEvery {
		return
	}
	r.env.Log.Info("stored", "function", r.name, "batches", r.batches, "messages", r.messages,
		"rejected", r.rejected, "to_retry", r.retried, "took_ms", r.busy.Milliseconds())
	r.since, r.lastReason, r.batches, r.messages, r.rejected, r.retried, r.busy = now, "", 0, 0, 0, 0, 0
}
