package status

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	alertsEvery = time.Second // how often the alerts are read
	maxAlerts   = 1000        // alerts that are read
	maxOpen     = 60          // open alerts that are listed; the others are counted
	maxOver     = 12          // alerts that are over, and that are listed
	maxWatched  = 6           // conditions that hold, and are no alert yet
)

// Alerts is what needs a person.
type Alerts struct {
	Open    []Alert `json:"open,omitempty"`    // the most urgent first
	More    int     `json:"more,omitempty"`    // open ones that are not listed
	Watched []Alert `json:"watched,omitempty"` // the condition holds, but not for long enough yet
	Over    []Alert `json:"over,omitempty"`    // of the last day, the latest first
	Note    string  `json:"note,omitempty"`    // why nobody is told, if so
	Known   bool    `json:"known"`             // they could be read
}

// Alert is one line: an alert as a person reads it.
type Alert struct {
	ID         string         `json:"-"`
	Key        string         `json:"key"`
	Severity   alert.Severity `json:"severity"`
	Channel    alert.Channel  `json:"channel"`
	Phase      alert.Phase    `json:"phase"`
	Title      string         `json:"title"`
	Where      string         `json:"where,omitempty"`
	Value      string         `json:"value,omitempty"` // with its unit
	Limit      string         `json:"limit,omitempty"` // "above 1,500 ppm"
	Text       string         `json:"text,omitempty"`  // instead of Value
	Next       string         `json:"next,omitempty"`  // what to do
	Link       string         `json:"-"`               // Next, if it is an address
	Since      time.Time      `json:"since,omitzero"`
	Fires      time.Time      `json:"fires,omitzero"` // of Watched: when it becomes an alert
	Ended      time.Time      `json:"ended,omitzero"`
	Lasted     string         `json:"lasted,omitempty"`
	Worst      string         `json:"worst,omitempty"`
	Marks      []string       `json:"marks,omitempty"` // "no data since 14:05", "silenced until 07:00"
	Acked      bool           `json:"acked,omitempty"`
	Silenced   bool           `json:"silenced,omitempty"`
	Maintained bool           `json:"maintained,omitempty"` // in maintenance
	Device     string         `json:"device,omitempty"`
	Sample     bool           `json:"sample,omitempty"`
	Below      []Alert        `json:"dependants,omitempty"` // alerts that this one explains

	root string // key of the alert that explains it
}

// shownAlerts are the alerts as they were last read.
type shownAlerts struct {
	at          time.Time
	data        Alerts
	maintenance map[string]time.Time // ends of it, by what it is of
}

// readAlerts reads the alerts if it is time.
func (c *collector) readAlerts(ctx context.Context, st *store.Store, now time.Time) (Alerts, error) {
	if age := now.Sub(c.alerts.at); age >= 0 && age < alertsEvery {
		return c.alerts.data, nil
	}
	house, err := c.house(ctx, st, now)
	if err != nil {
		return Alerts{}, err
	}
	states, err := st.Alerts(ctx, maxAlerts)
	if err != nil {
		return Alerts{}, err
	}
	c.alerts = shownAlerts{now, c.listAlerts(states, house, now), house.Maintenance}
	return c.alerts.data, nil
}

// listAlerts sorts alerts into those that need a person, and the others that are shown.
func (c *collector) listAlerts(states []alert.State, house *alert.House, now time.Time) Alerts {
	out := Alerts{Known: true}
	var open, dependants []Alert
	for i := range states {
		switch s := &states[i]; {
		case (s.Open() || !s.Flapping.IsZero()) && s.Root != "":
			a := c.line(s, house, now)
			a.root = s.Root
			dependants = append(dependants, a)
		case s.Open() || !s.Flapping.IsZero():
			open = append(open, c.line(s, house, now))
		case s.Phase == alert.Pending:
			out.Watched = append(out.Watched, c.line(s, house, now))
		case s.Phase == alert.Resolved && s.Episode > 0 && now.Sub(s.Ended) < day:
			out.Over = append(out.Over, c.line(s, house, now))
		}
	}
	out.Open = underRoots(open, dependants)
	out.More = max(0, len(out.Open)-maxOpen)
	out.Open = out.Open[:min(len(out.Open), maxOpen)]
	slices.SortStableFunc(out.Watched, func(a, b Alert) int { return a.Fires.Compare(b.Fires) })
	out.Watched = out.Watched[:min(len(out.Watched), maxWatched)]
	slices.SortStableFunc(out.Over, func(a, b Alert) int { return b.Ended.Compare(a.Ended) })
	out.Over = out.Over[:min(len(out.Over), maxOver)]
	if house.Mode == alert.Observe {
		out.Note = "Nobody is told: alerts are only shown here."
	}
	return out
}

