package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// Found is what a run of a source found of one target.
type Found struct {
	Readings []reading.Reading
	List     store.List // its items
}

// Tell makes the message of an item that opened or closed; false: there is none.
type Tell func(item.Change) (alert.Message, bool)

// Checked is what may be stored of a target: Found.Check makes it.
type Checked struct{ found Found }

// Found returns it.
func (c Checked) Found() Found { return c.found }

// Check returns what may be stored of f at now, and why the rest may not: readings
// with a number that is none or a time that cannot be, numbers outside of their
// range, and items without an id or with one that no index takes. A list that lost
// an item is no longer complete. It is an error, and nothing may be stored, if a
// reading has a name, label, field or text that the catalogue does not have, or if
// nothing is left: then the source is wrong, or its upstream changed its format.
func (f Found) Check(now time.Time) (_ Checked, refused []error, err error) {
	kept := Found{Readings: make([]reading.Reading, 0, len(f.Readings)), List: f.List}
	for _, r := range f.Readings {
		r, dropped, err := check(r, catalogue.Get, now)
		if _, ours := errors.AsType[*undeclaredError](err); ours {
			return Checked{}, nil, err
		}
		if err != nil {
			refused = append(refused, err)
			continue
		}
		refused = append(refused, dropped...)
		if !empty(r) {
			kept.Readings = append(kept.Readings, r)
		}
	}
	kept.List.Items = make([]item.Item, 0, len(f.List.Items))
	for _, it := range f.List.Items {
		if err := checkItem(it); err != nil {
			refused = append(refused, err)
			kept.List.Complete = false
			continue
		}
		kept.List.Items = append(kept.List.Items, it)
	}
	if len(refused) > 0 && len(kept.Readings)+len(kept.List.Items) == 0 {
		return Checked{}, nil, refused[0]
	}
	return Checked{kept}, refused, nil
}

// maxID keeps an item's key within what PostgreSQL can index (2,704 bytes): one
// that it cannot would fail the whole run.
const maxID = 1000

func checkItem(i item.Item) error {
	switch {
	case i.ID == "":
		return fmt.Errorf("the item %.100q has no id", i.Title)
	case len(i.ID) > maxID:
		return fmt.Errorf("the item %.100q has an id of %d bytes", i.Title, len(i.ID))
	}
	return nil
}

// Source stores what a run found: items first, with their messages, then readings.
// Of these it reads what is stored and writes only what differs, so that a rerun
// stores nothing. Stored also counts the items that a complete list closed.
// store.ErrFenced: a later run has the lease, and nothing is stored.
func Source(ctx context.Context, st *store.Store, run store.Run, found []Checked, tell Tell) (stored, unchanged int, err error) {
	var lists []store.List
	var readings []reading.Reading
	for _, c := range found {
		readings = append(readings, c.found.Readings...)
		if l := c.found.List; len(l.Items) > 0 || l.Complete {
			lists = append(lists, l)
		}
	}
	if len(lists) > 0 {
		if stored, unchanged, err = st.SaveItems(ctx, run, lists, tell); err != nil {
			return 0, 0, err
		}
	}
	fresh, err := merge(ctx, st, run, readings)
	if err != nil {
		return 0, 0, err
	}
	return stored + fresh, unchanged + len(readings) - fresh, nil
}

// merge stores what of the readings is not stored yet, and returns how many. With
// InfluxDB the Commit writes them before its transaction: so the lease is checked
// before as well, and a run that was frozen overwrites nothing that a later one brought.
func merge(ctx context.Context, st *store.Store, run store.Run, rs []reading.Reading) (stored int, err error) {
	if len(rs) == 0 {
		return 0, nil
	}
	fresh, _, err := st.Fresh(ctx, rs)
	if err != nil || len(fresh) == 0 {
		return 0, err
	}
	what := "store the readings of " + run.Function
	fence := func(ctx context.Context, tx *store.Tx) error { return tx.Fenced(ctx, run) }
	if err := st.Commit(ctx, what, nil, fence); err != nil {
		return 0, err
	}
	return len(fresh), st.Commit(ctx, what, fresh, fence)
}
