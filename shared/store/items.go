package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/item"
)

const itemColumns = `source, target, id, title, url, at, attributes, sample, closed`

// row is a stored item.
type row struct {
	item.Item
	closed time.Time
}

// SaveItems stores the lists in one transaction, with the alerts and messages that tell
// returns for the items that opened or closed. tell may be nil. stored counts new, changed,
// reopened and closed items. It returns ErrFenced if a later run has taken the lease of r.
func (s *Store) SaveItems(ctx context.Context, r Run, lists []List, tell func([]item.Change) (Alerts, []alert.Message)) (stored, unchanged int, err error) {
	err = s.tx(ctx, "store the items of "+r.Function, func(ctx context.Context, tx *txn) error {
		stored, unchanged = 0, 0
		if err := fenced(ctx, tx, r.Function, r.Fence); err != nil {
			return err
		}
		var changes []item.Change
		for _, l := range lists {
			d, err := saveList(ctx, tx, l, r.Started)
			if err != nil {
				return fmt.Errorf("list %q: %w", l.Target, err)
			}
			stored += len(d.write) + len(d.closed)
			unchanged += d.same
			changes = append(changes, d.changes...)
		}
		if tell == nil || len(changes) == 0 {
			return nil
		}
		alerts, messages := tell(changes)
		if err := (&Tx{s, tx}).MoveAlerts(ctx, alerts.Keys, alerts.Move); err != nil {
			return err
		}
		return queue(ctx, tx, messages, r.Started)
	})
	if err != nil {
		return 0, 0, err
	}
	return stored, unchanged, nil
}

// OpenItems returns the open items of a source ("" means of all), newest first.
func (s *Store) OpenItems(ctx context.Context, source string, limit int) ([]item.Item, error) {
	where, args := "", []any{limit}
	if source != "" {
		where, args = " and source = $2", append(args, source)
	}
	rows, err := query(ctx, s, "read the open items", scanItem,
		`select `+itemColumns+` from items where closed is null`+where+` order by at desc nulls last, source, target, id limit $1`, args...)
	items := make([]item.Item, len(rows))
	for i, r := range rows {
		items[i] = r.Item
	}
	return items, err
}

// OpenItemsOfEach returns the newest open items of every source, up to limit of each, by
// source and newest first.
func (s *Store) OpenItemsOfEach(ctx context.Context, limit int) ([]item.Item, error) {
	rows, err := query(ctx, s, "read the open items of each source", scanItem, `
		select `+itemColumns+` from (
			select `+itemColumns+`, row_number() over (partition by source order by at desc nulls last, target, id) as place
			from items where closed is null) as newest
		where place <= $1 order by source, place`, limit)
	items := make([]item.Item, len(rows))
	for i, r := range rows {
		items[i] = r.Item
	}
	return items, err
}

// diff holds the differences between a list and the stored items.
type diff struct {
	write   []item.Item // new, changed or reopened
	closed  []string    // ids to close
	same    int
	changes []item.Change // opened and closed items
}

// saveList stores a list.
func saveList(ctx context.Context, tx *txn, l List, now time.Time) (diff, error) {
	incoming := normal(l)
	known, err := knownItems(ctx, tx, l, incoming)
	if err != nil {
		return diff{}, err
	}
	former := formerItems(incoming, known)
	if l.FirstSeen {
		if err := setFirstSeen(ctx, tx, l, incoming, known, former, now); err != nil {
			return diff{}, err
		}
	}
	d := compare(incoming, known, former, l.Complete, now)
	if err := writeItems(ctx, tx, d.write, now); err != nil {
		return diff{}, err
	}
	if err := closeItems(ctx, tx, l, d.closed, now); err != nil {
		return diff{}, err
	}
	_, err = tx.ExecContext(ctx, `delete from items where source = $1 and target = $2 and closed < $3`, clean(l.Source), clean(l.Target), stamp(now.Add(-keepClosed)))
	return d, err
}

const keepClosed = 366 * 24 * time.Hour // how long closed items are kept

// normal returns the list's items as the store will return them. Of two items with the
// same id, the last is kept.
func normal(l List) []item.Item {
	at := make(map[string]int, len(l.Items))
	out := make([]item.Item, 0, len(l.Items))
	for _, i := range l.Items {
		i.Source, i.Target, i.Sample = clean(l.Source), clean(l.Target), i.Sample || l.Sample
		i.ID, i.Title, i.URL = clean(i.ID), clean(i.Title), clean(i.URL)
		if i.At = micros(i.At); i.At.IsZero() {
			i.At = time.Time{}
		}
		attributes := make(map[string]string, len(i.Attributes))
		for k, v := range i.Attributes {
			attributes[clean(k)] = clean(v)
		}
		i.Attributes = attributes
		if n, twice := at[i.ID]; twice {
			out[n] = i
			continue
		}
		at[i.ID] = len(out)
		out = append(out, i)
	}
	return out
}

