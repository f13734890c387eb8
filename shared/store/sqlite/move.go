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
)

const movedAtOnce = 5000 // readings of one transaction

// moveReadings takes the JSON rows of before version 8 over into points and
// texts, piece by piece. A piece is written there and deleted here in one
// transaction, so that a program that ends at any moment goes on where it was,
// and what another one of before version 8 still writes meanwhile is moved too.
// It uses no more memory than a piece takes. tell hears after each piece how
// many readings of how many are moved.
func moveReadings(ctx context.Context, db *sql.DB, tell func(moved, total int64)) error {
	var total, moved int64
	err := db.QueryRowContext(ctx, `select count(*) from readings`).Scan(&total)
	if err != nil {
		if strings.Contains(err.Error(), "no such table") {
			return nil // it was done before
		}
		return err
	}
	known := newIDs()
	for {
		n, err := movePiece(ctx, db, known)
		if err != nil {
			return fmt.Errorf("move the readings to their new table: %w", err)
		}
		if n == 0 {
			return nil
		}
		moved += n
		tell(moved, max(moved, total))
	}
}

// movePiece moves the first readings of the first series and returns how many.
// Where there are none it drops the table, in the transaction that found it
// empty: in a later one, another program may have written again.
func movePiece(ctx context.Context, db *sql.DB, known ids) (int64, error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback()
	var series int64
	if err := tx.QueryRowContext(ctx, `select series from readings order by series limit 1`).Scan(&series); err != nil {
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return 0, drop(ctx, tx)
		case strings.Contains(err.Error(), "no such table"): // another program has dropped it
			return 0, nil
		}
		return 0, err
	}
	rs, err := piece(ctx, tx, series)
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

func drop(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, `drop table readings`); err != nil {
		return fmt.Errorf("drop the old table: %w", err)
	}
	return tx.Commit()
}

func piece(ctx context.Context, tx *sql.Tx, series int64) ([]reading.Reading, error) {
	var name string
	var tags map[string]string
	var text []byte
	if err := tx.QueryRowContext(ctx, `select name, tags from series where id = ?`, series).Scan(&name, &text); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &tags); err != nil {
		return nil, err
	}
	return list(ctx, tx, func(rows *sql.Rows) (r reading.Reading, err error) {
		var nanos int64
		var fields, texts []byte
		if err := rows.Scan(&nanos, &fields, &texts); err != nil {
			return r, err
		}
		r = reading.Reading{Name: name, Tags: tags, Time: time.Unix(0, nanos).UTC()}
		return r, errors.Join(json.Unmarshal(fields, &r.Fields), json.Unmarshal(texts, &r.Text))
	}, `select time, fields, texts from readings where series = ? order by time limit ?`, series, movedAtOnce)
}
