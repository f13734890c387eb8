package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
)

// The names that are stored: of what hearth.yml has, to notice what was removed, and of
// its mappings that found something.
const (
	namedDevices = "devices"
	namedMaps    = "mappings"
	namedFound   = "found"
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

// FoundMappings returns the names of the last call of SetFoundMappings.
func (s *Store) FoundMappings(ctx context.Context) ([]string, error) {
	rows, err := query(ctx, s, "read the mappings that found something", scanNamed, namedQuery, namedFound)
	return slices.Concat(rows...), err
}

// SetFoundMappings stores the names of the mappings that found something in a message, in
// any order.
func (s *Store) SetFoundMappings(ctx context.Context, names []string) error {
	return s.tx(ctx, "store the mappings that found something", func(ctx context.Context, tx *txn) error {
		return setNamed(ctx, tx, namedFound, names)
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
