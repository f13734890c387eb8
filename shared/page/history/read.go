package history

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/page/units"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
)

// Inputs are what histories are made of. All are required.
type Inputs struct {
	Open     func(context.Context) (*store.Store, error)
	Now      func() time.Time
	Redact   func(string) string
	Settings func() *settings.File          // hearth.yml; never nil
	Declared func() []catalogue.Measurement // the measurements of hearth.yml
}

// Answer is the history of some series.
type Answer struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Span   string    `json:"span,omitempty"`
	Step   int64     `json:"step"` // length of a window, in seconds
	Zone   string    `json:"zone"` // of calendar days
	Series []Line    `json:"series"`
	Marks  []Mark    `json:"marks"`
}

// Line is the history of one series, in the units of the house.
type Line struct {
	Key     string   `json:"key"`
	Title   string   `json:"title"`
	Unit    string   `json:"unit"`
	Digits  int      `json:"digits"`           // behind the point, for people
	Words   []string `json:"words,omitempty"`  // what 0, 1, 2, … mean
	Day     bool     `json:"day,omitempty"`    // a value is of a day, whose 00:00 UTC is its time
	Sample  bool     `json:"sample,omitempty"` // of a simulated sensor or a recorded answer
	Points  []Point  `json:"points"`
	Summary Summary  `json:"summary"`

	suspect map[int64]float64 // how many suspect values are left out, by start of the window in nanoseconds
}

// lookup is what is asked of the store for one series of a request.
type lookup struct {
	Series
	m     catalogue.Measurement
	field catalogue.Field
}

// Read answers a request. A *Refused says what is wrong with it.
func (in Inputs) Read(ctx context.Context, r Request) (Answer, error) {
	st, err := in.Open(ctx)
	if err != nil {
		return Answer{}, err
	}
	asked, err := in.lookups(ctx, st, r)
	if err != nil {
		return Answer{}, err
	}
	a, step := in.begin(&r, asked)
	found, err := eachOf(ctx, asked, func(ctx context.Context, l lookup) ([]store.WindowSeries, error) {
		return st.SoundWindows(ctx, store.Query{Name: l.Measurement, Tags: l.Tags, Fields: []string{l.Field}, From: r.from, To: r.to, Step: step, Zone: in.zoneOf(l.m)})
	})
	if err != nil {
		return a, err
	}
	devices, err := in.devices(ctx, st, asked)
	if err != nil {
		return a, err
	}
	for i, l := range asked {
		if len(found[i]) == 0 {
			found[i] = []store.WindowSeries{{Tags: l.Tags, Field: l.Field}}
		}
		for _, s := range choose(l, found[i]) {
			a.Series = append(a.Series, in.line(l, s, step, r, devices))
		}
	}
	if len(a.Series) > maxSeries {
		return a, refuse("%d series match, and a plot has at most %d: name their labels, as in %s", len(a.Series), maxSeries, cut(a.Series[0].Key))
	}
	a.Marks, err = in.marks(ctx, st, r, a.Series, devices)
	return a, err
}

// begin returns the answer without its series, and the step.
func (in Inputs) begin(r *Request, asked []lookup) (Answer, time.Duration) {
	ms := make([]catalogue.Measurement, len(asked))
	for i, l := range asked {
		ms[i] = l.m
	}
	step := r.resolve(ms, in.zone())
	return Answer{From: r.from, To: r.to, Span: r.Span, Step: int64(step / time.Second), Zone: in.zone().String(), Series: []Line{}, Marks: []Mark{}}, step
}

// lookups checks what a request asks.
func (in Inputs) lookups(ctx context.Context, st *store.Store, r Request) ([]lookup, error) {
	var out []lookup
	for _, s := range r.Series {
		m, err := in.Measurement(s.Measurement, r.Guest)
		if err == nil {
			err = check(ctx, st, m, s)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, lookup{s, m, field(m, s.Field)})
	}
	return out, nil
}

// eachOf reads some lookups at the same time.
func eachOf[T any](ctx context.Context, asked []lookup, read func(context.Context, lookup) (T, error)) ([]T, error) {
	out := make([]T, len(asked))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(3)
	for i, l := range asked {
		group.Go(func() (err error) {
			out[i], err = read(ctx, l)
			return err
		})
	}
	return out, group.Wait()
}

