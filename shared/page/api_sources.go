package page

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/store"
)

// apiReading is the latest reading of a series.
type apiReading struct {
	Measurement string             `json:"measurement"`
	Tags        map[string]string  `json:"tags"`
	Time        time.Time          `json:"time"`
	Fields      map[string]float64 `json:"fields"`
	Text        map[string]string  `json:"text,omitempty"`
}

const (
	usualWithin = 7 * 24 * time.Hour
	mostWithin  = 366 * 24 * time.Hour
)

func (p *Page) apiLatest(ctx context.Context, q url.Values) (any, error) {
	m, err := p.historyInputs().Measurement(q.Get("measurement"), guest(q))
	if err != nil {
		return nil, err
	}
	within := usualWithin
	if text := q.Get("within"); text != "" {
		if within, err = time.ParseDuration(text); err != nil || within <= 0 || within > mostWithin {
			return nil, refuse("within is a span as in 30m or 24h, at most 8784h")
		}
	}
	st, err := p.Glance.Open(ctx)
	if err != nil {
		return nil, err
	}
	found, err := st.Latest(ctx, m.Name, p.Glance.Now().Add(-within))
	out := make([]apiReading, len(found))
	for i, r := range found {
		out[i] = apiReading{r.Name, r.Tags, r.Time, r.Fields, r.Text}
	}
	return out, err
}

func (p *Page) apiItems(ctx context.Context, q url.Values) (any, error) {
	limit, err := limitOf(q, 100, 500)
	if err != nil {
		return nil, err
	}
	st, err := p.Glance.Open(ctx)
	if err != nil {
		return nil, err
	}
	source := q.Get("source")
	if source != "" {
		if err := p.checkFunction(ctx, st, "source", source, guest(q)); err != nil {
			return nil, err
		}
		items, err := st.OpenItems(ctx, source, limit)
		return itemsFor(q, items), err
	}
	items, err := st.OpenItemsOfEach(ctx, limit)
	return itemsFor(q, items), err
}

// itemsFor returns the items that who asks may see: guests none of private functions, and no
// events of calendars.
func itemsFor(q url.Values, items []item.Item) []item.Item {
	out := []item.Item{}
	for _, i := range items {
		if !guest(q) || forGuests(i.Source) && i.Attributes["start"] == "" {
			out = append(out, i)
		}
	}
	return out
}

// checkFunction refuses a function that neither the catalogue nor the store knows, and for
// guests a private one.
func (p *Page) checkFunction(ctx context.Context, st *store.Store, what, name string, guest bool) error {
	known, err := st.Functions(ctx)
	if err != nil {
		return err
	}
	var names []string
	for _, f := range known {
		names = append(names, f.Name)
	}
	names = append(names, catalogue.Functions()...)
	switch {
	case !slices.Contains(names, name):
		return unknown(what, name, names)
	case guest && !forGuests(name):
		return notForGuests(name)
	}
	return nil
}

// forGuests reports whether guests may see what a function brings: the catalogue must know
// that it is not private.
func forGuests(function string) bool {
	return slices.Contains(catalogue.Functions(), function) && !catalogue.FamilyOf(function).Private
}

// apiRun is a run of a function.
type apiRun struct {
	ID        string          `json:"run"`
	Function  string          `json:"function"`
	Trigger   string          `json:"trigger"`
	Started   time.Time       `json:"started"`
	Took      int64           `json:"took_ms"`
	Status    string          `json:"status"`
	Stored    int             `json:"stored"`
	Unchanged int             `json:"unchanged"`
	Error     string          `json:"error,omitempty"`
	Targets   []store.Outcome `json:"targets,omitempty"`
	Sample    bool            `json:"sample,omitempty"`
}

func (p *Page) apiRuns(ctx context.Context, q url.Values) (any, error) {
	if guest(q) {
		return nil, notForGuests("runs")
	}
	limit, err := limitOf(q, 50, 500)
	if err != nil {
		return nil, err
	}
	st, err := p.Glance.Open(ctx)
	if err != nil {
		return nil, err
	}
	runs, err := p.runs(ctx, st, q, limit)
	if err != nil {
		return nil, err
	}
	out := []apiRun{}
	for _, r := range runs {
		out = append(out, apiRun{r.ID, r.Function, r.Trigger, r.Started, r.Took.Milliseconds(), r.Status, r.Stored, r.Unchanged, r.Error, r.Outcomes, r.Sample})
	}
	return out, nil
}

func (p *Page) runs(ctx context.Context, st *store.Store, q url.Values, limit int) ([]store.Run, error) {
	if name := q.Get("function"); name != "" {
		if err := p.checkFunction(ctx, st, "function", name, false); err != nil {
			return nil, err
		}
		return st.Runs(ctx, name, limit)
	}
	known, err := st.Functions(ctx)
	if err != nil {
		return nil, err
	}
	names := catalogue.Functions()
	for _, f := range known {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	last, err := st.LastRuns(ctx, slices.Compact(names))
	var out []store.Run
	for _, r := range last {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b store.Run) int { return strings.Compare(a.Function, b.Function) })
	return out[:min(len(out), limit)], err
}

// apiMeasurement is a measurement of the catalogue or of hearth.yml.
type apiMeasurement struct {
	Name     string     `json:"name"`
	Title    string     `json:"title"`
	About    string     `json:"about"`
	Function string     `json:"function"`
	Labels   []string   `json:"labels"`
	Cadence  int64      `json:"cadence_seconds,omitempty"` // absent: at no fixed time
	Day      bool       `json:"day,omitempty"`             // a reading is of a day
	Open     bool       `json:"open,omitempty"`            // it may have other fields, too
	Fields   []apiField `json:"fields"`
	Text     []string   `json:"text,omitempty"`
}

type apiField struct {
	Key   string   `json:"key"`
	Title string   `json:"title"`
	Unit  string   `json:"unit,omitempty"`
	Min   float64  `json:"min"`
	Max   float64  `json:"max"`
	Words []string `json:"words,omitempty"`
}

func (p *Page) apiCatalogue(ctx context.Context, q url.Values) (any, error) {
	_, _ = p.Glance.Open(ctx) // Declared knows then what was saved on the page; without the store the rest is known
	ms := slices.Concat(catalogue.All(), p.Glance.Declared())
	if name := q.Get("measurement"); name != "" {
		m, err := p.historyInputs().Measurement(name, guest(q))
		if err != nil {
			return nil, err
		}
		ms = []catalogue.Measurement{m}
	}
	out := []apiMeasurement{}
	for _, m := range ms {
		if guest(q) && catalogue.FamilyOf(m.Function).Private {
			continue
		}
		one := apiMeasurement{m.Name, m.Title, m.About, m.Function, append([]string{}, m.Labels...), int64(m.Cadence.Seconds()), m.Day, m.Open, []apiField{}, m.Text}
		for _, f := range m.Fields {
			one.Fields = append(one.Fields, apiField{f.Key, f.Title, f.Unit, f.Min, f.Max, f.Words})
		}
		out = append(out, one)
	}
	return out, nil
}
