package history

import (
	"errors"
	"net/url"
	"testing"
	"time"
)

func values(t testing.TB, query string) url.Values {
	t.Helper()
	q, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func escapedKey(measurement, field string, tags map[string]string) string {
	return url.QueryEscape(Series{Measurement: measurement, Field: field, Tags: tags}.Key())
}

// FuzzParseRequest shows that a query is read or refused, and that what is read has bounds.
func FuzzParseRequest(f *testing.F) {
	for _, q := range []string{
		"series=air.co2_ppm,device=office-air&span=day", `series=stock_quote.price_usd,symbol=BRK\.B&from=2026-11-01&to=2026-11-27T03:12`, "series=a.b&series=c.d&at=2026-11-27T03:12:00Z&view=guest",
		"series=%22%29%20%7C%3E%20drop%28%29.x", "series=air.co2_ppm&span='; drop table alerts; --", "series=x.y,a\\,b=c", "from=1900-01-01&to=2200-12-31&series=a.b",
	} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, query string) {
		q, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		r, err := ParseRequest(q, now, time.UTC)
		if err != nil {
			if refused, ok := errors.AsType[*Refused](err); !ok || refused.Status/100 != 4 || len(refused.Text) > 500 {
				t.Errorf("%q: %v", query, err)
			}
			return
		}
		if len(r.Series) == 0 || len(r.Series) > maxSeries {
			t.Errorf("%q: %d series", query, len(r.Series))
		}
		for _, s := range r.Series {
			again, err := parseKey(s.Key())
			if err != nil || again.Key() != s.Key() {
				t.Errorf("%q: %+v is read back as %+v, %v", query, s, again, err)
			}
		}
		if !r.from.IsZero() && (r.to.Sub(r.from) < minSpan || r.to.Sub(r.from) > maxSpan) {
			t.Errorf("%q: from %s to %s", query, r.from, r.to)
		}
	})
}
