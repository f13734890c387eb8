package ingest

import (
	"context"
	"fmt"
	"time"

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
type Tell func(item.Change) (store.Message, bool)

// Check returns what may be stored of f at now, what is rejected and what is left
// out. Rejected are readings with an undeclared name, label or field, a number that
// is none or a time that cannot be, and items without an id or with one that no
// index takes. A number outside of its range is left out; the rest of its reading
// stays. A list that lost an item is no longer complete. Readings are counted
// first, then items.
func (f Found) Check(now time.Time) (kept Found, rejected, leftOut []Refusal) {
	kept.Readings = make([]reading.Reading, 0, len(f.Readings))
	for i, r := range f.Readings {
		r, dropped, err := check(r, catalogue.Get, now)
		if err != nil {
			rejected = append(rejected, Refusal{i, err})
			continue
		}
		for _, why := range dropped {
			leftOut = append(leftOut, Refusal{i, why})
		}
		kept.Readings = append(kept.Readings, r)
	}
	kept.List = f.List
	kept.List.Items = make([]item.Item, 0, len(f.List.Items))
	for i, it := range f.List.Items {
		if err := checkItem(it); err != nil {
			rejected = append(rejected, Refusal{len(f.Readings) + i, err})
			kept.List.Complete = false
			continue
		}
		kept.List.Items = append(kept.List.Items, it)
	}
	return kept, rejected, leftOut
}

// maxID keeps an item's key within what PostgreSQL can index (2,704 bytes): one
// that it cannot would fail the whole run.
const maxID = 1000

func checkItem(i item.Item) error {
	switch {
	case i.ID == "":
		return fmt.Errorf("%q has no id", i.Title)
	case len(i.ID) > maxID:
		return fmt.Errorf("an id of %d bytes", len(i.ID))
	}
	return nil
}

// Source stores what a run found, after its Check: items first, with their
// messages, then readings. Of these it reads what is stored and writes only what
// differs, so that a rerun stores nothing. Indexes in the answer go on from one
// target to the next; Stored also counts the items that a complete list closed.
// store.ErrFenced: a later run has the lease, and nothing is stored.
func Source(ctx context.Context, st *store.Store, run store.Run, found []Found, tell Tell, now time.Time) (Answer, error) {
	var a Answer
	var lists []store.List
	var readings []reading.Reading
	given := 0
	for _, f := range found {
		kept, rejected, leftOut := f.Check(now)
		a.Rejected, a.LeftOut = append(a.Rejected, moved(rejected, given)...), append(a.LeftOut, moved(leftOut, given)...)
		given += len(f.Readings) + len(f.List.Items)
		readings = append(readings, kept.Readings...)
		if len(kept.List.Items) > 0 || kept.List.Complete {
			lists = append(lists, kept.List)
		}
	}
	if len(lists) > 0 {
		stored, unchanged, err := st.SaveItems(ctx, run, lists, tell)
		if err != nil {
			return Answer{}, err
		}
		a.Stored, a.Unchanged = stored, unchanged
	}
	stored, err := merge(ctx, st, run, readings)
	if err != nil {
		return Answer{}, err
	}
	a.Stored, a.Unchanged = a.Stored+stored, a.Unchanged+len(readings)-stored
	return a, nil
}

// merge stores what of the readings is not stored yet, and returns how many. With
// InfluxDB the Commit writes them before its transaction: so the lease is looked
// at before as well, lest a run that was frozen overwrites what a later one brought.
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

// moved adds to the indexes of refusals.
func moved(rs []Refusal, by int) []Refusal {
	for i := range rs {
		rs[i].Index += by
	}
	return rs
}
