package ingest

import (
	"context"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/rules"
	"github.com/hearth-home/hearth/shared/store"
)

// Watch says how readings become alerts: by which rules, and who is told of them.
type Watch struct {
	House *alert.House
	Rules *rules.Set
}

// observed is what the rules have seen, in the order of the values.
type observed []alert.Observation

// keys returns the keys of the alerts, each once.
func (o observed) keys() (out []string) {
	seen := map[string]bool{}
	for i := range o {
		if !seen[o[i].Key] {
			seen[o[i].Key] = true
			out = append(out, o[i].Key)
		}
	}
	return out
}

// move changes the alerts and queues their messages, within the transaction that stores
// what was seen.
func (o observed) move(ctx context.Context, tx *store.Tx, h *alert.House, now time.Time) error {
	return tx.MoveAlerts(ctx, o.keys(), func(before map[string]alert.State) ([]alert.State, []alert.Message) {
		return h.Move(before, o, now)
	})
}

// Watch makes Store judge the values of the reports that are added from now on. Without
// rules it judges none.
func (b *Batch) Watch(h *alert.House, by *rules.Set) {
	if b.watch = nil; h != nil && by != nil {
		b.watch = &Watch{h, by}
	}
}

// observe judges a value that has become the state of its metric. Only a live value of
// quality ok counts: an old one, one that the broker kept or one that is replayed says
// nothing of now. A switch counts also if its source doubts the report for another number:
// a load of 180 % does not make the battery of a UPS full.
func (b *Batch) observe(r *Report, v *device.Value, m *device.Metric) {
	w := b.watch
	if w == nil || r.Measurement == "" {
		return
	}
	if m.JudgedBy != w.Rules || m.JudgedAs != r.Measurement {
		m.Judges, m.JudgedBy, m.JudgedAs = b.judges(r, v, m.Judges), w.Rules, r.Measurement
	}
	if len(m.Judges) == 0 || r.Retained || r.Replayed || r.Time.IsZero() || b.now.Sub(r.Time) > rules.LiveTime {
		return
	}
	good, doubted := quality.Quality(m.State.Quality) == quality.OK, r.Quality == quality.Suspect && v.Bad == ""
	for i := range m.Judges {
		j := &m.Judges[i]
		active := w.House.Active[j.Key]
		if !good && !(doubted && j.Switch) || j.Instead != "" && !active && b.has(r, j.Instead) {
			continue
		}
		excepted := func() bool { return b.isOn(r, j.Except) }
		if o, ok := j.Value(v.V, r.Time, w.House.Away, active, excepted); ok {
			o.Sample = r.Simulated
			b.observed = append(b.observed, o)
		}
	}
}

// has reports whether a device reports a number: in this report, or earlier.
func (b *Batch) has(r *Report, key string) bool {
	return b.Known(r.Device, key) != nil || slices.ContainsFunc(r.Values, func(v device.Value) bool { return v.Key == key })
}

// isOn reports whether a flag of a device is 1: by this report, wherever it stands in it, or
// else by the latest one.
func (b *Batch) isOn(r *Report, key string) bool {
	if i := slices.IndexFunc(r.Values, func(v device.Value) bool { return v.Key == key }); i >= 0 {
		return r.Values[i].V == 1
	}
	flag, ok := b.State(r.Device, key)
	return ok && flag.Value == 1
}

// judges returns the rules for a value of a report. They remember what the earlier ones of
// the metric do.
func (b *Batch) judges(r *Report, v *device.Value, earlier []rules.Judge) []rules.Judge {
	of := r.Device.Subject()
	all := b.watch.Rules.Judges(rules.Metric{Measurement: r.Measurement, Field: v.Key, Device: r.Device.ID, Name: of.Name, Room: of.Room}, *of)
	kept := all[:0]
	for _, j := range all {
		number := j.Switch && v.Field != nil && v.Field.Word(0) == "" // its device declares it as a number, though its name is that of a switch
		if number {
			continue
		}
		j.Remember(earlier)
		kept = append(kept, j)
	}
	return kept
}

// observeComputed judges computed values, as observe does those of reports.
func (b *Batch) observeComputed(out *outputs) (seen observed) {
	if b.watch == nil {
		return nil
	}
	for _, v := range out.values {
		if quality.Quality(v.Quality) != quality.OK || b.now.Sub(v.Time) > rules.LiveTime {
			continue
		}
		of := b.about[v.Device]
		of.Device = v.Device
		for _, j := range b.watch.Rules.Judges(rules.Metric{Measurement: v.measurement, Field: v.Metric, Device: v.Device, Name: of.Name, Room: of.Room}, of) {
			none := func() bool { return false } // computed values are no flags
			if o, ok := j.Value(v.Value, v.Time, b.watch.House.Away, b.watch.House.Active[j.Key], none); ok {
				o.Sample = v.simulated
				seen = append(seen, o)
			}
		}
	}
	return seen
}
