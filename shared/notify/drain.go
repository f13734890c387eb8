package notify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	each      = 200              // messages of one destination and channel that are read at once
	pace      = time.Second      // between two messages in one room of Slack, which allows no more
	leaseTime = 30 * time.Second // of the lease that lets one sender at a time send, beyond its budget
	unwanted  = 24 * time.Hour   // after which a message for a destination that is not configured is dropped
)

// Drain sends the messages that are due. It begins none after budget has passed, and does
// nothing while another sender holds the lease. What a destination does not accept stays in
// the outbox, to be sent later: what comes after it in the same lane waits, so that messages
// stay in order. Drain waits for a message in flight even when the time is up: stopping it
// could send it twice. Errors are logged; they raise no alert. left reports that the time was
// up before all were sent.
func (s *Sender) Drain(ctx context.Context, st *store.Store, budget time.Duration, now func() time.Time, log *slog.Logger) (left bool) {
	if s.config.Mode == alert.Observe {
		return false
	}
	left, err := s.drain(ctx, st, budget, now, log)
	if err != nil {
		log.Warn("notify", "err", s.redacted(err))
	}
	return left
}

func (s *Sender) drain(ctx context.Context, st *store.Store, budget time.Duration, now func() time.Time, log *slog.Logger) (left bool, _ error) {
	if due, err := st.AnyDue(ctx, now()); err != nil || !due {
		return false, err
	}
	n, err := st.GiveUp(ctx, now())
	if err != nil {
		return false, err
	}
	if n > 0 {
		log.Error("messages are given up: they could not be sent", "messages", n)
	}
	if len(s.Destinations()) == 0 {
		return false, nil
	}
	fence, err := st.Lease(ctx, "notify", "", budget+leaseTime)
	if errors.Is(err, store.ErrRunning) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer st.Release(context.WithoutCancel(ctx), "notify", fence) // even if ctx has ended
	d := &drain{Sender: s, st: st, now: now, log: log, end: now().Add(budget)}
	return d.run(ctx)
}

// drain is one call of Drain.
type drain struct {
	*Sender
	st     *store.Store
	now    func() time.Time
	log    *slog.Logger
	end    time.Time // no message is begun after it
	active []alert.State
	until  map[string]time.Time // ends of silences, by key of the alert
	errs   error                // of destinations: the outbox has them too
}

// queue is what waits in a lane.
type queue struct {
	lane
	batches [][]alert.Message
}

func (d *drain) run(ctx context.Context) (left bool, _ error) {
	if err := d.recent(ctx); err != nil {
		return false, err
	}
	for {
		rows, err := d.st.Due(ctx, d.now(), each)
		if err != nil {
			return false, errors.Join(d.errs, err)
		}
		ended := false
		queues, wake, err := d.queues(ctx, rows)
		if err == nil && len(queues) > 0 {
			if err = d.describe(ctx); err == nil {
				ended, err = d.send(ctx, queues)
			}
		}
		if err != nil || ended {
			return err == nil, errors.Join(d.errs, err)
		}
		if len(queues) == 0 && (wake.IsZero() || !wake.Before(d.end) || !d.wait(ctx, wake.Sub(d.now()))) {
			return false, d.errs
		}
	}
}

// recent finds when other senders sent their last messages, so that the pace holds.
func (d *drain) recent(ctx context.Context) error {
	last, err := d.st.LastSent(ctx, d.now().Add(-pace))
	for to, at := range last {
		if l, err := d.lane(&alert.Message{Destination: to[0], Channel: alert.Channel(to[1])}); err == nil {
			d.sentTo(l, at)
		}
	}
	return err
}

func (s *Sender) sentTo(l lane, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at.After(s.last[l]) {
		s.last[l] = at
	}
}

// ready is when the next message of a lane may be sent.
func (s *Sender) ready(l lane) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.destination != alert.ToSlack || s.last[l].IsZero() {
		return time.Time{}
	}
	return s.last[l].Add(pace)
}

// queues returns what is to be sent now, and when the first lane that waits goes on; the
// zero time if none waits.
func (d *drain) queues(ctx context.Context, rows []alert.Message) (out []*queue, wake time.Time, err error) {
	rows, err = d.wanted(ctx, rows)
	lanes := split(rows, func(m *alert.Message) lane {
		l, _ := d.lane(m) // wanted has left out those without one
		return l
	})
	for _, l := range slices.SortedFunc(maps.Keys(lanes), func(a, b lane) int {
		return cmp.Or(strings.Compare(a.destination, b.destination), strings.Compare(a.room, b.room))
	}) {
		held := heldUntil(lanes[l], d.now())
		if !held.IsZero() {
			if wake.IsZero() || held.Before(wake) {
				wake = held
			}
			continue
		}
		left, lookErr := d.settle(ctx, l, lanes[l])
		err = errors.Join(err, lookErr)
		if len(left) > 0 {
			out = append(out, &queue{l, batches(left)})
		}
	}
	return out, wake, err
}

