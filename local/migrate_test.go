package local

import (
	"bytes"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/testserver"
)

// TestMigrateDoesWhatIsConfigured: with one of the databases it migrates that one, with both
// both. Without INFLUX_ADMIN_TOKEN it says in a line what follows.
func TestMigrateDoesWhatIsConfigured(t *testing.T) {
	_, database := testserver.OwnPostgres(t)
	_, influx, bucket := testserver.OwnInflux(t)
	const upToDate, missing = "PostgreSQL is up to date.", "InfluxDB: INFLUX_ADMIN_TOKEN is not set"
	bucket = strings.TrimSuffix(bucket, "/autogen") + "x"
	postgres, series := "DATABASE_URL="+database, []string{"INFLUX_URL=" + influx, "INFLUX_BUCKET=" + bucket, "INFLUX_TOKEN=token-of-functions"}
	both, admin := append([]string{postgres}, series...), "INFLUX_ADMIN_TOKEN=token-of-admin"
	res, err := http.PostForm(influx+"/query", url.Values{"q": {`CREATE DATABASE "` + bucket + `"`}})
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatal(res, err)
	}
	res.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	for _, tc := range []struct {
		name    string
		environ []string
		want    []string
		lines   int
	}{
		{"only PostgreSQL", []string{postgres, admin}, []string{upToDate}, 1},
		{"only InfluxDB", series, []string{missing, bucket + "_5m", "nothing is rolled up and no reading expires"}, 1},
		{"both, without a token", both, []string{upToDate, missing}, 2},
		{"both", append(both, admin), []string{upToDate, bucket + "_5m was created", bucket + "_1h was created", "GRANT ALL", "INFLUX_TOKEN may do that already"}, 9},
		{"both, again", append(both, admin), []string{upToDate, bucket + "_5m is there", bucket + "_1h is there", "INFLUX_TOKEN may do that already"}, 8},
	} {
		var out bytes.Buffer
		h := tinyInstallation(t, tc.environ...)
		if err := h.Migrate(t.Context(), &out); err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
		for _, want := range tc.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s:\n%s\nwant %q", tc.name, &out, want)
			}
		}
		if strings.Count(out.String(), "\n") != tc.lines || strings.Contains(out.String(), "token-of") || strings.Contains(out.String(), testserver.PostgresPassword) {
			t.Errorf("%s: want %d lines without a secret:\n%s", tc.name, tc.lines, &out)
		}
	}
	st, err := store.Open(t.Context(), store.Config{Influx: store.Influx{URL: influx, Org: "home", Bucket: bucket}, Database: tinyInstallation(t, both...).env().Secrets.Get("database-url")})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if err := st.ReadyForRollups(t.Context()); err != nil {
		t.Error(err)
	}
}

// A server that is down is an error after PostgreSQL is migrated, unless no token asks for
// buckets.
func TestMigrateWithInfluxDBAway(t *testing.T) {
	_, database := testserver.OwnPostgres(t)
	environ := []string{"DATABASE_URL=" + database, "INFLUX_URL=http://127.0.0.1:1", "INFLUX_TOKEN=token-of-functions"}
	var out bytes.Buffer
	if err := tinyInstallation(t, environ...).Migrate(t.Context(), &out); err != nil || !strings.Contains(out.String(), "INFLUX_ADMIN_TOKEN is not set") {
		t.Errorf("%v %s", err, &out)
	}
	out.Reset()
	err := tinyInstallation(t, append(environ, "INFLUX_ADMIN_TOKEN=token-of-admin")...).Migrate(t.Context(), &out)
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") || out.String() != "PostgreSQL is up to date.\n" {
		t.Errorf("%v %s", err, &out)
	}
}

// The token that may create buckets goes to no function, no file and no log.
func TestTheTokenOfTheAdministratorStaysHere(t *testing.T) {
	r := launch(t, repository(t), "INFLUX_ADMIN_TOKEN=token-of-admin", "PORT=0")
	env := r.env
	if _, ok := env.Vars[adminVariable]; ok {
		t.Error("it is a variable of the platform's environment")
	}
	if text := r.redact("x token-of-admin y"); strings.Contains(text, "token-of-admin") {
		t.Errorf("it is not redacted: %s", text)
	}
	if err := filepath.WalkDir(r.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if b, err := os.ReadFile(path); err == nil && bytes.Contains(b, []byte("token-of-admin")) {
			t.Errorf("it is in %s", path)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	if r.has("token-of-admin") || r.has("INFLUX_ADMIN_TOKEN") {
		t.Errorf("it is in the log:\n%s", r.logs)
	}
	names, err := os.ReadFile("../stack.yml")
	if err != nil || strings.Contains(string(names), adminSecret) {
		t.Errorf("a function has the secret %s, %v", adminSecret, err)
	}
}
