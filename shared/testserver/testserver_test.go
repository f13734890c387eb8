package testserver

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestPostgresKeepsItsDataAcrossAKill(t *testing.T) {
	s, url := OwnPostgres(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	run(t, ctx, url, "create table kept (id int); insert into kept values (7)")
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if c, err := pgx.Connect(ctx, url); err == nil {
		c.Close(ctx)
		t.Fatal("a killed server still answers")
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	run(t, ctx, url, "select 1 / (select count(*) from kept)")
}

func TestDatabasesAreFresh(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	a, b := Postgres(t), Postgres(t)
	run(t, ctx, a, "create table mine (id int)")
	run(t, ctx, b, "create table mine (id int)")
}

func TestInfluxComesBackAfterAKill(t *testing.T) {
	s, _, _ := OwnInflux(t)
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := influxQL(t.Context(), s.Addr, "SHOW DATABASES"); err == nil {
		t.Fatal("a killed server still answers")
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, ctx context.Context, url, text string) {
	t.Helper()
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	if _, err := c.Exec(ctx, text); err != nil {
		t.Fatal(err)
	}
}
