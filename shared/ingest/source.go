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

// Found is what one run of a source decoded for one target.
type Found struct {
	Readings []reading.Reading
	List     store.List // the target's items
}

// Tell returns what items that opened or closed change: alerts, and messages besides.
type Tell func([]item.Change) (store.Alerts, []alert.Message)

// Checked is the part of a Found that may be stored. Only Found.Check makes it.
type Checked struct{ found Found }

// Found returns the readings and items that may be stored. The caller must not
// change them.
func (c Checked) Found() Found { return c.found }

// Check divides f into what may be stored and the reasons why the rest may not. It
// refuses readings with NaN, an infinite number or an impossible time, single numbers
// outside of their range, and items with no id or too long an id. A list that lost an
// item is no longer complete. now is the latest time that readings are compared with.
//
// Check returns an error, and nothing may be stored, if a reading has a name, label,
// field or text that the catalogue does not have: then the source is wrong. It does so
// too if everything was refused: then the upstream has changed its format.
func (f Found) Check(now time.Time) (_ Checked, refused []error, err error) {
	kept := Found{Readings: make([]reading.Reading, 0, len(f.Readings)), List: f.List}
	for _, r := range f.Readings {
		r, dropped, err := checkReading(r, catalogue.Get, now)
		if _, ok := errors.AsType[*undeclaredError](err); ok {
			return Checked{}, nil, err
		}
		if err != nil {
			refused = append(refused, err)
			continue
		}
		refused = append(refused, dropped...)
		if !isEmpty(r) {
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

// maxID, in bytes, keeps an item's key below the largest that PostgreSQL can index
// (2,704 bytes). A larger key would fail the whole run.
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

// SaveRun stores the results of a run: items with their alerts and messages first, then readings.
// It compares the readings with the stored ones and writes only those that differ, so
// that a rerun stores nothing. stored also counts the items that a complete list
// closed. The error is store.ErrFenced if a later run has the lease; then nothing is
// stored. After another error items may be stored without the readings; the rerun
// stores those. The alerts about readings change with them.
func SaveRun(ctx context.Context, st *store.Store, run store.Run, found []Checked, tell Tell, watch *Watch) (stored, unchanged int, err error) {
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
	fresh, err := storeReadings(ctx, st, run, readings, watch.observed(run, found))
	if err != nil {
		return 0, 0, err
	}
	return stored + fresh, unchanged + len(readings) - fresh, nil
}

// storeReadings stores the readings that differ from the stored ones, and returns
// their number. It checks the lease twice. With InfluxDB, Commit writes the readings
// before its transaction checks the lease. The first check keeps a run that was
// suspended past its lease from overwriting what a later run stored. It also names all
// readings, because a run that died after it had written them has not noted that their
// hours are to be rolled up again.
func storeReadings(ctx context.Context, st *store.Store, run store.Run, rs []reading.Reading, alerts store.Alerts) (stored int, err error) {
	if len(rs) == 0 {
		return 0, nil
	}
	fresh, _, err := st.Fresh(ctx, rs)
	if err != nil {
		return 0, err
	}
	action := "store the readings of " + run.Function
	fence := func(ctx context.Context, tx *store.Tx) error { return tx.Fenced(ctx, run) }
	if err := st.Commit(ctx, action, store.Batch{Known: rs}, fence); err != nil || len(fresh)+len(alerts.Keys) == 0 {
		return 0, err
	}
	return len(fresh), st.Commit(ctx, action, store.Batch{Readings: fresh, Now: run.Started}, func(ctx context.Context, tx *store.Tx) error {
		if err := fence(ctx, tx); err != nil {
			return err
		}
		return tx.MoveAlerts(ctx, alerts.Keys, alerts.Move)
	})
}
