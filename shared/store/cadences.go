package store

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/silence"
)

// Cadence is what is learned of how often a metric of a device reports.
type Cadence struct {
	Device  string
	Metric  string // "": the device as a whole
	Learned silence.Cadence
}

// Watch is since when devices have been watched without a pause.
type Watch struct {
	Last  time.Time `json:"last"`          // when they were last looked at
	Since time.Time `json:"since"`         // the end of the last pause
	From  time.Time `json:"from,omitzero"` // its beginning; zero: it is told, or there was none
}

// watch marks the row of table cadences that holds the Watch. No device has this id.
const watch = ""

// Cadences returns what is learned of all devices, by device and metric.
func (s *Store) Cadences(ctx context.Context) ([]Cadence, error) {
	return query(ctx, s, "read the cadences", func(rows *sql.Rows) (c Cadence, err error) {
		err = rows.Scan(&c.Device, &c.Metric, scanJSON[silence.Cadence]{&c.Learned})
		return c, err
	}, `select device, metric, gaps from cadences where device <> $1 order by device, metric`, watch)
}

// SaveCadences stores what is learned, and w.
func (s *Store) SaveCadences(ctx context.Context, w Watch, cadences []Cadence, now time.Time) error {
	return s.tx(ctx, "store the cadences", func(ctx context.Context, tx *txn) error {
		rows := []any{watch, "", nil, stamp(now)}
		text, err := encode(w)
		if err != nil {
			return err
		}
		rows[2] = text
		for _, c := range cadences {
			if text, err = encode(c.Learned); err != nil {
				return err
			}
			rows = append(rows, c.Device, c.Metric, text, stamp(now))
		}
		for chunk := range slices.Chunk(rows, 4*chunkRows) {
			if _, err := tx.ExecContext(ctx, `insert into cadences (device, metric, gaps, updated) values `+tx.values(len(chunk)/4, 4)+`
				on conflict (device, metric) do update set gaps = excluded.gaps, updated = excluded.updated`, chunk...); err != nil {
				return err
			}
		}
		return nil
	})
}

// LastWatch returns the Watch that was saved last; the zero Watch if there is none.
func (s *Store) LastWatch(ctx context.Context) (w Watch, err error) {
	rows, err := query(ctx, s, "read when devices were last watched", func(rows *sql.Rows) (w Watch, err error) {
		err = rows.Scan(scanJSON[Watch]{&w})
		return w, err
	}, `select gaps from cadences where device = $1`, watch)
	if len(rows) > 0 {
		w = rows[0]
	}
	return w, err
}
