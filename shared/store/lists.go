package store

import "context"

// CloseLists closes, quietly, the open items of the run's function that are on
// none of the lists kept, and forgets what it remembered of those targets: one
// that was taken out of the settings has nobody left to close or resolve them.
func (s *Store) CloseLists(ctx context.Context, r Run, keep []string) (closed int, err error) {
	err = s.tx(ctx, "close the lists of "+r.Function, func(ctx context.Context, tx *txn) error {
		if err := fenced(ctx, tx, r.Function, r.Fence); err != nil {
			return err
		}
		args := []any{stamp(r.Started), clean(r.Function)}
		for _, target := range keep {
			args = append(args, clean(target))
		}
		where, gone := "", ""
		if len(keep) > 0 {
			where = ` and target not in (` + tx.params(3, len(keep)) + `)`
			gone = ` and target not in (` + tx.params(2, len(keep)) + `)`
		}
		res, err := tx.ExecContext(ctx, `update items set closed = $1 where source = $2 and closed is null`+where, args...)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		closed = int(n)
		_, err = tx.ExecContext(ctx, `delete from targets where function = $1`+gone, args[1:]...)
		return err
	})
	return closed, err
}
