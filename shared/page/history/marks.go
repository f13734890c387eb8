package history

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/store"
)

// Mark is a span of a plot in which something held: an alert, maintenance.
type Mark struct {
	Kind     string    `json:"kind"` // alert or maintenance
	Title    string    `json:"title"`
	Severity string    `json:"severity,omitempty"` // of an alert
	From     time.Time `json:"from"`
	To       time.Time `json:"to,omitzero"` // absent: it still holds
}

// marks returns the alerts and the maintenance of the series within the span, the first first.
func (in Inputs) marks(ctx context.Context, st *store.Store, r Request, lines []Line, devices map[string]store.Device) ([]Mark, error) {
	out := []Mark{}
	add := func(m Mark) {
		if m.From.Before(r.to) && (m.To.IsZero() || m.To.After(r.from)) {
			m.Title = in.Redact(m.Title)
			out = append(out, m)
		}
	}
	alerts, err := st.Episodes(ctx, r.from, r.to)
	if err != nil {
		return out, err
	}
	asked := make([]Series, len(lines))
	for i, l := range lines {
		asked[i], _ = parseKey(l.Key) // Key wrote it
	}
	for _, a := range alerts {
		if !a.Fired.IsZero() && slices.ContainsFunc(asked, func(s Series) bool { return concerns(a, s) }) {
			add(Mark{"alert", a.Title, string(a.Severity), a.Fired, a.Ended})
		}
	}
	set, err := st.UntilDates(ctx, r.from)
	for _, u := range set {
		if u.Kind == store.Maintenance && slices.ContainsFunc(asked, func(s Series) bool { return covers(u.Subject, s, devices) }) {
			add(Mark{"maintenance", "Maintenance", "", u.Set, u.Until})
		}
	}
	slices.SortStableFunc(out, func(a, b Mark) int { return a.From.Compare(b.From) })
	return out, err
}

// concerns reports whether an alert is about a series.
func concerns(a alert.State, s Series) bool {
	if a.Field != "" && a.Field != s.Field {
		return false
	}
	if device := s.Tags[catalogue.DeviceLabel]; device != "" || a.Device != "" {
		return a.Device == device
	}
	if a.Measurement != s.Measurement || a.Field == "" {
		return false
	}
	for k, v := range s.Tags {
		if k != catalogue.SampleLabel && a.Name != "" && !strings.Contains(a.Name, v) {
			return false
		}
	}
	return true
}

// covers reports whether maintenance of a subject is of a series' device.
func covers(subject string, s Series, devices map[string]store.Device) bool {
	d, ok := devices[s.Tags[catalogue.DeviceLabel]]
	return ok && (subject == "device/"+d.ID || d.Room != "" && subject == "room/"+d.Room)
}
