package page

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

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
	srv := site(t, func(context.Context) (*store.Store, error) { return st, nil }, "")
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