// underRoots puts alerts under those that explain them, and sorts by urgency and age. An
// alert whose root is not listed stands for itself.
func underRoots(open, dependants []Alert) []Alert {
	for _, a := range dependants {
		i := slices.IndexFunc(open, func(o Alert) bool { return o.Key == a.root })
		if i < 0 {
			open = append(open, a)
			continue
		}
		open[i].Below = append(open[i].Below, a)
	}
	slices.SortStableFunc(open, func(a, b Alert) int {
		return cmp.Or(urgency[a.Severity]-urgency[b.Severity], b.Since.Compare(a.Since), strings.Compare(a.Key, b.Key))
	})
	return open
}

// urgency orders the severities, the most urgent first.
var urgency = map[alert.Severity]int{alert.Critical: 0, alert.Warning: 1, alert.Info: 2}

// line returns an alert as a person reads it.
func (c *collector) line(s *alert.State, house *alert.House, now time.Time) Alert {
	a := Alert{
		ID: alertID(s.Key), Key: s.Key, Severity: s.Severity, Channel: s.Channel, Phase: s.Phase, Title: c.Redact(cmp.Or(s.Title, s.Rule)), Where: c.Redact(s.Subject.Label()),
		Next: c.Redact(s.Next), Link: config.Link(c.Redact(s.Next)), Since: s.Since, Ended: s.Ended, Acked: !s.Acked.IsZero(), Sample: s.Sample, Device: s.Device,
	}
	if s.Value != nil && s.Limit != nil {
		side := map[bool]string{false: "above ", true: "below "}[s.Below]
		a.Value, a.Limit = alert.Number(*s.Value, s.Unit), side+alert.Number(*s.Limit, s.Unit)
	} else {
		a.Text = c.Redact(s.Text)
	}
	switch s.Phase {
	case alert.Pending:
		a.Fires = s.Since.Add(s.For)
	case alert.Resolved:
		a.Lasted = alert.Span(s.Ended.Sub(s.Since))
		if s.Worst != nil {
			a.Worst = alert.Number(*s.Worst, s.Unit)
		}
	}
	if s.Open() || !s.Flapping.IsZero() {
		c.mark(&a, s, house, now)
	}
	return a
}

// mark says what is special about an open alert: what keeps it from being told, for
// example.
func (c *collector) mark(a *Alert, s *alert.State, house *alert.House, now time.Time) {
	q := house.Quiet(s, now)
	add := func(text string, t time.Time) {
		if !t.IsZero() {
			text += " " + house.When(t, now)
		}
		a.Marks = append(a.Marks, text)
	}
	if s.Phase == alert.Unknown {
		add("no data since", s.Stopped)
	}
	if !s.Flapping.IsZero() {
		add("it comes and goes since", s.Flapping)
	}
	if a.Acked {
		add("acknowledged"+by(c.Redact(s.AckedBy))+" at", s.Acked)
	}
	a.Silenced = house.Silences[s.Key].After(now)
	a.Maintained = !a.Silenced && q.Muted.After(now)
	switch {
	case a.Silenced:
		add("silenced until", house.Silences[s.Key])
	case a.Maintained:
		add("in maintenance until", q.Muted)
	case q.Comfort && s.Comfort:
		add("not sent: nobody is at home", time.Time{})
	case s.Told == "" && s.Severity != alert.Critical && !q.Night.IsZero():
		add("told in the morning,", q.Night)
	}
}

func by(name string) string {
	if name == "" {
		return ""
	}
	return " by " + name
}

func alertID(key string) string {
	sum := fnv.New64a()
	fmt.Fprint(sum, key)
	return fmt.Sprintf("a-%x", sum.Sum64())
}
