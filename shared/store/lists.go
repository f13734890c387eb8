package store

import "context"

// DropTargets deletes all stored targets of a function and changes alerts, in one
// transaction. It is for a function that is not fetched any more.
func (s *Store) DropTargets(ctx context.Context, function string, alerts Alerts) error {
	return s.tx(ctx, "delete the targets of "+function, func(ctx context.Context, tx *txn) error {
		if _, err := tx.ExecContext(ctx, `delete from targets where function = $1`, clean(function)); err != nil {
			return err
		}
		return (&Tx{s, tx}).MoveAlerts(ctx, alerts.Keys, alerts.Move)
	})
}

// CloseLists closes the open items of all targets of the run's function but those in
// keep, deletes these stored targets, and changes alerts, in one transaction. It is for
// targets that were removed from the settings: no later run closes their items. closed is
// the number of items.
func (s *Store) CloseLists(ctx context.Context, r Run, keep []string, alerts Alerts) (closed int, err error) {
	err = s.tx(ctx, "close the lists of "+r.Function, func(ctx context.Context, tx *txn) error {
		if err := fenced(ctx, tx, r.Function, r.Fence); err != nil {
			return err
		}
		args := []any{stamp(r.Started), clean(r.Function)}
		for _, target := range keep {
			args = append(args, clean(target))
		}
		itemsToClose, targetsToDelete := "", ""
		if len(keep) > 0 {
			itemsToClose = ` and target not in (` + tx.params(3, len(keep)) + `)`
			targetsToDelete = ` and target not in (` + tx.params(2, len(keep)) + `)`
		}
		res, err := tx.ExecContext(ctx, `update items set closed = $1 where source = $2 and closed is null`+itemsToClose, args...)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		closed = int(n)
		if _, err = tx.ExecContext(ctx, `delete from targets where function = $1`+targetsToDelete, args[1:]...); err != nil {
			return err
		}
		return (&Tx{s, tx}).MoveAlerts(ctx, alerts.Keys, alerts.Move)
	})
	return closed, err
}
