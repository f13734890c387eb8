package history

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/house"
	"github.com/hearth-home/hearth/shared/page/texts"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/topology"
)

// Mark is a span of a plot in which something held: an alert, maintenance.
type Mark struct {
	Kind     string    `json:"kind"` // alert or maintenance
	Title    string    `json:"title"`
	Severity string    `json:"severity,omitempty"` // of an alert
	From     time.Time `json:"from,omitzero"`      // absent: not known
	To       time.Time `json:"to,omitzero"`        // absent: it still holds
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
	works, err := in.maintenance(ctx, st, r, asked, devices)
	for _, m := range works {
		add(m)
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

// maintenance returns that of the series' devices: what buttons set, and what hearth.yml says.
func (in Inputs) maintenance(ctx context.Context, st *store.Store, r Request, asked []Series, devices map[string]store.Device) ([]Mark, error) {
	subjects, err := maintained(ctx, st, asked, devices)
	if err != nil || len(subjects) == 0 {
		return nil, err
	}
	var out []Mark
	add := func(subject string, from, to time.Time) bool {
		ok := subjects[strings.ToLower(subject)]
		if ok {
			out = append(out, Mark{"maintenance", texts.Say("history.maintenance"), "", from, to})
		}
		return ok
	}
	set, err := st.UntilDates(ctx, r.from)
	for _, u := range set {
		if u.Kind == store.Maintenance {
			add(u.Subject, u.Set, u.Until)
		}
	}
	file, past := in.Settings(), r.to.Before(in.Now().Add(-time.Minute))
	inFile := func(from, to time.Time, subjects ...string) {
		if to.IsZero() || from.IsZero() && past && to.After(r.to) {
			return // it may have begun after the span
		}
		for _, s := range subjects {
			if add(s, from, to) {
				return
			}
		}
	}
	for _, d := range file.Devices {
		if len(d.Device) == 1 {
			inFile(time.Time{}, d.Maintenance, "device/"+d.Device[0])
		}
	}
	for _, m := range file.Maintenance {
		inFile(m.From, m.Until, house.Subjects(m)...)
	}
	return out, err
}

// maintained returns of what maintenance is that of the series' devices, in small letters.
func maintained(ctx context.Context, st *store.Store, asked []Series, devices map[string]store.Device) (map[string]bool, error) {
	if len(devices) == 0 {
		return nil, nil
	}
	ids, err := st.DeviceIDs(ctx, false)
	links, out := topology.Of(slices.Collect(maps.Values(devices)), ids), map[string]bool{}
	for _, s := range asked {
		if d, ok := devices[s.Tags[catalogue.DeviceLabel]]; ok {
			for _, subject := range (alert.Subject{Device: d.ID, Room: d.Room, Parents: links.Parents(d.ID)}).CoveredBy() {
				out[strings.ToLower(subject)] = true
			}
		}
	}
	return out, err
}
