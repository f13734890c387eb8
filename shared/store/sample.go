package store

import (
	"context"
	"database/sql"
)

// DropSampleRows deletes the sample runs and items of a function and reports
// whether there were any.
func (s *Store) DropSampleRows(ctx context.Context, function string) (found bool, err error) {
	err = s.tx(ctx, "drop the samples of "+function, func(ctx context.Context, tx *sql.Tx) error {
		found = false
		for _, text := range []string{
			`delete from runs where function = $1 and sample`,
			`delete from items where source = $1 and sample`,
		} {
			res, err := tx.ExecContext(ctx, text, function)
			if err != nil {
				return err
			}
			n, err := res.RowsAffected()
			if err != nil {
				return err
			}
			found = found || n > 0
		}
		return nil
	})
	return found, err
}
