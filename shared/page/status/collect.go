package status

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
	platformEvery = 3 * time.Second  // how often the state of the platform is read
	sourcesEvery  = 30 * time.Second // how often is read what sources stored, if none has run meanwhile
)

// collector reads what the page shows. It reads the devices each time, and the rest
// only when that may have changed. It is not safe for concurrent use.
type collector struct {
	Inputs
	measurements func() []catalogue.Measurement // those of the catalogue

	platform    platform
	rolledUp    rolledUp
	alerts      shownAlerts
	register    registered
	lines       dayLines
	letters     letters
	fromSources fromSources
}

// fromSources is what the runs of sources have stored.
type fromSources struct {
	runs         []store.Run // the last run of each function at that time
	at           time.Time   // when it was read
	measurements []Measurement
	lists        []List
}

// collect reads everything. Errors names what could not be read.
func (c *collector) collect(ctx context.Context, now time.Time) Data {
	d, st, fail := c.begin(ctx, now)
	if st == nil {
		return *d
	}
	shown := c.readHouse(ctx, st, d, fail)
	if err := c.lines.refresh(ctx, st, shown, d.Now); err != nil {
		fail(err)
	}
	c.arrange(d, shown)
	c.readSources(ctx, st, d.Functions, now, fail)
	d.Measurements, d.Lists = c.fromSources.measurements, c.fromSources.lists
	return *d
}

// collectBrief is collect without what takes longer.
func (c *collector) collectBrief(ctx context.Context, now time.Time) Data {
	d, st, fail := c.begin(ctx, now)
	if st != nil {
		c.arrange(d, c.readHouse(ctx, st, d, fail))
	}
	return *d
}

// begin reads the state of the platform and the alerts. The store is nil if it cannot be
// opened; fail adds to the data what could not be read.
func (c *collector) begin(ctx context.Context, now time.Time) (d *Data, st *store.Store, fail func(error)) {
	d = &Data{Now: now, Functions: []Function{}, Rooms: []Room{}, Measurements: []Measurement{}, Lists: []List{},
		Zone: c.Zone(), Try: c.Try(), Hearth: c.Hearth, Faults: c.Faults != nil, Runs: c.Gateway != nil}
	fail = func(err error) {
		if text := c.Redact(err.Error()); !slices.Contains(d.Errors, text) {
			d.Errors = append(d.Errors, text)
		}
	}
	st, err := c.Open(ctx)
	if err != nil {
		fail(err)
	}
	d.Notes = c.Notes() // Open may have found what makes them needless
	here := c.Functions()
	if st != nil {
		c.platform.read(ctx, st, here, now, fail)
		if d.History, err = c.readHistory(ctx, st, now); err != nil {
			fail(err)
		}
	}
	d.Functions = c.platform.functions(here, now)
	d.Sample = slices.ContainsFunc(d.Functions, func(f Function) bool { return f.State == Sample })
	if st == nil {
		return d, nil, fail
	}
	if d.Alerts, err = c.readAlerts(ctx, st, now); err != nil {
		fail(err)
	}
	return d, st, fail
}

// platform is the state of hearth itself. It is read every few seconds, however many
// viewers there are.
type platform struct {
	at   time.Time
	seen []store.Function
	runs map[string]store.Run // the last run of each function
	seqs []store.EdgeSeq
	dead []store.DeadLetter
}

// read reads it again if it is time. What cannot be read stays as it was.
func (p *platform) read(ctx context.Context, st *store.Store, here []Function, now time.Time, fail func(error)) {
	if age := now.Sub(p.at); age >= 0 && age < platformEvery {
		return
	}
	p.at = now
	good := func(err error) bool {
		if err != nil {
			fail(err)
			p.at = time.Time{} // try again for the next snapshot
		}
		return err == nil
	}
	if seen, err := st.Functions(ctx); good(err) {
		p.seen = seen
	}
	names := make([]string, 0, len(here)+len(p.seen))
	for _, f := range merge(here, p.seen, now) {
		names = append(names, f.Name)
	}
	if runs, err := st.LastRuns(ctx, names); good(err) {
		p.runs = runs
	}
	if seqs, err := st.EdgeSeqs(ctx); good(err) {
		p.seqs = seqs
	}
	if dead, err := st.DeadLetters(ctx, maxLetters+1); good(err) {
		p.dead = dead
	}
}

// functions returns the functions as they were when read.
func (p *platform) functions(here []Function, now time.Time) []Function {
	fs := merge(here, p.seen, now)
	for i := range fs {
		if run, ok := p.runs[fs[i].Name]; ok {
			fs[i].Last = &run
		}
	}
	return fs
}

// readHouse reads the devices with their latest values, and the dead letters. It returns the
// devices that are shown.
func (c *collector) readHouse(ctx context.Context, st *store.Store, d *Data, fail func(error)) []Device {
	devices, err := c.readDevices(ctx, st, d.Now)
	if err != nil {
		fail(err)
	}
	for _, text := range c.register.full {
		d.Notes = append(d.Notes, c.Redact(text))
	}
	shown := fairly(devices, maxDevices)
	d.MoreDevices = len(devices) - len(shown)
	d.Dead, d.MoreDead = c.dead(c.platform.dead)
	return shown
}

// arrange sets the lines of the devices as they were drawn last, and sorts the devices into
// rooms.
func (c *collector) arrange(d *Data, shown []Device) {
	c.lines.show(shown, d.Now)
	d.Rooms = rooms(shown)
	for i := range d.Rooms {
		d.Rooms[i].Maintenance = c.alerts.maintenance[d.Rooms[i].Subject()]
	}
	d.Sample = d.Sample || slices.ContainsFunc(shown, func(v Device) bool { return v.Sample })
}

// readSources reads what the sources have stored, if one has run since the last
// reading, or after a while.
func (c *collector) readSources(ctx context.Context, st *store.Store, fs []Function, now time.Time, fail func(error)) {
	var runs []store.Run
	for _, f := range fs {
		if f.Last != nil {
			runs = append(runs, *f.Last)
		}
	}
	same := func(a, b store.Run) bool { return a.ID == b.ID && a.Status == b.Status }
	if age := now.Sub(c.fromSources.at); age >= 0 && age < sourcesEvery && slices.EqualFunc(runs, c.fromSources.runs, same) {
		return
	}
	next := fromSources{runs: runs, at: now, lists: []List{}}
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
		next.at = time.Time{} // try again for the next snapshot
	}
	c.fromSources = next
}

// newCollector gives the inputs that are not set empty answers.
func newCollector(s Inputs) *collector {
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
	return &collector{Inputs: s, measurements: catalogue.All}
}
