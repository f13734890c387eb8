// Package schedule calls functions as the OpenFaaS cron-connector does: the same parser,
// the same empty POST, overlapping runs, and times in UTC unless a schedule names a zone
// (the cron-connector's container runs in UTC). In addition, a run that was due while the
// process was down happens once at the start.
package schedule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/hearth-home/hearth/shared/pause"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/wire"
)

const (
	atOnce  = 4               // concurrent calls at the start
	timeout = 2 * time.Minute // of a call; functions end their calls earlier
	tries   = 12              // of an overdue call that is answered 409: the function runs already
)

// Job is a function with a schedule.
type Job struct {
	Function string
	Schedule string    // five fields or @every 1h, with CRON_TZ= if wanted
	Last     time.Time // when it last ran; zero: never
}

// Scheduler calls functions through a gateway.
type Scheduler struct {
	gateway string
	log     *slog.Logger
	cron    *cron.Cron
	entries map[string]cron.EntryID
	overdue []string
	client  *http.Client
	stop    context.CancelFunc // starts no more overdue calls
	cancel  context.CancelFunc // cuts off the calls in flight
	begun   context.Context    // until stop
	ctx     context.Context    // until cancel
	calls   sync.WaitGroup
	pause   time.Duration // before an overdue call is tried again

	mu      sync.Mutex
	missing map[string][]string
}

// New starts a scheduler that calls the jobs through the gateway, at first the overdue
// ones. A job whose schedule is invalid is logged and left out.
func New(gateway string, jobs []Job, log *slog.Logger, now time.Time) *Scheduler {
	return start(gateway, jobs, log, now, 5*time.Second)
}

func start(gateway string, jobs []Job, log *slog.Logger, now time.Time, pause time.Duration) *Scheduler {
	ctx, cancel := context.WithCancel(context.Background())
	starting, stop := context.WithCancel(ctx)
	s := &Scheduler{
		gateway: gateway, log: log, stop: stop, cancel: cancel, begun: starting, ctx: ctx, pause: pause,
		cron:    cron.New(cron.WithLogger(cron.DiscardLogger), cron.WithLocation(time.UTC)),
		entries: map[string]cron.EntryID{},
		client:  &http.Client{Timeout: timeout, Transport: &http.Transport{}},
		missing: map[string][]string{},
	}
	for _, j := range jobs {
		plan, err := serve.ParseSchedule(j.Schedule)
		if err != nil {
			log.Error("never runs: its schedule is invalid", "function", j.Function, "schedule", j.Schedule, "err", err)
			continue
		}
		s.entries[j.Function] = s.cron.Schedule(plan, cron.FuncJob(func() { s.call(s.ctx, j.Function) }))
		if j.Last.IsZero() || !plan.Next(j.Last.UTC()).After(now) {
			s.overdue = append(s.overdue, j.Function)
		}
	}
	s.calls.Go(s.catchUp)
	s.cron.Start()
	return s
}

// catchUp makes the overdue calls, atOnce at a time, until the stop.
func (s *Scheduler) catchUp() {
	slots := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	for _, name := range s.overdue {
		slots <- struct{}{}
		if s.begun.Err() != nil {
			break
		}
		wg.Go(func() {
			defer func() { <-slots }()
			s.persist(name)
		})
	}
	wg.Wait()
}

// persist calls a function. It retries one that answers 409: a run that was killed with the
// last process keeps its lease for half a minute.
func (s *Scheduler) persist(name string) {
	for range tries {
		if s.call(s.ctx, name) != http.StatusConflict || !pause.For(s.begun, s.pause) {
			return
		}
	}
}

// Run calls a function now, beside its schedule, and does not wait for it. After Stop has
// begun it does nothing.
func (s *Scheduler) Run(function string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun.Err() == nil {
		s.calls.Go(func() { s.persist(function) })
	}
}

// Next returns when a function runs next, or zero if it has no schedule.
func (s *Scheduler) Next(function string) time.Time {
	id, ok := s.entries[function]
	if !ok {
		return time.Time{}
	}
	return s.cron.Entry(id).Next
}

// Missing returns the settings and secrets that a function's last answer lists as missing.
func (s *Scheduler) Missing(function string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.missing[function]
}

// Stop starts no more calls. Calls in flight may finish while ctx lasts; then they are cut
// off, which is an error.
func (s *Scheduler) Stop(ctx context.Context) error {
	defer s.client.CloseIdleConnections()
	defer s.cancel()
	s.mu.Lock()
	s.stop()
	s.mu.Unlock()
	ended := make(chan struct{})
	running := s.cron.Stop()
	go func() {
		defer close(ended)
		<-running.Done()
		s.calls.Wait()
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		s.cancel()
		<-ended // they were cut off
		return errors.New("scheduled calls were cut off")
	}
}

// call calls a function and returns the answer's status code; 0: no answer. The function
// logs its own run; call logs only that the function could not be called.
func (s *Scheduler) call(ctx context.Context, name string) int {
	code, err := s.post(ctx, name)
	if err != nil && ctx.Err() == nil {
		s.log.Error("could not be called", "function", name, "err", err)
	}
	return code
}

func (s *Scheduler) post(ctx context.Context, name string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.gateway+"/function/"+name, http.NoBody)
	if err != nil {
		return 0, err
	}
	req.Header.Set("X-Topic", wire.CronTopic)
	req.Header.Set("X-Connector", "cron-connector")
	req.Header.Set("Content-Type", "text/plain")
	res, err := s.client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("post: %w", err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return 0, fmt.Errorf("read the answer: %w", err)
	}
	if res.StatusCode >= http.StatusInternalServerError && res.Header.Get("X-OpenFaaS-Internal") != "" {
		return res.StatusCode, fmt.Errorf("the gateway answered %d", res.StatusCode)
	}
	var a struct {
		Missing []string `json:"missing"`
	}
	_ = json.Unmarshal(b, &a) // a function that is no source may answer anything
	s.mu.Lock()
	defer s.mu.Unlock()
	s.missing[name] = a.Missing
	return res.StatusCode, nil
}
