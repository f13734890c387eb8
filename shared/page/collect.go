package page

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/store"
)

// longer is how long what sources brought is shown before it is read again, if
// none of them has run since.
const longer = 30 * time.Second

// collector reads what the page shows: the devices each time, the rest when it
// may have changed. It is used by one at a time.
type collector struct {
	Source
	register registered
	lines    dayLines
	letters  letters
	brought  brought
}

// brought is what the sources' runs left.
type brought struct {
	runs         []store.Run // the last of each function, when it was read
	at           time.Time
	measurements []Measurement
	lists        []List
}

// collect reads everything; what cannot be read is named in Errors.
func (c *collector) collect(ctx context.Context, now time.Time) Data {
	d := Data{Now: now, Functions: []Function{}, Rooms: []Room{}, Measurements: []Measurement{}, Lists: []List{},
		Notes: c.Notes(), Zone: c.Zone(), Try: c.Try(), Hearth: c.Hearth}
	fail := func(err error) {
		if text := c.Redact(err.Error()); !slices.Contains(d.Errors, text) {
			d.Errors = append(d.Errors, text)
		}
	}
	st, err := c.Open(ctx)
	if err != nil {
		fail(err)
	}
	d.Functions = c.functions(ctx, st, now, fail)
	d.Sample = slices.ContainsFunc(d.Functions, func(f Function) bool { return f.State == Sample })
	if st == nil {
		return d
	}
	c.house(ctx, st, &d, fail)
	c.bring(ctx, st, d.Functions, now, fail)
	d.Measurements, d.Lists = c.brought.measurements, c.brought.lists
	return d
}

// functions reads how the functions stand; without a store, those that run here.
func (c *collector) functions(ctx context.Context, st *store.Store, now time.Time, fail func(error)) []Function {
	if st == nil {
		return merge(c.Functions(), nil, now)
	}
	seen, err := st.Functions(ctx)
	if err != nil {
		fail(err)
	}
	fs := merge(c.Functions(), seen, now)
	names := make([]string, len(fs))
	for i, f := range fs {
		names[i] = f.Name
	}
	runs, err := st.LastRuns(ctx, names)
	if err != nil {
		fail(err)
	}
	for i := range fs {
		if r, ok := runs[fs[i].Name]; ok {
			fs[i].Last = &r
		}
	}
	return fs
}

// house reads what devices said and what nobody took.
func (c *collector) house(ctx context.Context, st *store.Store, d *Data, fail func(error)) {
	devices, err := c.readDevices(ctx, st, d.Now)
	if err != nil {
		fail(err)
	}
	shown := devices[:min(len(devices), maxDevices)]
	if err := c.lines.refresh(ctx, st, shown, d.Now); err != nil {
		fail(err)
	}
	c.lines.show(shown)
	d.Rooms, d.MoreDevices = rooms(devices)
	dead, err := st.DeadLetters(ctx, maxLetters+1)
	if err != nil {
		fail(err)
	}
	d.Dead, d.MoreDead = c.dead(dead)
}

// bring reads what the sources brought, if it may be other than it was.
func (c *collector) bring(ctx context.Context, st *store.Store, fs []Function, now time.Time, fail func(error)) {
	var runs []store.Run
	for _, f := range fs {
		if f.Last != nil {
			runs = append(runs, *f.Last)
		}
	}
	same := func(a, b store.Run) bool { return a.ID == b.ID && a.Status == b.Status }
	if age := now.Sub(c.brought.at); age >= 0 && age < longer && slices.EqualFunc(runs, c.brought.runs, same) {
		return
	}
	next := brought{runs: runs, at: now, lists: []List{}}
	var errs []error
	var err error
	next.measurements, err = measurements(ctx, st, now)
	errs = append(errs, err)
	items, err := st.OpenItemsOfEach(ctx, maxItems)
	errs = append(errs, err)
	next.lists = lists(slices.DeleteFunc(items, func(i item.Item) bool {
		return !slices.ContainsFunc(fs, func(f Function) bool { return f.Name == i.Source })
	}))
	if err := errors.Join(errs...); err != nil {
		fail(err)
		next.at = time.Time{} // again at the next look
	}
	c.brought = next
}

func newCollector(s Source) *collector {
	if s.Functions == nil {
		s.Functions = func() []Function { return nil }
	}
	if s.Declared == nil {
		s.Declared = func() []catalogue.Measurement { return nil }
	}
	if s.Propose == nil {
		s.Propose = func(string, []byte) (string, error) { return "", errors.ErrUnsupported }
	}
	if s.Notes == nil {
		s.Notes = func() []string { return nil }
	}
	if s.Zone == nil {
		s.Zone = func() string { return "" }
	}
	if s.Try == nil {
		s.Try = func() string { return "" }
	}
	return &collector{Source: s}
}