func (in Inputs) zone() *time.Location { return in.Settings().House.Zone.Location() }

// zoneOf returns the zone of a measurement's calendar days: a value of a day has the time
// 00:00 UTC wherever it is.
func (in Inputs) zoneOf(m catalogue.Measurement) *time.Location {
	if m.Day {
		return time.UTC
	}
	return in.zone()
}

// devices returns the devices if one of the lookups is of devices, by id.
func (in Inputs) devices(ctx context.Context, st *store.Store, asked []lookup) (map[string]store.Device, error) {
	if !slices.ContainsFunc(asked, func(l lookup) bool { return l.m.OfDevices() }) {
		return nil, nil
	}
	listed, err := st.Devices(ctx)
	out := make(map[string]store.Device, len(listed))
	for _, d := range listed {
		out[d.ID] = d
	}
	return out, err
}

// choose returns the series with exactly the tags that were asked. If there is none, it
// returns all that have more tags.
func choose(l lookup, found []store.WindowSeries) []store.WindowSeries {
	for _, s := range found {
		if maps.Equal(s.Tags, l.Tags) {
			return []store.WindowSeries{s}
		}
	}
	return found
}

// line returns a series as it is shown.
func (in Inputs) line(l lookup, s store.WindowSeries, step time.Duration, r Request, devices map[string]store.Device) Line {
	unit := in.unit(l)
	own := Series{Measurement: l.Measurement, Field: l.Field, Tags: s.Tags}
	out := Line{
		Key: own.Key(), Title: in.Redact(titleOf(l, s.Tags, devices)), Unit: unit.Symbol, Words: wordsOf(l.field), Day: l.m.Day, Sample: s.Tags[catalogue.SampleLabel] != "",
	}
	ws, suspect := sound(s.Windows)
	out.Points, out.Summary = points(ws, unit, longest(l.m, ws, step), r.to)
	for _, n := range suspect {
		out.Summary.Suspect += int(n)
	}
	out.suspect = suspect
	out.Digits = digits(l.field, unit, out.Summary)
	return out
}

// unit returns the unit in which a series is shown.
func (in Inputs) unit(l lookup) units.Unit {
	return units.Of(l.field.Unit, in.Settings().House.Units == "imperial")
}

// titleOf names a series for people: "Office air · CO₂", "AAPL · Price".
func titleOf(l lookup, tags map[string]string, devices map[string]store.Device) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		switch {
		case k == catalogue.SampleLabel:
		case k == catalogue.DeviceLabel:
			parts = append(parts, cmp.Or(devices[tags[k]].Name, tags[k]))
		default:
			parts = append(parts, tags[k])
		}
	}
	return strings.Join(append(parts, l.field.Title), " · ")
}

// wordsOf returns what the values of a field mean, as far as they have words.
func wordsOf(f catalogue.Field) (out []string) {
	for v := 0.0; ; v++ {
		w := f.Word(v)
		if w == "" && (v > 0 || f.Word(1) == "") {
			return out
		}
		out = append(out, w)
	}
}

// digits returns how many digits behind the point a person reads of a series.
func digits(f catalogue.Field, u units.Unit, s Summary) int {
	format := f.Format()
	switch {
	case u.Symbol == "inHg" || u.Symbol == "in":
		return 2
	case format.Fixed && !(format.WholeFrom > 0 && s.Low >= format.WholeFrom):
		return format.Digits
	case s.High-s.Low >= 100 || f.Words != nil, s.Low >= 10 && s.Low == math.Trunc(s.Low) && s.High == math.Trunc(s.High): // an index, a share in steps of one
		return 0
	case s.High-s.Low >= 5:
		return 1
	default:
		return 2
	}
}

// fileName returns a name of letters, digits, points and hyphens for an answer's CSV.
func fileName(a Answer) string {
	name := "hearth"
	for _, s := range a.Series[:min(len(a.Series), 2)] {
		name += "-" + strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' {
				return r
			}
			return '-'
		}, s.Key)
	}
	return fmt.Sprintf("%.100s-%s.csv", name, a.From.Format(time.DateOnly))
}
