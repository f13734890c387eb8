package mqttclient

import (
	"log/slog"
	"slices"
	"sync"
	"time"
)

const (
	quickLossTime  = 10 * time.Second // a connection that is lost sooner is a quick loss
	maxQuickLosses = 3                // in a row; then another client probably has the same id
	toldAgain      = 10 * time.Minute // within an outage, a kind of problem that comes back is logged again after this time
)

// Reporter says why a client cannot use its broker: in the log once for each problem, and
// once that all is right again, and in Problem for as long as it lasts. It is safe for
// concurrent use.
type Reporter struct {
	access Access
	log    *slog.Logger

	mu          sync.Mutex
	problem     Problem
	asked       Problem            // the last one for which the server was asked what it is
	found       Problem            // what it is then
	told        map[Kind]time.Time // problems of this outage that were logged, and when
	began       time.Time          // of the connection; zero: not connected, or that was not reported yet
	quickLosses int                // in a row
	refused     []string           // filters to which the broker allows no subscription
	settle      *time.Timer        // of a connection after too many quick losses: it ends the problem
}

// NewReporter returns the Reporter of a client that has not connected yet. a.URL must be
// as completed by ParseURL.
func NewReporter(a Access, log *slog.Logger) *Reporter {
	return &Reporter{access: a, log: log, told: map[Kind]time.Time{}}
}

// Failed reports the error of an attempt to connect.
func (r *Reporter) Failed(err error) {
	p := r.access.explain(err)
	r.mu.Lock()
	asked, found := r.asked, r.found
	r.mu.Unlock()
	if p != asked { // not at each attempt
		asked, found = p, r.access.refine(p)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked, r.found = asked, found
	r.set(found, "the broker cannot be reached", err)
}

// Lost reports that the connection ended with err.
func (r *Reporter) Lost(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.began.IsZero() || time.Since(r.began) < quickLossTime {
		r.quickLosses++
	} else {
		r.quickLosses = 0
	}
	r.began = time.Time{}
	if r.settle != nil {
		r.settle.Stop()
		r.settle = nil
	}
	if r.quickLosses >= maxQuickLosses {
		r.set(r.access.inUse(), "the broker disconnects this client again and again", err)
		return
	}
	r.set(r.access.explainLoss(err), "the connection to the broker is lost, connecting again", err)
}

// Connected reports that the client is connected and may use the broker. After too many
// quick losses, all is right again only once the connection has lasted a while.
func (r *Reporter) Connected() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.began = time.Now()
	if r.quickLosses >= maxQuickLosses {
		r.settle = time.AfterFunc(quickLossTime, r.settled)
		return
	}
	r.right()
}

// settled ends the problem of a connection that has lasted.
func (r *Reporter) settled() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.began.IsZero() && time.Since(r.began) >= quickLossTime {
		r.quickLosses = 0
		r.right()
	}
}

// right logs that the client is connected. The caller holds r.mu.
func (r *Reporter) right() {
	attributes := []any{"broker", r.access.URL, "client", r.access.ClientID}
	if r.problem.Kind == "" {
		r.log.Info("connected to the broker", attributes...)
	} else {
		r.log.Info("connected to the broker again", append(attributes, "after", r.problem.Text)...)
	}
	r.problem = Problem{}
	clear(r.told)
}

// Refused reports all filters to which the broker allows no subscription.
func (r *Reporter) Refused(filters []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fresh := slices.DeleteFunc(slices.Clone(filters), func(f string) bool { return slices.Contains(r.refused, f) })
	switch {
	case len(fresh) > 0:
		r.log.Error(r.access.refused(fresh).Text, "broker", r.access.URL, "problem", string(Subscription))
	case len(filters) == 0 && len(r.refused) > 0:
		r.log.Info("the broker allows all subscriptions again", "broker", r.access.URL)
	}
	r.refused = filters
}

// set replaces the problem, and logs it if it is another one. The caller holds r.mu.
func (r *Reporter) set(p Problem, message string, err error) {
	same := p.Kind == r.problem.Kind
	r.problem = p
	if at, ok := r.told[p.Kind]; same || ok && time.Since(at) < toldAgain { // clock: it measures a duration
		return
	}
	r.told[p.Kind] = time.Now() // clock: it measures a duration
	level := r.log.Error
	if p.waits() {
		level = r.log.Warn
	}
	level(message+": "+p.Text, "broker", r.access.URL, "problem", string(p.Kind), "err", err)
}

// Problem returns why the client cannot use the broker at present, or cannot use all of
// it. It is the zero Problem before the first attempt to connect too.
func (r *Reporter) Problem() Problem {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.problem.Kind == "" && len(r.refused) > 0 {
		return r.access.refused(r.refused)
	}
	return r.problem
}

// QuickLosses returns how many connections in a row were lost right after they began.
func (r *Reporter) QuickLosses() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.quickLosses
}

// TooManyQuickLosses reports whether another client probably has the same id.
func (r *Reporter) TooManyQuickLosses() bool { return r.QuickLosses() >= maxQuickLosses }
