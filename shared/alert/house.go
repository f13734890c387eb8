package alert

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

const longestQuiet = 8 * 24 * time.Hour // quiet hours that last longer have no end

// House is what hearth.yml, the buttons and the other alerts say about who is told what.
type House struct {
	Zone         *time.Location       // of quiet hours and of times in messages; nil: UTC
	QuietHours   []QuietHours         // when only critical alerts are sent
	Silences     map[string]time.Time // ends of silences, by key of the alert
	Maintenance  map[string]time.Time // ends of maintenance, by device/ID, room/NAME, node/ID or bridge/ID; it covers what depends on it
	Roots        map[string]bool      // keys of the alerts that are open or pending, of those that may explain others
	Active       map[string]bool      // keys of the alerts that are active
	Away         bool                 // the house is empty: alerts about comfort are not sent
	Destinations []string             // where messages are sent: ToSlack, ToNtfy, ToWebhook; none: nothing is configured
	Mode         Mode
	URL          string // of the page, for links; "": none
}

// Mode is what is done with messages.
type Mode string

// The modes (ALERTS_MODE).
const (
	Send    Mode = "send"    // they are sent
	Observe Mode = "observe" // alerts are only shown on the page
	Show    Mode = "show"    // without a destination, messages are kept for the page's view of the outbox: make up
)

// UnmarshalText parses a Mode.
func (m *Mode) UnmarshalText(text []byte) error {
	*m = Mode(strings.ToLower(strings.TrimSpace(string(text))))
	if !slices.Contains([]Mode{Send, Observe, Show}, *m) {
		return fmt.Errorf("is %.40q: write %s, %s or %s", text, Send, Observe, Show)
	}
	return nil
}

// QuietHours is a daily span in the house's zone. It may end on the next day.
type QuietHours struct {
	From, To time.Duration  // since midnight
	Days     []time.Weekday // on which it begins; none: every day
}

// on reports whether the span begins on the day of t.
func (q QuietHours) on(t time.Time) bool {
	return len(q.Days) == 0 || slices.Contains(q.Days, t.Weekday())
}

// Quiet returns what keeps an alert from being told at now.
func (h *House) Quiet(s *State, now time.Time) Quiet {
	to := h.destinations(s.Sample)
	q := Quiet{Muted: h.Silences[s.Key], Night: h.QuietUntil(now), Comfort: h.Away, repeat: slices.Contains(to, ToNtfy) || slices.Contains(to, ToWebhook),
		off: h.Mode == Observe || len(to) == 0}
	for _, of := range s.Subject.CoveredBy() {
		q.Muted = later(q.Muted, h.Maintenance[of])
	}
	for _, key := range s.Roots {
		if h.Roots[key] && key != s.Key {
			q.root = key
			break
		}
	}
	q.morning = "morning/" + now.In(h.zone()).Format(time.DateOnly)
	return q
}

// Move returns what becomes of alerts by observations: those that changed, and the
// messages about them. before has the stored alerts by key. It is the one way in which
// alerts change. An alert of which nothing is known before and after, as its condition
// does not hold, is not among those that changed.
func (h *House) Move(before map[string]State, observations []Observation, now time.Time) (changed []State, messages []Message) {
	h = h.withRoots(before, observations)
	after := map[string]State{}
	var order []string
	for _, o := range observations {
		s, seen := after[o.Key]
		if !seen {
			s = before[o.Key]
			order = append(order, o.Key)
		}
		s, ms := h.tell(s.observe(o), o.Group, now)
		after[o.Key] = s
		messages = append(messages, ms...)
	}
	for _, key := range order {
		was, s := before[key], after[key]
		if (was.Active() || s.Active() || s.Episode != was.Episode) && !s.equal(was) {
			changed = append(changed, s)
		}
	}
	return changed, messages
}

// withRoots returns the house with the roots of these observations as they will be after
// them, so that the order of the observations does not decide who is told.
func (h *House) withRoots(before map[string]State, observations []Observation) *House {
	roots := map[string]State{}
	for _, o := range observations {
		for _, key := range o.Roots {
			roots[key] = before[key]
		}
	}
	if len(roots) == 0 {
		return h
	}
	with := *h
	with.Roots = maps.Clone(h.Roots)
	if with.Roots == nil {
		with.Roots = map[string]bool{}
	}
	for _, o := range observations {
		if s, ok := roots[o.Key]; ok {
			s = s.observe(o)
			roots[o.Key], with.Roots[o.Key] = s, s.Open() || s.Phase == Pending
		}
	}
	return &with
}

