package local

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/testserver"
	"github.com/hearth-home/hearth/shared/testserver/authority"
)

// InfluxDB's certificate is of an authority of the house's own.
func TestRealDatabasesTakeThePlaceOfTheEmbeddedOne(t *testing.T) {
	_, database := testserver.OwnPostgres(t)
	_, influx, bucket := testserver.OwnInflux(t)
	home := authority.New(t, "home")
	environ := []string{"DATABASE_URL=" + database, "INFLUX_URL=https://" + home.Front(t, strings.TrimPrefix(influx, "http://"), nil), "INFLUX_CA_FILE=" + home.File, "INFLUX_BUCKET=" + bucket, "INFLUX_TOKEN=any-token-1", "PORT=0"}
	root := repository(t)
	r := launch(t, root, environ...)
	if code, body := r.call("POST", "/function/weather"); code != http.StatusServiceUnavailable || !strings.Contains(body, "hearth migrate") {
		t.Errorf("before hearth migrate: %d %s", code, body)
	}
	if err := r.Migrate(t.Context(), io.Discard); err != nil {
		t.Fatal(err)
	}
	if a := r.invoke(""); a.Status != "ok" || a.Stored != 2 {
		t.Errorf("without a restart: %+v, want 2 stored", a)
	}
	r.stop()
	r = launch(t, root, environ...)
	if a := r.invoke(""); a.Status != "ok" || a.Stored != 0 {
		t.Errorf("after a restart: %+v, want nothing new", a)
	}
	if _, body := r.call("GET", "/status"); !strings.Contains(body, "take an umbrella") || !strings.Contains(body, "12.5</b>") {
		t.Errorf("the page does not show what is stored:\n%s", body)
	}
	if r.has(testserver.PostgresPassword) || r.has("any-token-1") {
		t.Errorf("a secret is in the log:\n%s", r.logs)
	}
}

func TestAFileOfTheAuthorityThatCannotBeReadIsNamed(t *testing.T) {
	h, err := Open(repository(t), []string{"DATABASE_URL=postgres://x@127.0.0.1:1/home", "INFLUX_URL=https://127.0.0.1:1", "INFLUX_CA_FILE=nowhere.pem", "PORT=0"}, &testserver.Output{})
	if err == nil {
		err = h.Up(t.Context())
	}
	if err == nil || !strings.Contains(err.Error(), "INFLUX_CA_FILE: open nowhere.pem") {
		t.Errorf("%v, want the setting", err)
	}
}
