package store_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/testserver"
)

// migrated calls MigrateInflux and returns its messages as one text. It fails if a token is in
// it.
func migrated(t *testing.T, c store.Influx, admin string) (string, error) {
	t.Helper()
	said, err := store.MigrateInflux(t.Context(), c, secret.InMemory(map[string]string{"admin": admin}, nil).Get("admin"))
	text := strings.Join(said, "\n")
	for _, hidden := range []string{admin, c.Token.Reveal(), testserver.InfluxPassword, "very-secret"} {
		if hidden != "" && (strings.Contains(text, hidden) || err != nil && strings.Contains(err.Error(), hidden)) {
			t.Errorf("it tells %q: %s, %v", hidden, text, err)
		}
	}
	return text, err
}

// says fails unless the text contains every want.
func says(t *testing.T, text string, err error, want ...string) {
	t.Helper()
	if err != nil {
		text += "\n" + err.Error()
	}
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("%s\nwant %q", text, w)
		}
	}
}

// influxQL runs a statement without a login and returns the answer.
func influxQL(t *testing.T, server, statement string) string {
	t.Helper()
	res, err := http.PostForm(server+"/query", url.Values{"q": {statement}})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || strings.Contains(string(b), `"error"`) {
		t.Fatalf("%s: %d %s %v", statement, res.StatusCode, b, err)
	}
	return string(b)
}

// Every form of a bucket of 1.8: a database and its default policy, or one of its policies.
func TestMigrateInfluxCreatesTheBucketsIn18(t *testing.T) {
	server, own := database(t)
	for bucket, statement := range map[string]string{
		own + "plain": `CREATE DATABASE "` + own + `plain"`, own + "default/autogen": `CREATE DATABASE "` + own + `default"`, own + " house/for ever": `CREATE DATABASE "` + own + ` house" WITH DURATION INF NAME "for ever"`,
	} {
		influxQL(t, server, statement)
		db, _, _ := strings.Cut(bucket, "/")
		five, hour := strings.Replace(bucket, db, db+"_5m", 1), strings.Replace(bucket, db, db+"_1h", 1)
		c := store.Influx{URL: server, Org: "home", Bucket: bucket, Token: planted(t, "influx-token", "hearth:any-token")}
		text, err := migrated(t, c, "")
		says(t, text, err, "INFLUX_ADMIN_TOKEN is not set", "nothing is rolled up and no reading expires", five, hour)
		if err != nil || strings.Contains(text, "\n") || strings.Contains(influxQL(t, server, "SHOW DATABASES"), db+"_5m") {
			t.Errorf("%s without a token: %v %s", bucket, err, text)
		}
		text, err = migrated(t, c, "any")
		says(t, text, err, "the bucket "+five+" was created", "the bucket "+hour+" was created", "docs/history.md", `GRANT ALL ON "`+db+`_5m" TO "hearth"`, "INFLUX_TOKEN may do that already")
		if err != nil || strings.Contains(text, "Warning") {
			t.Errorf("%s: %v %s", bucket, err, text)
		}
		if err := roundTrip(t, c); err != nil {
			t.Errorf("%s: %v", bucket, err)
		}
		before := influxQL(t, server, `SHOW RETENTION POLICIES ON "`+db+`_5m"`) + influxQL(t, server, "SHOW DATABASES")
		text, err = migrated(t, c, "any")
		says(t, text, err, "the bucket "+five+" is there", "the bucket "+hour+" is there")
		if after := influxQL(t, server, `SHOW RETENTION POLICIES ON "`+db+`_5m"`) + influxQL(t, server, "SHOW DATABASES"); err != nil || after != before || !strings.Contains(before, `"0s"`) || strings.Contains(text, "created") {
			t.Errorf("%s: %v %s\n%s\n%s", bucket, err, text, before, after)
		}
		text, err = migrated(t, c, "")
		says(t, text, err, "the buckets "+five+" and "+hour+" are there, and the functions may use them")
	}
}

// An InfluxDB that cannot be reached, and one that refuses the token, are not one without
// buckets.
func TestMigrateInfluxWithoutAdminSaysWhatIsWrong(t *testing.T) {
	for _, tc := range []struct {
		status int // 0: nobody listens
		want   string
	}{{0, "connection refused"}, {http.StatusUnauthorized, "InfluxDB does not accept INFLUX_TOKEN"}} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if w.Header().Set("X-Influxdb-Version", "1.8.10"); r.URL.Path == "/ping" {
				w.WriteHeader(http.StatusNoContent)
				return
			}
			w.WriteHeader(tc.status)
		}))
		defer server.Close()
		if tc.status == 0 {
			server.Close()
		}
		text, err := migrated(t, store.Influx{URL: server.URL, Org: "home", Bucket: "home", Token: planted(t, "influx-token", "hearth:very-secret")}, "")
		says(t, text, err, "INFLUX_ADMIN_TOKEN is not set", "no reading expires", tc.want)
	}
}

// database returns an InfluxDB 1.8 without a login, and a beginning of names that nobody else uses.
func database(t *testing.T) (server, prefix string) {
	t.Helper()
	server, bucket := testserver.Influx(t)
	return server, strings.TrimSuffix(bucket, "/autogen") + "x"
}

// roundTrip stores a roll-up in each of the buckets and reads it back.
func roundTrip(t *testing.T, c store.Influx) error {
	i, err := store.OpenInflux(c)
	if err != nil {
		return err
	}
	defer i.Close()
	return i.ReadyForRollups(t.Context())
}

