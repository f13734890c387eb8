package glance

import (
	"context"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/page/status"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
)

// Inputs are what tiles are made of. All are required but Wifi.
type Inputs struct {
	Open     func(context.Context) (*store.Store, error)
	Now      func() time.Time
	Redact   func(string) string
	Settings func() *settings.File                                   // hearth.yml; never nil
	Declared func() []catalogue.Measurement                          // the measurements of hearth.yml
	Wifi     func() string                                           // what the secret guest-wifi holds, for guests; nil: nothing
	Status   func(context.Context) (status.Data, bool)               // alerts, devices and functions at present; false: not read yet
	Alerts   func(context.Context, time.Time) (status.Alerts, error) // those that were open at a time
}

const maxItems = 500 // of one source

// world is the house at one moment. It is safe for concurrent use.
type world struct {
	Now    time.Time      // at which the house is shown
	Past   bool           // Now is in the past: nothing after it counts
	Guest  bool           // for a guest: nothing private is read
	Zone   *time.Location // of the house
	File   *settings.File // hearth.yml
	Status status.Data    // alerts, devices, functions; in the past only the alerts
	Redact func(string) string

	asked    time.Time // when the snapshot is made: in the past later than Now
	declared []catalogue.Measurement
	st       *store.Store
	cache    *cache
	wifi     func() string
	rooms    []string // only these rooms; none: all
}

// imperial reports whether quantities are shown in °F, inches and miles.
func (w *world) imperial() bool { return w.File.House.Units == "imperial" }

// latest returns the newest reading of each series of a measurement that is at most as old
// as within.
func (w *world) latest(ctx context.Context, name string, within time.Duration) ([]reading.Reading, error) {
	if w.Guest && isPrivate(name) {
		return nil, errPrivate
	}
	return kept(w, "latest "+name+within.String(), forSources, func() ([]reading.Reading, error) {
		if !w.Past {
			return w.st.Latest(ctx, name, w.Now.Add(-within))
		}
		all, err := w.st.Between(ctx, name, nil, w.Now.Add(-within), w.known(name, w.Now.Add(time.Second)))
		return newest(all), err
	})
}

// known returns the end of a span of a measurement that ends at to: in the past it is cut at the time
// that is shown. A value of a day has the time at which the day begins, and is known at its end.
func (w *world) known(name string, to time.Time) time.Time {
	if !w.Past {
		return to
	}
	end := w.Now.Add(time.Millisecond)
	if m, _ := catalogue.Get(name); m.Day {
		end = w.Now.UTC().Truncate(24 * time.Hour)
	}
	return earlier(to, end)
}

// newest returns the last reading of each series, of readings in the order of series and time.
func newest(rs []reading.Reading) (out []reading.Reading) {
	for i, r := range rs {
		if i+1 == len(rs) || rs[i+1].Series() != r.Series() {
			out = append(out, r)
		}
	}
	return out
}

// between returns the readings of a measurement with from <= time < to, by series and time: in
// the past only what was measured until then.
func (w *world) between(ctx context.Context, name string, tags map[string]string, from, to time.Time) ([]reading.Reading, error) {
	if w.Guest && isPrivate(name) {
		return nil, errPrivate
	}
	to = w.known(name, to)
	series := reading.Reading{Name: name, Tags: tags}.Series()
	return kept(w, "between "+series+from.String()+to.String(), forSources, func() ([]reading.Reading, error) {
		return w.st.Between(ctx, name, tags, from, to)
	})
}

// windows returns the windows of a query. To is not after the next end of a step. The result is
// kept for a while: it is for curves. The newest value comes from devices or latest.
func (w *world) windows(ctx context.Context, q store.Query) ([]store.WindowSeries, error) {
	if w.Guest && isPrivate(q.Name) {
		return nil, errPrivate
	}
	q.To = w.known(q.Name, q.To)
	return kept(w, keyOf(q), forCurves, func() ([]store.WindowSeries, error) { return w.st.Windows(ctx, q) })
}

// items returns the items of a source that were open, the newest first, at most maxItems.
func (w *world) items(ctx context.Context, source string) ([]item.Item, error) {
	if w.Guest && catalogue.FamilyOf(source).Private {
		return nil, errPrivate
	}
	return kept(w, "items "+source, forSources, func() ([]item.Item, error) {
		if w.Past {
			return w.st.OpenItemsAt(ctx, source, w.Now, maxItems)
		}
		return w.st.OpenItems(ctx, source, maxItems)
	})
}

// devices returns the devices with their latest values, by name: those in the rooms of the tile.
func (w *world) devices(ctx context.Context) ([]device, error) {
	all, err := kept(w, "devices", forStates, func() ([]device, error) { return readDevices(ctx, w) })
	if len(w.rooms) == 0 {
		return all, err
	}
	return slices.DeleteFunc(slices.Clone(all), func(d device) bool { return !w.isIn(d.Place) }), err
}

// device is a device and its latest values.
type device struct {
	store.Device
	Title  string                       // its name for people: without the room at its beginning
	Place  string                       // its room; without one, the room that its name begins with; "": unknown
	Values map[string]store.DeviceState // by metric
	Seen   time.Time                    // of the latest value
	Away   bool                         // it cannot be reached
	Sample bool                         // it is simulated
}

// value returns a value of quality ok or warming up, and whether there is one that is not
// older than within.
func (d device) value(metric string, now time.Time, within time.Duration) (v float64, ok bool) {
	s, ok := d.Values[metric]
	if !ok || s.Text != "" || s.Quality == "suspect" || now.Sub(timeOf(s)) > within {
		return 0, false
	}
	return s.Value, true
}

// timeOf returns when a value was measured; of a source without a clock when it arrived.
func timeOf(s store.DeviceState) time.Time {
	if s.Time.IsZero() {
		return s.Arrived
	}
	return s.Time
}
