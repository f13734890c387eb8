// Package schedule calls functions as the OpenFaaS cron-connector does: same
// parser, same empty POST, overlapping runs allowed, and UTC, in which its
// container lives, unless a schedule names a zone. Beyond it, what should have
// run while the process was down runs once at the start.
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

	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/wire"
)

const (
	atOnce  = 4               // calls at the start, side by side
	timeout = 2 * time.Minute // of a call; functions end earlier
	patient = 12              // calls at the start of what says that it runs already
)

// Job is a function to call by the clock.
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
	stop    context.CancelFunc // no new calls
	cancel  context.CancelFunc // no calls at all
	calls   sync.WaitGroup
	pause   time.Duration // before calling again what runs already

	mu      sync.Mutex
	missing map[string][]string
}

// New reads the schedules; one that cannot be read is said and left out.
func New(gateway string, jobs []Job, log *slog.Logger, now time.Time) *Scheduler {
	return start(gateway, jobs, log, now, 5*time.Second)
}

func start(gateway string, jobs []Job, log *slog.Logger, now time.Time, pause time.Duration) *Scheduler {
	ctx, cancel := context.WithCancel(context.Background())
	open, stop := context.WithCancel(ctx)
	s := &Scheduler{
		gateway: gateway, log: log, stop: stop, cancel: cancel, pause: pause,
		cron:    cron.New(cron.WithLogger(cron.DiscardLogger), cron.WithLocation(time.UTC)),
		entries: map[string]cron.EntryID{},
		client:  &http.Client{Timeout: timeout, Transport: &http.Transport{}},
		missing: map[string][]string{},
	}
	for _, j := range jobs {
		plan, err := serve.ParseSchedule(j.Schedule)
		if err != nil {
			log.Error("never runs: its schedule cannot be read", "function", j.Function, "schedule", j.Schedule, "err", err)
			continue
		}
		s.entries[j.Function] = s.cron.Schedule(plan, cron.FuncJob(func() { s.call(ctx, j.Function) }))
		if j.Last.IsZero() || !plan.Next(j.Last.UTC()).After(now) {
			s.overdue = append(s.overdue, j.Function)
		}
	}
	s.calls.Go(func() { s.catchUp(open, ctx) })
	s.cron.Start()
	return s
}

// catchUp calls what is overdue, a few at a time, while open lasts. What a
// process that was killed left running has its lease for another half minute.
func (s *Scheduler) catchUp(open, ctx context.Context) {
	turn := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	for _, name := range s.overdue {
		turn <- struct{}{}
		if open.Err() != nil {
			break
		}
		wg.Go(func() {
			defer func() { <-turn }()
			for range patient {
				if s.call(ctx, name) != http.StatusConflict {
					return
				}
				select {
				case <-open.Done():
					return
				case <-time.After(s.pause):
				}
			}
		})
	}
	wg.Wait()
}

// Next is when a function runs next; zero: it has no schedule.
func (s *Scheduler) Next(function string) time.Time {
	id, ok := s.entries[function]
	if !ok {
		return time.Time{}
	}
	return s.cron.Entry(id).Next
}

// Missing is what a function said it lacks when it was last called.
func (s *Scheduler) Missing(function string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.missing[function]
}

// Stop calls nothing more and lets calls finish while ctx lasts.
func (s *Scheduler) Stop(ctx context.Context) error {
	defer s.client.CloseIdleConnections()
	defer s.cancel()
	s.stop()
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

// call is one trigger and returns the answer's code. The function logs its own
// run; here only what it cannot know is logged.
func (s *Scheduler) call(ctx context.Context, name string) int {
	code, err := s.post(ctx, name)
	if err != nil && ctx.Err() == nil {
		s.log.Error("was not called", "function", name, "err", err)
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
	_ = json.Unmarshal(b, &a) // another kind of function answers anything
	s.mu.Lock()
	defer s.mu.Unlock()
	s.missing[name] = a.Missing
	return res.StatusCode, nil
}
