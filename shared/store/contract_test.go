package store_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
	"github.com/hearth-home/hearth/shared/testserver"
)

// noon is the time of most readings in these tests.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 123_456_000, time.UTC)

// backends opens an empty store of every kind. All pass the same tests.
var backends = []struct {
	name string
	open func(testing.TB) *store.Store
}{
	{"sqlite", openSQLite},
	{"influx1", func(t testing.TB) *store.Store {
		url, bucket := testserver.Influx(t)
		return openServers(t, store.Influx{URL: url, Org: "home", Bucket: bucket, Token: planted(t, "influx-token", "any:any-token")})
	}},
	{"influx2", openInflux2},
}

// each runs a test against every backend.
func each(t *testing.T, test func(*testing.T, *store.Store)) {
	t.Helper()
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			if b.name == "influx2" && os.Getenv("HEARTH_TEST_INFLUX2_URL") == "" {
				t.Skip("make test-influx2 runs it on a real InfluxDB 2")
			}
			test(t, b.open(t))
		})
	}
}

func openSQLite(t testing.TB) *store.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "a folder?", "hearth #1.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// openInflux2 uses a real InfluxDB 2. All tests share its buckets, so each test uses
// measurements with names of its own.
func openInflux2(t testing.TB) *store.Store {
	return openServers(t, store.Influx{
		URL: os.Getenv("HEARTH_TEST_INFLUX2_URL"), Org: os.Getenv("HEARTH_TEST_INFLUX2_ORG"), Bucket: os.Getenv("HEARTH_TEST_INFLUX2_BUCKET"),
		Token: planted(t, "influx-token", os.Getenv("HEARTH_TEST_INFLUX2_TOKEN")),
	})
}

func openServers(t testing.TB, i store.Influx) *store.Store {
	t.Helper()
	database := planted(t, "database-url", testserver.Postgres(t))
	if err := store.Migrate(t.Context(), database); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), store.Config{Influx: i, Database: database})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// planted returns a secret with that value.
func planted(t testing.TB, name, value string) secret.String {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(value+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return secret.NewFolder(dir).Get(name)
}
