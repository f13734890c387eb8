package notify

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/slack"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	maxPoints = 20              // values that a message draws
	readTime  = 2 * time.Second // for reading them
)

// errNoPost is a post of which it is not known what it is about.
var errNoPost = errors.New("it is not known what the message is about")

// describe reads what messages say of other alerts and of silences.
func (d *drain) describe(ctx context.Context) (err error) {
	d.active, err = d.st.ActiveAlerts(ctx)
	if err != nil {
		return err
	}
	dates, err := d.st.UntilDates(ctx, d.now())
	d.until = map[string]time.Time{}
	for _, u := range dates {
		if u.Kind == store.Silence {
			d.until[u.Subject] = u.Until
		}
	}
	return err
}

// shown returns messages as Slack's message shows them, a single one in detail.
func (d *drain) shown(ctx context.Context, rows []alert.Message) []slack.Shown {
	var out []slack.Shown
	for _, m := range rows {
		s := d.describeOne(slack.Shown{What: m.What, Alert: m.Alert, Text: m.Text, At: m.Created, Repeated: !m.Attempted.IsZero()})
		if len(rows) == 1 && s.Alert != nil {
			s.Points = d.points(ctx, s.Alert)
		}
		out = append(out, s)
	}
	return out
}

// describeOne adds what explains an alert, what it explains, and until when it is silent.
func (d *drain) describeOne(s slack.Shown) slack.Shown {
	a := s.Alert
	if a == nil {
		return s
	}
	s.Until = d.until[a.Key]
	for i := range d.active {
		other := &d.active[i]
		if a.Root != "" && other.Key == a.Root {
			s.Root = title(other)
		}
		if other.Root == a.Key {
			s.Dependants = append(s.Dependants, cmp.Or(other.Label(), other.Title, other.Rule))
		}
	}
	if a.Root != "" && s.Root == "" {
		s.Root = a.Root
	}
	return s
}

func title(a *alert.State) string {
	text := cmp.Or(a.Title, a.Rule)
	if of := a.Label(); of != "" {
		text += ": " + of
	}
	return text
}

// points returns the latest values of the alert's metric up to its evidence, at most 20;
// none if they cannot be read.
func (d *drain) points(ctx context.Context, a *alert.State) (out []float64) {
	if a.Value == nil || a.Device == "" || a.Measurement == "" || a.Field == "" || a.Seen.IsZero() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	tags := map[string]string{"device": a.Device}
	for _, span := range []time.Duration{time.Hour, 24 * time.Hour} {
		rs, err := d.st.BetweenAtMost(ctx, 5000, a.Measurement, tags, a.Seen.Add(-span), a.Seen.Add(time.Millisecond))
		if err != nil {
			return out
		}
		slices.SortStableFunc(rs, func(x, y reading.Reading) int { return x.Time.Compare(y.Time) })
		out = nil
		for _, r := range rs {
			if v, ok := r.Fields[a.Field]; ok {
				out = append(out, v)
			}
		}
		if len(out) >= maxPoints {
			return out[len(out)-maxPoints:]
		}
	}
	return out
}

// shows returns what a post in Slack is to show: each of its alerts as it is now, those of
// rows as they say.
func (d *drain) shows(ctx context.Context, at slack.Place, rows []alert.Message) (slack.Message, error) {
	episodes, err := d.st.AlertsOfPost(ctx, at.Channel, at.TS)
	if err != nil {
		return slack.Message{}, err
	}
	states, err := d.st.AlertsOf(ctx, slices.Collect(maps.Keys(episodes)))
	if err != nil {
		return slack.Message{}, err
	}
	said := map[string]alert.Message{}
	for _, m := range rows {
		if m.Alert != nil {
			said[m.Alert.Key] = m
		}
	}
	var all []slack.Shown
	for _, key := range slices.Sorted(maps.Keys(episodes)) {
		state, known := states[key]
		m, told := said[key]
		if told && (!isEdit(m) || !known) {
			state, known = *m.Alert, true
		}
		if !known {
			state = alert.State{Key: key, Spec: alert.Spec{Title: key}, Phase: alert.Resolved}
		}
		all = append(all, d.present(ctx, state, episodes[key], m, len(episodes) == 1))
	}
	slices.SortStableFunc(all, func(a, b slack.Shown) int { return a.Alert.Since.Compare(b.Alert.Since) })
	if len(all) == 0 {
		return slack.Message{}, errNoPost
	}
	return d.look().Message(all), nil
}

// present returns an alert as a post of one of its episodes shows it now.
func (d *drain) present(ctx context.Context, a alert.State, episode int64, m alert.Message, detailed bool) slack.Shown {
	s := slack.Shown{What: alert.Fired, Alert: &a, At: d.now(), Then: a.ToldAt}
	if m.Alert != nil {
		s.Then = m.Created
	}
	switch {
	case a.Gone || m.What == alert.Unwatched:
		s.What = alert.Unwatched
	case a.Episode > episode && m.Alert == nil: // it has fired again since: another post says so
		a = alert.State{Key: a.Key, Spec: a.Spec, Subject: a.Subject, Phase: alert.Resolved}
		s.What = alert.Ended
	case !a.Flapping.IsZero():
		s.What = alert.Flaps
	case !a.Open():
		s.What = alert.Ended
	}
	if isEdit(m) {
		s.Note = m.Text
	}
	s = d.describeOne(s)
	if detailed {
		s.Points = d.points(ctx, &a)
	}
	s.Text = strings.TrimSpace((&alert.House{}).Text(alert.Notice{What: s.What, Alert: a, At: s.At}))
	return s
}

// Shows returns what Slack's message with these ids is to show now. It is for the answer
// to a button of that message.
func (s *Sender) Shows(ctx context.Context, st *store.Store, channel, ts string, now time.Time) (slack.Message, error) {
	d := &drain{Sender: s, st: st, now: func() time.Time { return now }}
	if err := d.describe(ctx); err != nil {
		return slack.Message{}, err
	}
	return d.shows(ctx, slack.Place{Channel: channel, TS: ts}, nil)
}
