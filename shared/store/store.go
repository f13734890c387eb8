// Package store is hearth's store: readings in a time series database, everything else
// in SQL tables. It uses InfluxDB and PostgreSQL. Package sqlite has the same Store in
// one SQLite file.
package store

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/secret"
)

// Errors that callers act on; compare with errors.Is. Every other error means that the
// store cannot be reached, or that its schema is too new for this program.
var (
	ErrNotMigrated = errors.New("the database is not migrated: run hearth migrate")
	ErrRunning     = errors.New("already running")
	ErrFenced      = errors.New("the lease was lost to a later run")
	ErrUnstorable  = errors.New("cannot be stored")                // a retry fails too
	ErrTooMany     = errors.New("too much data for one answer")    // ask for a shorter span
	ErrFull        = errors.New("the table has no room for a row") // a table that users fill has a cap
)

// Config names InfluxDB and PostgreSQL.
type Config struct {
	Influx   Influx
	Database secret.String `env:"DATABASE_URL_SECRET" envDefault:"database-url"` // secret with the PostgreSQL URL: postgres://user:password@host:5432/db
}

// Influx is an InfluxDB 2 (or 1.8, bucket "db/rp").
type Influx struct {
	URL    string        `env:"INFLUX_URL"`                                    // address of InfluxDB, such as http://influxdb:8086
	Org    string        `env:"INFLUX_ORG" envDefault:"home"`                  // organization
	Bucket string        `env:"INFLUX_BUCKET" envDefault:"home"`               // bucket that hearth owns. InfluxDB 1.8: database/policy; the database must have no other policy, because 1.8 would delete in all of them: hearth then deletes nothing
	Token  secret.String `env:"INFLUX_TOKEN_SECRET" envDefault:"influx-token"` // secret with a token that may read, write and delete in the bucket
	CA     secret.String `env:"INFLUX_CA_SECRET" envDefault:"influx-ca"`       // secret with the certificate (PEM) of the authority that signed InfluxDB's; empty: the system's authorities
}

// Series stores readings. A nil error from Write means that all are stored. Write is
// idempotent: readings of the same series and time are one point, with the fields of
// all, and the later value of a field wins.
type Series interface {
	Write(context.Context, []reading.Reading) error
	// BetweenAtMost returns the readings of one measurement with
	// from <= time < to, ordered by series and time. With tags, only series that
	// have all of them. More than limit readings are ErrTooMany.
	BetweenAtMost(ctx context.Context, limit int, name string, tags map[string]string, from, to time.Time) ([]reading.Reading, error)
	// Latest returns the newest reading of every series of the measurement
	// that is not older than since.
	Latest(ctx context.Context, name string, since time.Time) ([]reading.Reading, error)
	// Aggregate calls fn with the windows of q that have values. The windows of
	// one series and field come in order, in one call or several. For calendar
	// days they may be shorter; each of them lies within one day.
	Aggregate(ctx context.Context, q Query, fn func(tags map[string]string, field string, ws []Window) error) error
	// Extents returns the measurements that have readings with
	// from <= time < to, by name.
	Extents(ctx context.Context, from, to time.Time) ([]Extent, error)
	// DeleteRange deletes the readings of a measurement with from <= time < to,
	// of all series that have the tags. After an error, some may be deleted.
	DeleteRange(ctx context.Context, name string, tags map[string]string, from, to time.Time) error
	rollups
	Ping(context.Context) error
	Close() error
}

// Store holds both databases. It is safe for concurrent use.
type Store struct {
	Series
	read, write *sql.DB // the same pool for PostgreSQL; SQLite writes on one connection
	dialect     Dialect
	queued      atomic.Int64
}

// Dialect is the SQL dialect of the tables' database.
type Dialect int

const (
	Postgres Dialect = iota
	SQLite
)

// New returns a Store of open databases, which Store.Close closes. It does no I/O.
func New(s Series, read, write *sql.DB, d Dialect) *Store {
	return &Store{Series: s, read: read, write: write, dialect: d}
}
