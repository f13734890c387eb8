package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/hearth-home/hearth/shared/item"
)

// maxUnseen is how many items of a known target may be new at once. If more are, and no item
// was seen before, it lists something else under the old name, as after a change of its address.
const maxUnseen = 10

// setFirstSeen sets the time of the items that have none, to that of the run that first saw
// them. An item that was seen keeps its time, even if that is none, so that a rerun changes
// nothing. So does one that left the list and is on it again, or has another id. In the first list of a target,
// an item stays without a time.
func setFirstSeen(ctx context.Context, tx *txn, l List, items []item.Item, known map[string]row, former map[string]*item.Item, now time.Time) error {
	worked, err := Rows(ctx, tx, func(rows *sql.Rows) (ok bool, err error) { err = rows.Scan(&ok); return ok, err },
		`select last_ok is not null from targets where function = $1 and target = $2`, clean(l.Source), clean(l.Target))
	if err != nil {
		return err
	}
	unseen := 0
	for _, i := range items {
		if _, seen := known[i.ID]; !seen && former[i.ID] == nil {
			unseen++
		}
	}
	isNew := len(worked) == 0 || !worked[0] || unseen == len(items) && unseen > maxUnseen
	now = micros(now)
	for n := range items {
		i := &items[n]
		old, seen := known[i.ID]
		if f := former[i.ID]; f != nil && !seen {
			old.Item, seen = *f, true
		}
		switch {
		case !i.At.IsZero():
		case seen && !old.At.After(now):
			i.At = old.At
		case seen || !isNew:
			i.At = now
		}
	}
	return nil
}
