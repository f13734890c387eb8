package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/secret"
)

//go:embed migrations
var migrationFiles embed.FS

// lockKey is the key of hearth's advisory lock in PostgreSQL: "hearth" in ASCII.
const lockKey = 0x686561727468

const migrateDeadline = 10 * time.Minute

// migration is one numbered file. The first line "-- serves: 5" means that a program
// that knows only the first five migrations still works with the new schema.
type migration struct {
	name, text string
	serves     int // 0: no such line, so it works only with programs that know it
}

// Migrate applies the missing migrations to the schema hearth of a PostgreSQL database.
// Of several concurrent calls, one migrates and the others wait.
func Migrate(ctx context.Context, url secret.String) error {
	db, err := openPostgres(url)
	if err != nil {
		return err
	}
	defer db.Close()
	return MigrateDB(ctx, db, Postgres)
}

// MigrateDB is Migrate for an opened database.
func MigrateDB(ctx context.Context, db *sql.DB, d Dialect) error {
	files, err := migrations(d)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, migrateDeadline)
	defer cancel()
	for {
		done, err := migrateOne(ctx, db, d, files)
		if done || err != nil {
			return err
		}
	}
}

// CheckVersion returns ErrNotMigrated if migrations are missing in db, and another error
// if db has newer migrations that do not work with this program.
func CheckVersion(ctx context.Context, db *sql.DB, d Dialect) error {
	files, err := migrations(d)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sqlDeadline)
	defer cancel()
	v, err := version(ctx, db)
	if err != nil {
		return explain("read the schema version", err)
	}
	if v < len(files) {
		return fmt.Errorf("%w (it is at version %d of %d)", ErrNotMigrated, v, len(files))
	}
	return explain("read the schema version", checkNewer(ctx, db, v, len(files)))
}

// checkNewer returns an error if the schema, at version v, has a migration that does not
// work with a program that knows only the first known migrations.
func checkNewer(ctx context.Context, q rowQuerier, v, known int) error {
	if v <= known {
		return nil
	}
	var oldest int
	if err := q.QueryRowContext(ctx, `select max(coalesce(serves, version)) from schema_version where version > $1`, known).Scan(&oldest); err != nil {
		return err
	}
	if oldest > known {
		return fmt.Errorf("the database is at version %d, newer than this program (%d), and works only with programs from version %d on: update the program", v, known, oldest)
	}
	return nil
}

// migrateOne applies the next migration in one transaction, under a lock that ends with
// the transaction. done means that no migration was missing.
func migrateOne(ctx context.Context, db *sql.DB, d Dialect, files []migration) (done bool, err error) {
	tx, err := db.BeginTx(ctx, nil) // on SQLite the transaction is immediate, so it is the lock
	if err != nil {
		return false, fmt.Errorf("migrate: %w", err)
	}
	defer tx.Rollback()
	if d == Postgres {
		if err := prepareSchema(ctx, tx); err != nil {
			return false, fmt.Errorf("migrate: prepare the schema hearth: %w", err)
		}
	}
	if _, err := tx.ExecContext(ctx, `
		create table if not exists schema_version (version integer primary key, name text not null)`); err != nil {
		return false, fmt.Errorf("migrate: %w", err)
	}
	v, err := version(ctx, tx)
	if err != nil {
		return false, fmt.Errorf("migrate: %w", err)
	}
	if v >= len(files) {
		return true, explain("migrate", checkNewer(ctx, tx, v, len(files)))
	}
	if err := apply(ctx, tx, files[v], v+1); err != nil {
		return false, fmt.Errorf("migrate %s: %w", files[v].name, err)
	}
	if err := tx.Commit(); err != nil {
		return false, fmt.Errorf("migrate %s: %w", files[v].name, err)
	}
	return false, nil
}

func apply(ctx context.Context, tx *sql.Tx, m migration, number int) error {
	if _, err := tx.ExecContext(ctx, m.text); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `insert into schema_version (version, name) values ($1, $2)`, number, m.name); err != nil || m.serves == 0 {
		return err
	}
	_, err := tx.ExecContext(ctx, `update schema_version set serves = $1 where version = $2`, m.serves, number)
	return err
}

func prepareSchema(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, `select pg_advisory_xact_lock($1)`, int64(lockKey)); err != nil {
		return err
	}
	var exists bool
	if err := tx.QueryRowContext(ctx, `select to_regnamespace('hearth') is not null`).Scan(&exists); err != nil || exists {
		return err // "create schema if not exists" needs the right to create one even if the schema exists
	}
	_, err := tx.ExecContext(ctx, `create schema hearth`)
	return err
}

type rowQuerier interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

// version returns the number of applied migrations.
func version(ctx context.Context, q rowQuerier) (v int, err error) {
	err = q.QueryRowContext(ctx, `select coalesce(max(version), 0) from schema_version`).Scan(&v)
	return v, err
}

func migrations(d Dialect) ([]migration, error) {
	dir := "migrations/postgres"
	if d == SQLite {
		dir = "migrations/sqlite"
	}
	sub, err := fs.Sub(migrationFiles, dir)
	if err != nil {
		return nil, err
	}
	return numbered(sub)
}

// numbered returns the files NNNN_noun.sql in order. A gap and a repeated number are
// errors.
func numbered(dir fs.FS) ([]migration, error) {
	names, err := fs.Glob(dir, "*") // sorted
	if err != nil {
		return nil, err
	}
	var out []migration
	for _, name := range names {
		number, noun, _ := strings.Cut(name, "_")
		n, err := strconv.Atoi(number)
		if err != nil || len(number) != 4 || path.Ext(noun) != ".sql" {
			return nil, fmt.Errorf("migration %q is not named NNNN_noun.sql", name)
		}
		if n != len(out)+1 {
			return nil, fmt.Errorf("migration %q has the number %d, want %d", name, n, len(out)+1)
		}
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, err
		}
		serves, err := servesFrom(string(text), n)
		if err != nil {
			return nil, fmt.Errorf("migration %q: %w", name, err)
		}
		out = append(out, migration{name, string(text), serves})
	}
	return out, nil
}

// servesFrom returns the number in the line "-- serves: N" of migration n, or 0 if there
// is no such line.
func servesFrom(text string, n int) (int, error) {
	line, _, _ := strings.Cut(text, "\n")
	text, ok := strings.CutPrefix(line, "-- serves: ")
	if !ok {
		return 0, nil
	}
	v, err := strconv.Atoi(text)
	if err != nil || v < 1 || v > n {
		return 0, fmt.Errorf("want \"-- serves: \" with a number from 1 to %d, got %q", n, text)
	}
	return v, nil
}