func TestMigrateInfluxTwiceAtOnce(t *testing.T) {
	server, own := database(t)
	influxQL(t, server, `CREATE DATABASE "`+own+`home"`)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if text, err := migrated(t, store.Influx{URL: server, Org: "home", Bucket: own + "home", Token: planted(t, "influx-token", "x:any-token")}, "any"); err != nil {
				t.Errorf("%v %s", err, text)
			}
		})
	}
	wg.Wait()
	if text := influxQL(t, server, "SHOW DATABASES"); strings.Count(text, own+"home") != 3 {
		t.Error(text)
	}
}

// What somebody else has made stays as it is, and what is wrong with it is told.
func TestMigrateInfluxChangesNoBucketOf18(t *testing.T) {
	server, own := database(t)
	c := store.Influx{URL: server, Org: "home", Bucket: own + "house/months", Token: planted(t, "influx-token", "x:any-token")}
	text, err := migrated(t, c, "any")
	says(t, text, err, "InfluxDB has no bucket "+own+"house/months", `CREATE DATABASE "`+own+`house" WITH DURATION INF REPLICATION 1 NAME "months"`)
	if err == nil {
		t.Error("a missing bucket is no error")
	}
	influxQL(t, server, `CREATE DATABASE "`+own+`house" WITH DURATION 60d NAME "months"`)
	influxQL(t, server, `CREATE DATABASE "`+own+`house_5m"`)
	text, err = migrated(t, c, "any")
	says(t, text, err, "the database "+own+"house_5m has no retention policy months", `CREATE RETENTION POLICY "months" ON "`+own+`house_5m" DURATION INF REPLICATION 1`)
	if err == nil {
		t.Error("a missing policy is no error")
	}
	influxQL(t, server, `CREATE RETENTION POLICY "months" ON "`+own+`house_5m" DURATION 36h REPLICATION 1`)
	policies := influxQL(t, server, `SHOW RETENTION POLICIES ON "`+own+`house_5m"`) + influxQL(t, server, `SHOW RETENTION POLICIES ON "`+own+`house"`)
	text, err = migrated(t, c, "any")
	says(t, text, err, "deletes what is older than 60 days in the bucket "+own+"house/months", `ALTER RETENTION POLICY "months" ON "`+own+`house" DURATION INF`,
		"deletes what is older than 36h0m0s in the bucket "+own+"house_5m/months", "the database "+own+"house_5m has 2 retention policies", own+"house_1h/months was created")
	if now := influxQL(t, server, `SHOW RETENTION POLICIES ON "`+own+`house_5m"`) + influxQL(t, server, `SHOW RETENTION POLICIES ON "`+own+`house"`); err != nil || now != policies || strings.Count(text, "Warning") != 3 {
		t.Errorf("%v %s\n%s\n%s", err, text, policies, now)
	}
}

// A server that requires a login: the administrator creates, the functions' user is asked for
// its rights, and the printed commands give them.
func TestMigrateInfluxWithALoginIn18(t *testing.T) {
	server, do := testserver.InfluxWithLogin(t)
	do(`CREATE DATABASE "home"`)
	do(`CREATE USER "hearth" WITH PASSWORD 'very-secret-of-hearth'`)
	c := store.Influx{URL: server, Org: "home", Bucket: "home", Token: planted(t, "influx-token", "hearth:very-secret-of-hearth")}
	for admin, want := range map[string]string{"admin:wrong": "InfluxDB answered 401", "nobody": "InfluxDB answered 401", "hearth:very-secret-of-hearth": "InfluxDB has no bucket home"} {
		text, err := migrated(t, c, admin)
		says(t, text, err, want)
		if err == nil {
			t.Errorf("%s is accepted", admin)
		}
	}
	do(`GRANT READ ON "home" TO "hearth"`)
	text, err := migrated(t, c, "hearth:very-secret-of-hearth")
	says(t, text, err, "InfluxDB answered 403", "INFLUX_ADMIN_TOKEN is wrong or may not do that", "user:password of an administrator")
	if err == nil {
		t.Error("who is no administrator creates databases")
	}
	text, err = migrated(t, c, "admin:"+testserver.InfluxPassword)
	says(t, text, err, "home_5m was created", "INFLUX_TOKEN may not write home, read and write home_5m, read and write home_1h. Give it that right")
	if err != nil {
		t.Error(err)
	}
	text, err = migrated(t, c, "")
	says(t, text, err, "INFLUX_ADMIN_TOKEN is not set")
	if err != nil {
		t.Error(err)
	}
	for line := range strings.Lines(text) {
		if statement := strings.TrimSpace(line); strings.HasPrefix(statement, "GRANT") {
			t.Errorf("without a token: %s", statement)
		}
	}
	text, _ = migrated(t, c, "admin:"+testserver.InfluxPassword)
	grants := slices.DeleteFunc(strings.Split(text, "\n"), func(l string) bool { return !strings.HasPrefix(l, "  GRANT") })
	for _, g := range grants {
		do(g)
	}
	text, err = migrated(t, c, "admin:"+testserver.InfluxPassword)
	says(t, text, err, "INFLUX_TOKEN may do that already")
	if err != nil || len(grants) != 3 {
		t.Errorf("%v, %q", err, grants)
	}
	c.Token = planted(t, "influx-token", "hearth:very-secret-of-another")
	text, err = migrated(t, c, "admin:"+testserver.InfluxPassword)
	says(t, text, err, "InfluxDB does not accept INFLUX_TOKEN")
	if err != nil {
		t.Error(err)
	}
}
