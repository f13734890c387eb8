package page

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/page/glance"
	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/reading"
)

func TestCurveOfADayOfOnesChoice(t *testing.T) {
	h := pagetest.New(t, now)
	for day, ten := range map[string]float64{"2026-11-26": 4.19, "2025-11-26": 4.1} {
		at, err := time.Parse(time.DateOnly, day)
		h.OK(err)
		for maturity, y := range map[string]float64{"10y": ten, "2y": 4, "1.5m": 4.3} {
			h.Readings(reading.Reading{Name: "treasury_yield", Tags: map[string]string{"maturity": maturity}, Time: at, Fields: map[string]float64{"yield_percent": y}})
		}
	}
	p := pageOfHouse(h, "")
	ask := func(query string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest("GET", "/curve.json"+query, nil))
		return w
	}
	for query, day := range map[string]string{"": "2026-11-26", "?on=2026-11-28": "2026-11-26", "?on=2025-11-30": "2025-11-26", "?on=2025-11-26&view=wall": "2025-11-26"} {
		w := ask(query)
		var c glance.Curve
		if err := json.Unmarshal(w.Body.Bytes(), &c); err != nil || w.Code != 200 || c.Day != day || strings.Join(c.Maturities, " ") != "1.5m 2y 10y" || c.Spread == nil {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
	for query, want := range map[string]struct {
		code int
		text string
	}{
		"?on=yesterday":                         {400, `on is "yesterday": write it as 2025-11-26`},
		"?on=2025-02-30":                        {400, `on is "2025-02-30"`},
		"?on=2025-11-26T00:00":                  {400, "write it as"},
		"?on=2027-01-01":                        {400, "which is to come"},
		"?on=0001-01-01":                        {400, "the first curve is of 1962-01-02"},
		"?day=2025-11-26":                       {400, `"day" is not known`},
		"?on=2025-11-20":                        {404, "no yields are stored"},
		"?view=guest":                           {403, "guests"},
		"?on=" + url.QueryEscape("' or 1=1 --"): {400, "write it as"},
	} {
		if w := ask(query); w.Code != want.code || !strings.Contains(w.Body.String(), want.text) {
			t.Errorf("%s: %d %s, want %d %s", query, w.Code, w.Body, want.code, want.text)
		}
	}
}
