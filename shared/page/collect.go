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

const (
	seldom = 3 * time.Second  // what changes less often than what devices say is read so often
	longer = 30 * time.Second // and what sources brought so often, if none of them has run since
)

// collector reads what the page shows: the devices each time, the rest when it
// may have changed. It is used by one at a time.
type collector struct {
	Source
	measurements func() []catalogue.Measurement // those of the catalogue

	rest     rest
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
	here := c.Functions()
	if st != nil {
		c.rest.read(ctx, st, here, now, fail)
	}
	d.Functions = c.rest.functions(here, now)
	d.Sample = slices.ContainsFunc(d.Functions, func(f Function) bool { return f.State == Sample })
	if st == nil {
		return d
	}
	c.house(ctx, st, &d, fail)
	c.bring(ctx, st, d.Functions, now, fail)
	d.Measurements, d.Lists = c.brought.measurements, c.brought.lists
	return d
}

// rest is what is read every few seconds, however many look.
type rest struct {
	at   time.Time
	seen []store.Function
	runs map[string]store.Run // the last of each function
	seqs []store.EdgeSeq
	dead []store.DeadLetter
}

// read reads it anew if it is time; what cannot be read stays.
func (r *rest) read(ctx context.Context, st *store.Store, here []Function, now time.Time, fail func(error)) {
	if age := now.Sub(r.at); age >= 0 && age < seldom {
		return
	}
	r.at = now
	good := func(err error) bool {
		if err != nil {
			fail(err)
			r.at = time.Time{} // again at the next look
		}
		return err == nil
	}
	if seen, err := st.Functions(ctx); good(err) {
		r.seen = seen
	}
	names := make([]string, 0, len(here)+len(r.seen))
	for _, f := range merge(here, r.seen, now) {
		names = append(names, f.Name)
	}
	if runs, err := st.LastRuns(ctx, names); good(err) {
		r.runs = runs
	}
	if seqs, err := st.EdgeSeqs(ctx); good(err) {
		r.seqs = seqs
	}
	if dead, err := st.DeadLetters(ctx, maxLetters+1); good(err) {
		r.dead = dead
	}
}

// functions are how the functions stand, as it was read.
func (r *rest) functions(here []Function, now time.Time) []Function {
	fs := merge(here, r.seen, now)
	for i := range fs {
		if run, ok := r.runs[fs[i].Name]; ok {
			fs[i].Last = &run
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
	d.Dead, d.MoreDead = c.dead(c.rest.dead)
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
	next.measurements, err = readAll(ctx, st, c.measurements(), now)
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
	return &collector{Source: s, measurements: catalogue.All}
}
