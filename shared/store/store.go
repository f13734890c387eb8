// Package store keeps what hearth knows: Readings in a time series database,
// everything else in SQL tables. InfluxDB and PostgreSQL are chosen by URL;
// package sqlite gives the same Store on one file.
package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/secret"
)

// Errors that callers act on. Every other error means that the store is away,
// or that its schema is too new for this program.
var (
	ErrNotMigrated = errors.New("the database is not migrated: run make migrate")
	ErrRunning     = errors.New("already running")
	ErrFenced      = errors.New("the lease was lost to a later run")
	ErrUnstorable  = errors.New("no store can keep it") // of a reading: another try changes nothing
	ErrTooMany     = errors.New("more")                 // of an answer: ask for less
	ErrFull        = errors.New("no room for more")     // of a table that people fill
)

// Config names InfluxDB and PostgreSQL.
type Config struct {
	Influx   Influx
	Database secret.String `env:"DATABASE_URL_SECRET" envDefault:"database-url"` // secret with the PostgreSQL URL: postgres://user:password@host:5432/db
}

// Influx is an InfluxDB 2 (or 1.8, bucket "db/rp").
type Influx struct {
	URL    string        `env:"INFLUX_URL"`                                    // http://influxdb:8086
	Org    string        `env:"INFLUX_ORG" envDefault:"home"`                  // organization
	Bucket string        `env:"INFLUX_BUCKET" envDefault:"home"`               // bucket that hearth owns; InfluxDB 1.8: database/policy, where the database has no other policy: else hearth deletes nothing, because 1.8 would delete in all
	Token  secret.String `env:"INFLUX_TOKEN_SECRET" envDefault:"influx-token"` // secret with a token that may read, write and delete in the bucket
}

// Series keeps Readings. A nil error from Write means that all are stored.
// Writing is idempotent: one point per series and time, fields united, the
// later value wins.
type Series interface {
	Write(context.Context, []reading.Reading) error
	// BetweenAtMost returns the readings of one measurement with
	// from <= time < to, ordered by series and time. tags narrows it; nil means
	// all. More than limit are ErrTooMany.
	BetweenAtMost(ctx context.Context, limit int, name string, tags map[string]string, from, to time.Time) ([]reading.Reading, error)
	// Latest returns the newest reading of every series of the measurement
	// that is not older than since.
	Latest(ctx context.Context, name string, since time.Time) ([]reading.Reading, error)
	// Aggregate calls fn with the windows of q that have values: those of one
	// series and field in order, in one call or several. For calendar days it
	// may give shorter windows, none of which lies in two days.
	Aggregate(ctx context.Context, q Query, fn func(tags map[string]string, field string, ws []Window) error) error
	// Extents returns the measurements that have readings with
	// from <= time < to, by name.
	Extents(ctx context.Context, from, to time.Time) ([]Extent, error)
	// DeleteRange deletes the readings of a measurement with from <= time < to,
	// of all series that have the tags. An error may leave a part deleted.
	DeleteRange(ctx context.Context, name string, tags map[string]string, from, to time.Time) error
	Ping(context.Context) error
	Close() error
}

// Store is both databases. It is safe for concurrent use.
type Store struct {
	Series
	read, write *sql.DB // the same pool for PostgreSQL; SQLite writes on one connection
	dialect     Dialect
}

// Dialect is what differs between the two SQL databases.
type Dialect int

const (
	Postgres Dialect = iota
	SQLite
)

// New returns a Store over opened databases. It does no I/O.
func New(s Series, read, write *sql.DB, d Dialect) *Store {
	return &Store{Series: s, read: read, write: write, dialect: d}
}