// formerItems returns, by the id of an item that is not open yet, the open item with the same
// title and URL that is not on the list any more.
func formerItems(incoming []item.Item, known map[string]row) map[string]*item.Item {
	type words struct{ title, url string }
	listed := make(map[string]bool, len(incoming))
	for _, i := range incoming {
		listed[i.ID] = true
	}
	gone := map[words]*item.Item{}
	for id, old := range known {
		if w := (words{old.Title, old.URL}); old.closed.IsZero() && !listed[id] && (gone[w] == nil || gone[w].At.Before(old.At) || gone[w].At.Equal(old.At) && gone[w].ID < id) {
			gone[w] = &old.Item
		}
	}
	former := map[string]*item.Item{}
	for _, i := range incoming {
		old, seen := known[i.ID]
		if f := gone[words{i.Title, i.URL}]; f != nil && (!seen || !old.closed.IsZero()) {
			former[i.ID] = f
		}
	}
	return former
}

// compare returns the differences between a list and the known items. It does no I/O.
func compare(incoming []item.Item, known map[string]row, former map[string]*item.Item, complete bool, now time.Time) diff {
	var d diff
	listed := make(map[string]bool, len(incoming))
	for _, i := range incoming {
		listed[i.ID] = true
		old, seen := known[i.ID]
		open := seen && old.closed.IsZero()
		if open && equal(old.Item, i) {
			d.same++
			continue
		}
		d.write = append(d.write, i)
		if !open {
			d.changes = append(d.changes, item.Change{Item: i, Opened: true, When: now, Former: former[i.ID]})
		}
	}
	if !complete {
		return d
	}
	for _, id := range slices.Sorted(maps.Keys(known)) {
		if old := known[id]; old.closed.IsZero() && !listed[id] {
			d.closed = append(d.closed, id)
			d.changes = append(d.changes, item.Change{Item: old.Item, When: now})
		}
	}
	return d
}

func equal(a, b item.Item) bool {
	return a.Title == b.Title && a.URL == b.URL && a.At.Equal(b.At) && a.Sample == b.Sample && maps.Equal(a.Attributes, b.Attributes)
}

// knownItems reads the stored items to compare the list with: those with the ids of the
// list and, if the list is complete, all open items of its target. Other closed items
// may be many and are not needed.
func knownItems(ctx context.Context, tx *txn, l List, incoming []item.Item) (map[string]row, error) {
	known := make(map[string]row, len(incoming))
	read := func(where string, args ...any) error {
		rows, err := Rows(ctx, tx, scanItem, `select `+itemColumns+` from items where source = $1 and target = $2 and `+where, args...)
		for _, r := range rows {
			known[r.ID] = r
		}
		return err
	}
	list := []any{clean(l.Source), clean(l.Target)}
	if l.Complete {
		if err := read(`closed is null`, list...); err != nil {
			return nil, err
		}
	}
	var missing []any
	for _, i := range incoming {
		if _, ok := known[i.ID]; !ok {
			missing = append(missing, i.ID)
		}
	}
	for chunk := range slices.Chunk(missing, chunkRows) {
		if err := read(`id in (`+tx.params(3, len(chunk))+`)`, slices.Concat(list, chunk)...); err != nil {
			return nil, err
		}
	}
	return known, nil
}

func scanItem(rows *sql.Rows) (r row, err error) {
	err = rows.Scan(&r.Source, &r.Target, &r.ID, &r.Title, &r.URL, scanTime{&r.At},
		scanJSON[map[string]string]{&r.Attributes}, &r.Sample, scanTime{&r.closed})
	return r, err
}

func writeItems(ctx context.Context, tx *txn, items []item.Item, now time.Time) error {
	for chunk := range slices.Chunk(items, chunkRows) {
		args := make([]any, 0, len(chunk)*9)
		for _, i := range chunk {
			attributes, err := encode(i.Attributes)
			if err != nil {
				return err
			}
			args = append(args, i.Source, i.Target, i.ID, i.Title, i.URL, stamp(i.At), attributes, i.Sample, stamp(now))
		}
		if _, err := tx.ExecContext(ctx, `
			insert into items (source, target, id, title, url, at, attributes, sample, seen) values `+tx.values(len(chunk), 9)+`
			on conflict (source, target, id) do update set title = excluded.title, url = excluded.url, at = excluded.at,
				attributes = excluded.attributes, sample = excluded.sample, closed = null`, args...); err != nil {
			return err
		}
	}
	return nil
}

func closeItems(ctx context.Context, tx *txn, l List, ids []string, now time.Time) error {
	for chunk := range slices.Chunk(ids, chunkRows) {
		args := []any{stamp(now), clean(l.Source), clean(l.Target)}
		for _, id := range chunk {
			args = append(args, id)
		}
		if _, err := tx.ExecContext(ctx, `
			update items set closed = $1 where source = $2 and target = $3 and id in (`+tx.params(4, len(chunk))+`)`, args...); err != nil {
			return err
		}
	}
	return nil
}
