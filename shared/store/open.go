package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/hearth-home/hearth/shared/certificate"
	"github.com/hearth-home/hearth/shared/secret"
)

// Open returns a Store of InfluxDB and PostgreSQL. It connects to PostgreSQL and returns
// ErrNotMigrated if migrations are missing. No error contains a password or token.
func Open(ctx context.Context, c Config) (*Store, error) {
	series, err := openInflux(c.Influx)
	if err != nil {
		return nil, err
	}
	db, err := openPostgres(c.Database)
	if err != nil {
		return nil, errors.Join(err, series.Close())
	}
	if err := CheckVersion(ctx, db, Postgres); err != nil {
		return nil, errors.Join(explained(c.Database, err), db.Close(), series.Close())
	}
	return New(series, db, db, Postgres), nil
}

// explained returns err, or what to do about a certificate of the server.
func explained(database secret.String, err error) error {
	c, e := pgx.ParseConfig(database.Reveal())
	if e != nil {
		return err
	}
	name := "the secret " + database.Name()
	server := certificate.Server{Host: net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))), Address: name, Authority: "sslrootcert in " + name,
		Own: c.TLSConfig != nil && c.TLSConfig.RootCAs != nil}
	if text := server.Explain(err); text != "" {
		return fmt.Errorf("connect to PostgreSQL: %s", text)
	}
	return err
}

// openPostgres returns a pool for a function: few connections, closed soon when idle.
// It does no I/O.
func openPostgres(url secret.String) (*sql.DB, error) {
	text := url.Reveal()
	if text == "" {
		return nil, fmt.Errorf("the secret %q is missing: it holds the PostgreSQL URL", url.Name())
	}
	c, err := pgx.ParseConfig(text)
	if err != nil { // not wrapped: it may quote the password
		return nil, fmt.Errorf("the secret %q is not a PostgreSQL URL such as postgres://user:password@host:5432/home", url.Name())
	}
	c.ConnectTimeout = 5 * time.Second
	c.RuntimeParams["search_path"] = "hearth"
	c.RuntimeParams["application_name"] = "hearth"
	db := sql.OpenDB(stdlib.GetConnector(*c))
	db.SetMaxOpenConns(4)
	db.SetMaxIdleConns(2)
	db.SetConnMaxIdleTime(3 * time.Minute)
	db.SetConnMaxLifetime(30 * time.Minute)
	return db, nil
}

// Ping returns an error unless both databases answer.
func (s *Store) Ping(ctx context.Context) error {
	// A query, not PingContext, which fails once for each pooled connection after a
	// restart of the server.
	_, err := query(ctx, s, "ping the database", func(rows *sql.Rows) (one int, err error) {
		return one, rows.Scan(&one)
	}, `select 1`)
	if err != nil {
		return err
	}
	return s.Series.Ping(ctx)
}

// Close closes all connections.
func (s *Store) Close() error {
	return errors.Join(s.Series.Close(), s.read.Close(), s.write.Close())
}
