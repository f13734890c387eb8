package e2e

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openfaas/go-sdk/stack"

	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/testserver"
)

// surroundings are what a function finds in a house: databases, its upstream,
// its secrets and its settings.
type surroundings struct {
	vars    map[string]string
	planted []string // the values of its secrets, which nobody must see
	store   *gate    // in front of PostgreSQL
}

// settings are what a person would have to decide: targets. The rest is in
// stack.yml.
var settings = map[string]map[string]string{
	"weather": {"WEATHER_PLACES": "home:52.52,13.41"},
}

// databases starts PostgreSQL, migrated, and InfluxDB; the same for all functions.
func databases(t *testing.T) (postgres *url.URL, influx, bucket string) {
	t.Helper()
	u, err := url.Parse(testserver.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	influx, bucket = testserver.Influx(t)
	dir := t.TempDir()
	plant(t, dir, "database-url", u.String())
	if err := store.Migrate(t.Context(), secret.NewFolder(dir).Get("database-url")); err != nil {
		t.Fatal(err)
	}
	return u, influx, bucket
}

func surround(t *testing.T, f stack.Function) surroundings {
	t.Helper()
	postgres, influx, bucket := databases(t)
	g := newGate(t, postgres.Host)
	postgres.Host = g.addr
	dir := t.TempDir()
	s := surroundings{vars: maps.Clone(f.Environment), store: g}
	for _, name := range f.Secrets {
		value := "planted-" + name + "-7d1f"
		if name == "database-url" {
			value = postgres.String()
		}
		plant(t, dir, name, value+"\n")
		s.planted = append(s.planted, value)
	}
	open(t, dir)
	up := upstream(t, f)
	maps.Copy(s.vars, settings[f.Name])
	for k, v := range s.vars {
		s.vars[k] = strings.ReplaceAll(v, "https://", up+"/")
	}
	s.vars["INFLUX_URL"], s.vars["INFLUX_BUCKET"], s.vars["secret_mount_path"] = influx, bucket, dir
	return s
}

func plant(t *testing.T, dir, name, value string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(value), 0o444); err != nil {
		t.Fatal(err)
	}
}

// upstream answers http://…/<host>/<path> with the function's sample of that
// host and path.
func upstream(t *testing.T, f stack.Function) string {
	t.Helper()
	dir := filepath.Join(f.Handler, "sample")
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, ext := range []string{"", ".json", ".xml"} {
			if b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(r.URL.Path)+ext)); err == nil {
				w.Write(b)
				return
			}
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}