// Look returns what becomes of alerts as time passes: those that changed, and the
// messages about them. fresh reports whether the data of an alert still comes.
func (h *House) Look(states []State, fresh func(*State) bool, now time.Time) (changed []State, messages []Message) {
	for _, before := range states {
		s := before
		if fresh(&s) {
			s = s.elapse(now)
		}
		s, ms := h.tell(s, "", now)
		if !s.equal(before) {
			changed = append(changed, s)
		}
		messages = append(messages, ms...)
	}
	return changed, messages
}

// Unwatch ends alerts whose target, device or rule is gone from the settings, for the
// reason why, and returns those that changed and the messages about them.
func (h *House) Unwatch(states []State, why string, now time.Time) (changed []State, messages []Message) {
	for _, before := range states {
		s, notices := before.unwatch(why, h.Quiet(&before, now), now)
		if !s.equal(before) {
			changed = append(changed, s)
		}
		for _, n := range notices {
			messages = append(messages, h.Messages(n)...)
		}
	}
	return changed, messages
}

// tell returns an alert after its notices, and their messages. group begins the group of
// the notices.
func (h *House) tell(s State, group string, now time.Time) (State, []Message) {
	var messages []Message
	s = s.calm(now)
	q := h.Quiet(&s, now)
	q.within = group
	s, notices := s.tell(q, now)
	for _, n := range notices {
		messages = append(messages, h.Messages(n)...)
	}
	return s, messages
}

// CoveredBy returns of what maintenance is that of a subject, too: itself, its room, and what
// it depends on.
func (s Subject) CoveredBy() []string {
	out := slices.Clone(s.Parents)
	if s.Device != "" {
		out = append(out, "device/"+s.Device, "node/"+s.Device, "bridge/"+s.Device)
	}
	if s.Room != "" {
		out = append(out, "room/"+strings.ToLower(s.Room))
	}
	return out
}

// destinations returns where a message is sent. One of sample data is only shown.
func (h *House) destinations(sample bool) []string {
	if sample || len(h.Destinations) == 0 && h.Mode == Show {
		return []string{ToPage}
	}
	return h.Destinations
}

// QuietUntil returns the end of the quiet hours at now; zero if there are none now. Spans
// that overlap or touch are one.
func (h *House) QuietUntil(now time.Time) time.Time {
	var end time.Time
	for at := now; ; {
		next := h.quietEnd(at)
		if !next.After(at) {
			return end
		}
		if end, at = next, next; end.Sub(now) > longestQuiet {
			return end
		}
	}
}

// quietEnd returns the latest end of the spans that contain t; zero if there are none.
func (h *House) quietEnd(t time.Time) (end time.Time) {
	local := t.In(h.zone())
	for _, q := range h.QuietHours {
		for _, day := range []int{-1, 0} {
			from, to := at(local, day, q.From), at(local, day, q.To)
			if q.To <= q.From {
				to = at(local, day+1, q.To)
			}
			if q.on(from) && !t.Before(from) && t.Before(to) {
				end = later(end, to)
			}
		}
	}
	return end
}

// Morning returns the end of a silence until morning: the next end of quiet hours, else
// the next 07:00.
func (h *House) Morning(now time.Time) time.Time {
	next := h.QuietUntil(now)
	local := now.In(h.zone())
	for day := 0; day <= 8 && next.IsZero(); day++ {
		for _, q := range h.QuietHours {
			if from := at(local, day, q.From); from.After(now) && q.on(from) {
				if end := h.QuietUntil(from); next.IsZero() || end.Before(next) {
					next = end
				}
			}
		}
	}
	if next.IsZero() || next.Sub(now) > longestQuiet { // it is always quiet
		if next = at(local, 0, 7*time.Hour); !next.After(now) {
			next = at(local, 1, 7*time.Hour)
		}
	}
	return next
}

// at returns a time of day, in the zone of t and so many days after it. A time that a
// clock change leaves out is an hour later.
func at(t time.Time, days int, ofDay time.Duration) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day()+days, 0, int(ofDay/time.Minute), 0, 0, t.Location())
}

func (h *House) zone() *time.Location {
	if h.Zone == nil {
		return time.UTC
	}
	return h.Zone
}
