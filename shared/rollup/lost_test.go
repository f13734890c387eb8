package rollup

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/testserver"
)

// Somebody deletes a bucket of roll-ups and creates it again, as hearth migrate does, or
// moves to a new InfluxDB with the readings alone.
func TestLostRollupsAreMadeAgainBeforeReadingsAreDeleted(t *testing.T) {
	for _, lost := range []time.Duration{store.FiveMinutes, store.Hour} {
		t.Run(lost.String(), func(t *testing.T) {
			address, bucket := testserver.Influx(t)
			h := &house{T: t, place: servers(t, address, bucket, testserver.Postgres(t))}
			h.reopen()
			begin := noon.Add(-20 * day)
			h.write(series(daysKept, "pi", begin, noon, 50*time.Minute))
			h.tick(noon)
			h.same(store.Hour, daysKept, begin, dueAt(noon))
			db, _, _ := strings.Cut(bucket, "/")
			db += map[time.Duration]string{store.FiveMinutes: "_5m", store.Hour: "_1h"}[lost]
			for _, statement := range []string{`DROP DATABASE "` + db + `"`, `CREATE DATABASE "` + db + `"`} {
				res, err := http.PostForm(address+"/query", url.Values{"q": {statement}})
				if err != nil || res.StatusCode != http.StatusOK {
					t.Fatal(res, err)
				}
				text, err := io.ReadAll(res.Body)
				if res.Body.Close(); err != nil || strings.Contains(string(text), "error") {
					t.Fatalf("%s: %s", text, err)
				}
			}
			h.tick(noon.Add(2 * time.Hour))
			if before, _ := h.counts(daysKept, noon.Add(-14*day).Truncate(day)); before > 0 {
				t.Errorf("%d readings are left that expired", before)
			}
			h.same(lost, daysKept, begin, dueAt(noon))
		})
	}
}
