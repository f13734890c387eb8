package e2e

import (
	"io/fs"
	"maps"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/openfaas/go-sdk/stack"

	"github.com/hearth-home/hearth/local/dotenv"
	"github.com/hearth-home/hearth/local/sample"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/testserver"
)

// fixture is the environment that a test gives a function: databases, a sample
// upstream, secrets and settings.
type fixture struct {
	vars    map[string]string
	planted []string // the values of its secrets, which must not be logged
	store   *gate    // in front of PostgreSQL
}

// databases starts a migrated PostgreSQL and InfluxDB. All functions share them.
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

func newFixture(t *testing.T, f stack.Function) fixture {
	t.Helper()
	postgres, influx, bucket := databases(t)
	g := newGate(t, postgres.Host)
	postgres.Host = g.addr
	dir := t.TempDir()
	s := fixture{vars: maps.Clone(f.Environment), store: g}
	for _, name := range f.Secrets {
		value := planted(name)
		switch name {
		case "database-url":
			value = postgres.String()
		case "influx-ca": // a certificate, which a server without TLS has not
			plant(t, dir, name, "")
			continue
		}
		plant(t, dir, name, value+"\n")
		s.planted = append(s.planted, value)
	}
	open(t, dir)
	up := upstream(t, f)
	sampled, err := dotenv.Load(filepath.Join(f.Handler, "sample", "env"), nil) // settings without a default, such as targets
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(s.vars, sampled)
	for k, v := range s.vars {
		s.vars[k] = sample.Redirect(v, up, f.Name)
		if strings.HasSuffix(k, "_PAUSE") { // the pause between two calls of a real upstream
			s.vars[k] = "1ms"
		}
	}
	s.vars["INFLUX_URL"], s.vars["INFLUX_BUCKET"], s.vars["secret_mount_path"] = influx, bucket, dir
	return s
}

// planted returns the value of a secret.
func planted(name string) string { return "planted-" + name + "-7d1f" }

func plant(t *testing.T, dir, name, value string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(value), 0o444); err != nil {
		t.Fatal(err)
	}
}

// upstream serves the answers in the function's folder sample/ and returns its address.
func upstream(t *testing.T, f stack.Function) string {
	t.Helper()
	folders := map[string]fs.FS{f.Name: os.DirFS(filepath.Join(f.Handler, "sample"))}
	s := httptest.NewServer(sample.New(folders, time.Now))
	t.Cleanup(s.Close)
	return s.URL
}
