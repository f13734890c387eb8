package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

const moveBatch = 5000 // readings in one transaction

// moveReadings moves the JSON rows that versions before 8 wrote to the tables
// points and texts, batch by batch. One transaction writes a batch there and
// deletes it from readings. So the move continues after the program has ended at
// any moment, and it also moves readings that an older program writes meanwhile.
// The memory used is that of one batch. progress is called after each batch with
// the number of readings moved so far and of all.
func moveReadings(ctx context.Context, db *sql.DB, progress func(moved, total int64)) error {
	var total, moved int64
	err := db.QueryRowContext(ctx, `select count(*) from readings`).Scan(&total)
	if err != nil {
		if strings.Contains(err.Error(), "no such table") {
			return nil // all readings are moved already
		}
		return err
	}
	known := newIDs()
	for {
		n, err := moveOneBatch(ctx, db, known)
		if err != nil {
			return fmt.Errorf("move the readings to their new table: %w", err)
		}
		if n == 0 {
			return nil
		}
		moved += n
		progress(moved, max(moved, total))
	}
}

// moveOneBatch moves the oldest readings of the first series and returns their
// number. If the table readings is empty, it drops the table in the same
// transaction, because another program could write to it before a later one.
func moveOneBatch(ctx context.Context, db *sql.DB, known ids) (int64, error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback()
	var series int64
	if err := tx.QueryRowContext(ctx, `select series from readings order by series limit 1`).Scan(&series); err != nil {
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return 0, dropReadings(ctx, tx)
		case strings.Contains(err.Error(), "no such table"): // another program dropped it
			return 0, nil
		}
		return 0, err
	}
	rs, err := oldReadings(ctx, tx, series)
	if err != nil {
		return 0, err
	}
	fresh := newIDs()
	if err := put(ctx, tx, rs, known, fresh); err != nil {
		return 0, err
	}
	if _, err := tx.ExecContext(ctx, `delete from readings where series = ? and time <= ?`, series, rs[len(rs)-1].Time.UnixNano()); err != nil {
		return 0, err
	}
	if err := tx.Commit(); err != nil {
		return 0, err
	}
	known.add(fresh)
	return int64(len(rs)), nil
}

func dropReadings(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, `drop table readings`); err != nil {
		return fmt.Errorf("drop the old table: %w", err)
	}
	return tx.Commit()
}

// oldReadings returns one batch of a series from the table readings, oldest first.
func oldReadings(ctx context.Context, tx *sql.Tx, series int64) ([]reading.Reading, error) {
	var name string
	var tags map[string]string
	var text []byte
	if err := tx.QueryRowContext(ctx, `select name, tags from series where id = ?`, series).Scan(&name, &text); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &tags); err != nil {
		return nil, err
	}
	return store.Rows(ctx, tx, func(rows *sql.Rows) (r reading.Reading, err error) {
		var nanos int64
		var fields, texts []byte
		if err := rows.Scan(&nanos, &fields, &texts); err != nil {
			return r, err
		}
		r = reading.Reading{Name: name, Tags: tags, Time: time.Unix(0, nanos).UTC()}
		return r, errors.Join(json.Unmarshal(fields, &r.Fields), json.Unmarshal(texts, &r.Text))
	}, `select time, fields, texts from readings where series = ? order by time limit ?`, series, moveBatch)
}
