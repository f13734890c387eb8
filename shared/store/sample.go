package store

import (
	"context"
	"database/sql"
)

// DropSampleRows deletes the sample runs and items of a function and reports
// whether there were any.
func (s *Store) DropSampleRows(ctx context.Context, function string) (found bool, err error) {
	err = s.tx(ctx, "drop the samples of "+function, func(ctx context.Context, tx *txn) error {
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

// HasSamples reports whether there are sample runs or items of a function.
func (s *Store) HasSamples(ctx context.Context, function string) (bool, error) {
	found, err := query(ctx, s, "look for samples of "+function, func(rows *sql.Rows) (found bool, err error) {
		err = rows.Scan(&found)
		return found, err
	}, `select exists (select 1 from runs where function = $1 and sample) or exists (select 1 from items where source = $1 and sample)`, function)
	return err == nil && found[0], err
}
