package page

import (
	"encoding/json"
	"encoding/xml"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/page/glance"
	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/testserver/browser"
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
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest("GET", "/curve.svg?on=2025-11-30", nil))
	if svg := w.Body.String(); w.Header().Get("Content-Type") != "image/svg+xml" || xml.Unmarshal(w.Body.Bytes(), new(struct{})) != nil || !strings.Contains(svg, `data-day="2025-11-26" data-words="flat, 10y − 2y +0.10"`) || !strings.Contains(svg, `class="picked"`) {
		t.Errorf("%d %s", w.Code, svg)
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

func TestInABrowserACurveOfADayOfOnesChoice(t *testing.T) {
	var today, before string
	s := serve(t, func(h *pagetest.House) {
		at := h.Now.UTC().Truncate(24*time.Hour).AddDate(0, 0, -1)
		today, before = at.Format(time.DateOnly), at.AddDate(-3, 0, 0).Format(time.DateOnly)
		for _, day := range []time.Time{at, at.AddDate(-3, 0, 0)} {
			for maturity, y := range map[string]float64{"2y": 4, "10y": 4.4, "30y": 4.6} {
				h.Readings(reading.Reading{Name: "treasury_yield", Tags: map[string]string{"maturity": maturity}, Time: day, Fields: map[string]float64{"yield_percent": y + float64(at.Year()-day.Year())}})
			}
		}
	})
	b := browser.Start(t, s.address, 1280, 800)
	b.Eval(`document.querySelector(".t-curve summary").click()`)
	choose := func(day string) {
		b.Eval(`{ const i = document.getElementById("curve-on"); i.value = "` + day + `"; i.dispatchEvent(new Event("change", { bubbles: true })); }`)
	}
	choose(before)
	b.Until(`document.querySelector(".curve .picked") && document.getElementById("curve-said").textContent.endsWith(": normal, 10y − 2y +0.40")`)
	if b.Eval(`document.querySelector("dialog[open]") === null && document.querySelector(".curve").dataset.curve`) != today {
		t.Error("the choice opened the history, or the newest curve is gone")
	}
	choose("1970-01-01")
	b.Until(`document.getElementById("curve-said").textContent.includes("no yields are stored")`)
	choose("")
	b.Until(`!document.querySelector(".curve .picked") && document.getElementById("curve-said").textContent === ""`)
	if errors := slices.DeleteFunc(b.Errors, func(e string) bool { return strings.Contains(e, "404") }); len(errors) > 0 { // of the day without yields
		t.Error(errors)
	}
}
