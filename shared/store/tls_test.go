//go:build unix

package store_test

import (
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/testserver"
	"github.com/hearth-home/hearth/shared/testserver/authority"
)

// TestInfluxDBWithAnAuthorityOfOnesOwn: a real InfluxDB behind TLS. A certificate that
// cannot be verified is named, with the setting to change.
func TestInfluxDBWithAnAuthorityOfOnesOwn(t *testing.T) {
	plain, bucket := testserver.Influx(t)
	home, stranger := authority.New(t, "home"), authority.New(t, "stranger")
	pem := func(a *authority.Authority) string {
		b, err := os.ReadFile(a.File)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	secure := func(change func(*x509.Certificate)) string {
		return "https://" + home.Front(t, strings.TrimPrefix(plain, "http://"), change)
	}
	good := secure(nil)
	for _, tc := range []struct{ name, url, ca, want string }{
		{"good", good, pem(home), ""},
		{"good, of two", good, pem(stranger) + pem(home), ""},
		{"another authority", good, pem(stranger), "is not signed by an authority in the secret influx-ca (INFLUX_CA_FILE in .env)"},
		{"no authority", good, "", "set the secret influx-ca (INFLUX_CA_FILE in .env) to the authority's certificate"},
		{"expired", secure(func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().AddDate(0, 0, -9), time.Now().AddDate(0, 0, -1) // clock: certificates are verified by the real one
		}), pem(home), "expired at"},
		{"another name", secure(func(c *x509.Certificate) { c.IPAddresses = nil }), pem(home), "use a name in INFLUX_URL that is in the certificate (broker.home)"},
		{"no certificate", good, "hello", "the secret influx-ca (INFLUX_CA_FILE in .env) contains no certificate"},
		{"no TLS", plain, pem(home), "INFLUX_URL begins with http://"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			i, err := store.OpenInflux(store.Influx{URL: tc.url, Org: "home", Bucket: bucket, Token: planted(t, "influx-token", "tok-very-secret"), CA: planted(t, "influx-ca", tc.ca)})
			if err == nil {
				t.Cleanup(func() { i.Close() })
				err = i.Write(t.Context(), []reading.Reading{{Name: "air", Fields: map[string]float64{"co2_ppm": 420}, Time: noon}})
			}
			if err == nil {
				err = i.Ping(t.Context())
			}
			if err == nil {
				_, err = i.Latest(t.Context(), "air", noon.Add(-time.Hour))
			}
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "tok-very-secret")) {
				t.Errorf("%v, want %q", err, tc.want)
			}
		})
	}
}

// TestPostgreSQLWithAnAuthorityOfOnesOwn: DATABASE_URL names the authority's certificate.
func TestPostgreSQLWithAnAuthorityOfOnesOwn(t *testing.T) {
	home, stranger := authority.New(t, "home"), authority.New(t, "stranger")
	server, plain := testserver.OwnPostgres(t)
	secure(t, server, plain, home)
	for authorities, want := range map[string]string{
		"&sslrootcert=" + home.File:     store.ErrNotMigrated.Error(), // it is connected
		"&sslrootcert=" + stranger.File: "is not signed by an authority in sslrootcert in the secret database-url",
		"":                              "set sslrootcert in the secret database-url to the authority's certificate",
	} {
		database := strings.Replace(plain, "sslmode=disable", "sslmode=verify-full"+authorities, 1)
		_, err := store.Open(t.Context(), store.Config{Influx: store.Influx{URL: "http://127.0.0.1:1"}, Database: planted(t, "database-url", database)})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), testserver.PostgresPassword) {
			t.Errorf("%s: %v, want %q", authorities, err, want)
		}
	}
}

// secure makes a PostgreSQL speak TLS, with a certificate of home.
func secure(t *testing.T, s *testserver.Server, url string, home *authority.Authority) {
	t.Helper()
	cert, key := home.Server(t, nil)
	info, err := os.Stat(s.Dir)
	if err != nil {
		t.Fatal(err)
	}
	owner := info.Sys().(*syscall.Stat_t)
	for name, from := range map[string]string{"server.pem": cert, "server.key": key} {
		b, err := os.ReadFile(from)
		to := filepath.Join(s.Dir, name)
		if err = errors.Join(err, os.WriteFile(to, b, 0o600), os.Chown(to, int(owner.Uid), int(owner.Gid))); err != nil {
			t.Fatal(err)
		}
	}
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	for _, query := range []string{"alter system set ssl_cert_file = '" + s.Dir + "/server.pem'", "alter system set ssl_key_file = '" + s.Dir + "/server.key'", "alter system set ssl = on", "select pg_reload_conf()"} {
		if _, err := c.Exec(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) { // until the server has read it
		try, err := pgx.Connect(t.Context(), strings.Replace(url, "sslmode=disable", "sslmode=require", 1))
		if err == nil {
			try.Close(t.Context())
			return
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}
