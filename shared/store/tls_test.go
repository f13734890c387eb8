package store_test

import (
	"crypto/x509"
	"os"
	"strings"
	"testing"
	"time"

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
			c.NotBefore, c.NotAfter = time.Now().AddDate(0, 0, -9), time.Now().AddDate(0, 0, -1)
		}), pem(home), "expired at"},
		{"another name", secure(func(c *x509.Certificate) { c.IPAddresses = nil }), pem(home), "use a name in INFLUX_URL that is in the certificate (broker.home)"},
		{"no certificate", good, "hello", "the secret influx-ca (INFLUX_CA_FILE in .env) contains no certificate"},
		{"no TLS", plain, pem(home), "INFLUX_URL begins with http://"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			i, err := store.OpenInflux(store.Influx{URL: tc.url, Org: "home", Bucket: bucket, Token: planted(t, "influx-token", "tok-very-secret"), CA: planted(t, "influx-ca", tc.ca)})
			if err == nil {
				t.Cleanup(func() { i.Close() })
				err = i.Write(t.Context(), []reading.Reading{{Name: "air", Fields: map[string]float64{"co2_ppm": 420}, Time: time.Now().UTC()}})
			}
			if err == nil {
				err = i.Ping(t.Context())
			}
			if err == nil {
				_, err = i.Latest(t.Context(), "air", time.Now().Add(-time.Hour))
			}
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "tok-very-secret")) {
				t.Errorf("%v, want %q", err, tc.want)
			}
		})
	}
}
