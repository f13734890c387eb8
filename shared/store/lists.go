package store

import "context"

// CloseLists closes, quietly, the open items of the run's function that are on
// none of the lists kept: a target that was taken out of the settings has
// nobody left to close them.
func (s *Store) CloseLists(ctx context.Context, r Run, keep []string) (closed int, err error) {
	err = s.tx(ctx, "close the lists of "+r.Function, func(ctx context.Context, tx *txn) error {
		if err := fenced(ctx, tx, r.Function, r.Fence); err != nil {
			return err
		}
		args := []any{stamp(r.Started), clean(r.Function)}
		for _, target := range keep {
			args = append(args, clean(target))
		}
		where := ""
		if len(keep) > 0 {
			where = ` and target not in (` + tx.params(3, len(keep)) + `)`
		}
		res, err := tx.ExecContext(ctx, `update items set closed = $1 where source = $2 and closed is null`+where, args...)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		closed = int(n)
		return err
	})
	return closed, err
}
