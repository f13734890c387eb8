package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
)

// Sections of hearth.yml of which is kept what they named.
const (
	namedDevices = "devices"
	namedMaps    = "mappings"
)

// NamedMappings returns which mappings of hearth.yml were acted on, by what
// SetNamedMappings was given.
func (s *Store) NamedMappings(ctx context.Context) ([]string, error) {
	rows, err := query(ctx, s, "read which mappings are known", scanNamed, namedQuery, namedMaps)
	return slices.Concat(rows...), err
}

// SetNamedMappings keeps which mappings hearth.yml has, in any order.
func (s *Store) SetNamedMappings(ctx context.Context, names []string) error {
	return s.tx(ctx, "keep which mappings are known", func(ctx context.Context, tx *txn) error {
		return setNamed(ctx, tx, namedMaps, names)
	})
}

const namedQuery = `select names from named where section = $1`

func scanNamed(rows *sql.Rows) (names []string, err error) {
	var text []byte
	if err := rows.Scan(&text); err != nil {
		return nil, err
	}
	return names, json.Unmarshal(text, &names)
}

func setNamed(ctx context.Context, tx *txn, section string, names []string) error {
	b, err := json.Marshal(slices.Sorted(slices.Values(names)))
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		insert into named (section, names) values ($1, $2) on conflict (section) do update set names = excluded.names`, section, string(b))
	return err
}
