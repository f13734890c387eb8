package status

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

func TestACurveIsWholeAndInItsOrder(t *testing.T) {
	st := filled(t)
	want := []string{"1m", "1.5m", "2m", "3m", "4m", "6m", "1y", "2y", "3y", "5y", "7y", "10y", "20y", "30y"}
	var rs []reading.Reading
	for _, maturity := range want {
		rs = append(rs, reading.Reading{Name: "treasury_yield", Tags: map[string]string{"maturity": maturity}, Fields: map[string]float64{"yield_percent": 4}, Time: now})
	}
	if err := st.Write(t.Context(), rs); err != nil {
		t.Fatal(err)
	}
	srv := site(t, func(context.Context) (*store.Store, error) { return st, nil })
	var d Data
	if _, body := get(t, srv.URL+"/status.json"); json.Unmarshal([]byte(body), &d) != nil {
		t.Fatal(body)
	}
	var got []string
	for _, m := range d.Measurements {
		for _, s := range m.Series {
			if m.Name == "treasury_yield" {
				got = append(got, s.Label)
			}
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the curve is %v, want %v", got, want)
	}
}

func TestMeasurementsStandAsTheCatalogueHasThem(t *testing.T) {
	h := newFixture(t)
	var rs []reading.Reading
	for name, field := range map[string]string{"canary": "latency_seconds", "github_usage": "minutes_used", "outdoor_air": "us_aqi", "weather": "temperature_celsius", "stock_quote": "price_usd"} {
		rs = append(rs, reading.Reading{Name: name, Fields: map[string]float64{field: 1}, Time: h.now})
	}
	h.ok(h.st.Write(t.Context(), rs))
	var got []string
	for _, m := range h.data().Measurements {
		got = append(got, m.Name)
	}
	if want := "[weather outdoor_air stock_quote github_usage canary]"; fmt.Sprint(got) != want {
		t.Errorf("measurements are %v, want %v: what the house says of itself last", got, want)
	}
}

// TestASeriesOfTextsHasAnEmptyListOfValues: not null, over which a script stumbles.
func TestASeriesOfTextsHasAnEmptyListOfValues(t *testing.T) {
	m := catalogue.Measurement{Name: "x", Text: []string{"state"}}
	b, err := json.Marshal(seriesOf(m, reading.Reading{Name: "x", Text: map[string]string{"state": "on"}, Time: now}, graph{}))
	if err != nil || strings.Contains(string(b), "null") || !strings.Contains(string(b), `"values":[]`) {
		t.Errorf("%s, %v", b, err)
	}
}

// The yields of a Friday are of this Friday in every zone, whatever its time of day.
func TestADayIsTheSameInEveryZone(t *testing.T) {
	for _, tc := range []struct{ zone, now, age string }{
		{"America/Los_Angeles", "2026-11-21T01:00:00Z", "today"}, // Friday evening there
		{"America/Los_Angeles", "2026-11-21T09:00:00Z", "yesterday"},
		{"America/Los_Angeles", "2026-11-20T02:00:00Z", "today"}, // it is still Thursday there
		{"Pacific/Kiritimati", "2026-11-20T09:00:00Z", "today"},
		{"Pacific/Kiritimati", "2026-11-20T11:00:00Z", "yesterday"}, // Saturday has begun there
		{"Asia/Kolkata", "2026-11-23T14:00:00Z", "3 days ago"},
		{"Asia/Kolkata", "2026-11-23T19:00:00Z", "4 days ago"},
		{"", "2026-11-23T23:59:00Z", "3 days ago"},
	} {
		at, err := time.Parse(time.RFC3339, tc.now)
		h := fixtureAt(t, at)
		h.ok(err)
		friday := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
		var rs []reading.Reading
		for i := range 3 {
			for _, r := range []reading.Reading{
				{Name: "treasury_yield", Tags: map[string]string{"maturity": "10y"}, Fields: map[string]float64{"yield_percent": 4 + float64(i)}},
				{Name: "github_usage", Tags: map[string]string{"owner": "octocat"}, Fields: map[string]float64{"minutes_used": 3, "net_usd": float64(i)}},
			} {
				r.Time = friday.AddDate(0, 0, -i)
				rs = append(rs, r)
			}
		}
		h.ok(h.st.Write(t.Context(), rs))
		p := h.page()
		p.Zone = func() string { return tc.zone }
		v := p.snapshot(t.Context())
		html := v.changed(nil)["readings"]
		if n := strings.Count(html, `<time class="day" datetime="2026-11-20">2026-11-20</time>, `+tc.age+"<"); n != 2 {
			t.Errorf("%s at %s: %d of 2 are dated 2026-11-20, %s:\n%s", tc.zone, tc.now, n, tc.age, html)
		}
		if strings.Contains(html, "2026-11-19") || strings.Contains(html, "2026-11-21") || strings.Contains(html, "00:00") {
			t.Errorf("%s at %s: another day, or a time of day:\n%s", tc.zone, tc.now, html)
		}
		b, err := json.Marshal(v.Data().Measurements)
		if err != nil || strings.Count(string(b), `"time":"2026-11-20T00:00:00Z","day":"2026-11-20"`) != 2 {
			t.Errorf("%s: %s, %v", tc.zone, b, err)
		}
	}
}

// What is yesterday today is two days ago tomorrow: the section is sent again then.
func TestAgesInDaysAreSentAgainAtMidnight(t *testing.T) {
	d := Data{Zone: "America/Los_Angeles", Now: time.Date(2026, 11, 21, 7, 59, 0, 0, time.UTC)}
	before := newView(d)
	d.Now = d.Now.Add(30 * time.Second)
	if got := newView(d).changed(before.sums); len(got) != 0 {
		t.Errorf("before midnight %v", got)
	}
	d.Now = d.Now.Add(time.Minute)
	if _, ok := newView(d).changed(before.sums)["readings"]; !ok {
		t.Error("at midnight nothing is sent")
	}
}