// wanted returns the messages for which something is configured, and refuses others.
func (d *drain) wanted(ctx context.Context, rows []alert.Message) (out []alert.Message, err error) {
	destinations := d.Destinations()
	for _, m := range rows {
		_, laneErr := d.lane(&m)
		switch {
		case !slices.Contains(destinations, m.Destination):
			if d.now().Sub(m.Created) > unwanted {
				err = errors.Join(err, d.st.Refuse(ctx, []string{m.Key}, m.Destination+" is not configured", d.now()))
			}
		case errors.Is(laneErr, errNowhere):
			d.log.Error("a message is not sent: no address is configured for it", "destination", m.Destination, "channel", m.Channel, "key", m.Key)
			err = errors.Join(err, d.st.Refuse(ctx, []string{m.Key}, laneErr.Error(), d.now()))
		case laneErr != nil: // the settings are wrong: it waits until they are mended
			d.fail(laneErr)
		default:
			out = append(out, m)
		}
	}
	return out, err
}

// fail keeps an error of a destination for the log, once.
func (d *drain) fail(err error) {
	if d.errs == nil || !strings.Contains(d.errs.Error(), err.Error()) {
		d.errs = errors.Join(d.errs, err)
	}
}

// send sends the batches of all queues in turn. ended means that the time was up before all
// were sent. The error is the store's.
func (d *drain) send(ctx context.Context, queues []*queue) (ended bool, err error) {
	for {
		queues = slices.DeleteFunc(queues, func(q *queue) bool { return len(q.batches) == 0 })
		if len(queues) == 0 {
			return !d.now().Before(d.end), nil
		}
		q := slices.MinFunc(queues, func(a, b *queue) int {
			return cmp.Or(d.ready(a.lane).Compare(d.ready(b.lane)), inOrder(a.batches[0][0], b.batches[0][0]))
		})
		if pause := d.ready(q.lane).Sub(d.now()); pause > 0 && (!d.ready(q.lane).Before(d.end) || !d.wait(ctx, pause)) {
			return true, nil
		}
		if !d.now().Before(d.end) || ctx.Err() != nil {
			return true, nil
		}
		batch := q.batches[0]
		q.batches = q.batches[1:]
		again, err := d.deliver(context.WithoutCancel(ctx), q.lane, batch)
		if err != nil {
			return true, err
		}
		if again == nil {
			continue
		}
		if q.batches = append(again, q.batches...); len(again) == 0 { // the lane waits
			q.batches = nil
		}
	}
}

// deliver sends one batch and records the result. again is nil if it was sent or refused,
// empty if its lane waits, and else what to send in its place. The error is the store's.
func (d *drain) deliver(ctx context.Context, l lane, rows []alert.Message) (again [][]alert.Message, err error) {
	if l.destination == alert.ToSlack {
		return d.slackBatch(ctx, l, rows)
	}
	if l.destination == alert.ToNtfy && d.crowded(rows) {
		half := len(rows) / 2
		return [][]alert.Message{rows[:half:half], rows[half:]}, nil
	}
	return d.attempt(ctx, l, rows, func() ([]store.Post, error) { return nil, d.push(ctx, rows) })
}

// attempt sends a batch by send, which returns the posts that it made.
func (d *drain) attempt(ctx context.Context, l lane, rows []alert.Message, send func() ([]store.Post, error)) (again [][]alert.Message, err error) {
	keys := keysOf(rows)
	if err := d.st.Attempt(ctx, keys, d.now()); err != nil {
		return nil, err
	}
	posts, err := send()
	d.sentTo(l, d.now())
	if err == nil {
		return nil, d.st.Sent(ctx, keys, posts, d.now())
	}
	return d.failed(ctx, l, rows, err)
}

// failed records that sending a batch failed. If the destination refuses its content, its
// halves are sent, until the message that it refuses stands alone and is set aside.
func (d *drain) failed(ctx context.Context, l lane, rows []alert.Message, err error) (again [][]alert.Message, _ error) {
	keys, fault := keysOf(rows), faultOf(l.destination, err)
	if l.destination != alert.ToSlack { // its package says so
		err = fmt.Errorf("%s: %w", l.destination, err)
	}
	err = d.redacted(err)
	if fault.Bad && len(rows) > 1 {
		half := len(rows) / 2
		return [][]alert.Message{rows[:half:half], rows[half:]}, d.st.Missing(ctx, keys)
	}
	if fault.Bad {
		d.log.Error("a message is set aside, as its destination refuses it", "key", keys[0], "err", err)
		return nil, d.st.Refuse(ctx, keys, err.Error(), d.now())
	}
	d.fail(err)
	next := d.now().Add(retryAfter(fault.After, rows[0].Tries))
	// What may have arrived at an earlier try may have arrived now too.
	unknown := fault.Unknown || slices.ContainsFunc(rows, func(m alert.Message) bool { return !m.Attempted.IsZero() })
	return [][]alert.Message{}, d.st.Postpone(ctx, keys, err.Error(), unknown, next)
}

const maxBackoff = 15 * time.Minute // after a long outage, alerts are told this much later at most

// retryAfter returns how long to wait before the next try: as long as the destination asks
// for, or from one minute to a quarter of an hour.
func retryAfter(asked time.Duration, tries int) time.Duration {
	if asked > 0 {
		return min(asked, time.Hour)
	}
	return min(time.Minute<<min(tries, 6), maxBackoff)
}
