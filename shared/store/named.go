package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
)

// The sections of hearth.yml whose names are stored, to notice removed ones.
const (
	namedDevices = "devices"
	namedMaps    = "mappings"
)

// NamedDevices returns the ids of the devices in hearth.yml when it was last applied.
func (s *Store) NamedDevices(ctx context.Context) ([]string, error) {
	rows, err := query(ctx, s, "read the devices of hearth.yml", scanNamed, namedQuery, namedDevices)
	return slices.Concat(rows...), err
}

// NamedMappings returns the names of the last call of SetNamedMappings.
func (s *Store) NamedMappings(ctx context.Context) ([]string, error) {
	rows, err := query(ctx, s, "read the known mappings", scanNamed, namedQuery, namedMaps)
	return slices.Concat(rows...), err
}

// SetNamedMappings stores the names of the mappings in hearth.yml, in any order.
func (s *Store) SetNamedMappings(ctx context.Context, names []string) error {
	return s.tx(ctx, "store the known mappings", func(ctx context.Context, tx *txn) error {
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
