package function

import (
	"context"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/silence"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	apart = 3 * time.Minute  // two ticks that are further apart have a pause between them
	late  = 2 * time.Minute  // a report that arrives later than this was kept back somewhere
	slow  = 10 * time.Minute // gaps of this length are stored at once: they take long to learn
	floor = 10 * time.Minute // no learned limit is shorter
	brief = 2 * time.Minute  // whatever is younger is well
)

// memory is what this process knows of earlier ticks.
type memory struct {
	house   *alert.House // of the last tick
	last    time.Time    // the last tick, of this process
	pruned  time.Time    // when old alerts were last deleted
	streams map[metric]*stream
}

// metric is one metric of a device; key is "" for the device as a whole.
type metric struct{ device, key string }

// stream is what is known of the reports of a metric.
type stream struct {
	silence.Cadence
	from    time.Time // the first report of the latest minute with reports
	seen    time.Time // the latest report
	changed time.Time // when the value last changed
	resumed time.Time // the first report after the latest pause
	stored  summary   // of the Cadence in the store
	fresh   bool      // it has learned something since
}

// summary is what makes a difference for the result of a Cadence.
type summary struct {
	gaps    int
	usual   time.Duration
	day     silence.Day
	changes int
	longest int64
}

func summarize(c *silence.Cadence) summary {
	s := summary{gaps: len(c.Gaps), usual: c.Usual(), changes: c.Changes, longest: c.Longest}
	if n := len(c.Days); n > 0 {
		s.day = c.Days[n-1]
	}
	return s
}

// load reads what other processes have learned, unless this one made the last tick.
func (m *memory) load(ctx context.Context, st *store.Store, last, now time.Time) error {
	if m.streams != nil && m.last.Equal(last) && now.Sub(m.last) <= apart {
		return nil
	}
	all, err := st.Cadences(ctx)
	if err != nil {
		return err
	}
	before := m.streams
	m.streams = make(map[metric]*stream, len(all))
	for _, c := range all {
		s := &stream{Cadence: c.Learned}
		s.stored = summarize(&s.Cadence)
		k := metric{c.Device, c.Metric}
		if old := before[k]; old != nil && now.Sub(m.last) <= apart { // another process makes ticks too
			s.from, s.seen, s.changed = old.from, old.seen, old.changed
		}
		m.streams[k] = s
	}
	return nil
}

// stream returns the stream of a metric, which is new if it was not known.
func (m *memory) stream(k metric) *stream {
	s := m.streams[k]
	if s == nil {
		s = &stream{}
		m.streams[k] = s
	}
	return s
}

// see learns from the latest report of a stream: when it was reported, and since when the
// value is the same. kept means that it was kept back somewhere. What lies before base
// was not watched without a pause.
func (s *stream) see(seen, changed time.Time, kept bool, base time.Time) {
	if s.seen.IsZero() {
		s.from, s.seen, s.changed = seen, seen, changed
		return
	}
	if !seen.After(s.seen) {
		return
	}
	if seen.Sub(s.seen) >= max(floor, 3*s.Usual()) {
		s.resumed = seen
	}
	if changed.After(s.changed) {
		if !kept && !s.changed.Before(base) {
			s.Changed(s.seen.Sub(s.changed), seen)
			s.fresh = true
		}
		s.changed = changed
	}
	switch {
	case kept || s.from.Before(base):
		s.from = seen
	case s.Learn(s.from, seen):
		s.from, s.fresh = seen, true
	}
	s.seen = seen
}

// due reports whether the store has to know what was learned. A stream whose limit is at
// the floor changes nothing by one more short gap, so it is stored about once a day.
func (s *stream) due() bool {
	if !s.fresh {
		return false
	}
	is, was := summarize(&s.Cadence), s.stored
	n := len(s.Gaps)
	switch {
	case n > 0 && time.Duration(s.Gaps[n-1])*time.Second >= slow,
		is.gaps != was.gaps && (is.gaps == 10 || is.gaps == 50),
		is.day.Day != was.day.Day,
		is.day.Gap*4 > was.day.Gap*5 && time.Duration(is.day.Gap)*time.Second*3/2 > floor,
		differ(max(3*is.usual, floor), max(3*was.usual, floor)),
		is.changes >= 50 && is.changes >= 2*was.changes,
		is.longest*4 > was.longest*5 && is.longest >= 3600:
		return true
	}
	return false
}

// differ reports whether a is not within a tenth of b.
func differ(a, b time.Duration) bool { return 10*a > 11*b || 10*a < 9*b }

// learned returns what the store has to know, and marks it as stored.
func (m *memory) learned() (out []store.Cadence) {
	for k, s := range m.streams {
		if s.due() {
			out = append(out, store.Cadence{Device: k.device, Metric: k.key, Learned: s.Cadence})
		}
	}
	return out
}

// saved marks what was stored.
func (m *memory) saved(cadences []store.Cadence) {
	for _, c := range cadences {
		s := m.streams[metric{c.Device, c.Metric}]
		s.stored, s.fresh = summarize(&s.Cadence), false
	}
}
