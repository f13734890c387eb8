package page

import (
	"fmt"
	"math"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/testserver/browser"
)

// historyHouse has a device, a source and daily values with history, up to the real now.
func historyHouse(t *testing.T) *pagetest.House {
	now := time.Now().UTC() // clock: the browser's is the real one
	h := pagetest.New(t, now)
	id := h.Device("edge", "Office air", "Office", pagetest.State("temperature_celsius", 21), pagetest.State("co2_ppm", 650))
	wave := func(at time.Time) float64 { return 600 + 150*math.Sin(at.Sub(now).Hours()/24*2*math.Pi) }
	tags := map[string]string{"device": id}
	h.Series("air", "co2_ppm", tags, now.Add(-24*time.Hour), 2*time.Minute, wave)
	h.Series("air", "temperature_celsius", tags, now.Add(-24*time.Hour), 2*time.Minute, func(at time.Time) float64 { return wave(at) / 30 })
	h.OK(h.Store.DeleteRange(t.Context(), "air", tags, now.Add(-8*time.Hour), now.Add(-6*time.Hour)))
	h.Readings(reading.Reading{Name: "air", Tags: tags, Time: now.Add(-4*time.Hour + time.Second), Fields: map[string]float64{"co2_ppm": 60000, catalogue.Quality: quality.Suspect.Code()}, Text: map[string]string{catalogue.Suspect: "*"}})
	h.Series("stock_quote", "price_usd", map[string]string{"symbol": "ACME"}, now.Add(-20*24*time.Hour), 6*time.Hour, wave)
	h.Series("treasury_yield", "yield_percent", map[string]string{"maturity": "10y"}, now.Truncate(24*time.Hour).AddDate(0, -1, 0), 24*time.Hour, func(at time.Time) float64 { return 4 + float64(at.Day())/100 })
	return h
}

func TestInABrowserTheHistoryOpens(t *testing.T) {
	h := historyHouse(t)
	p := pageOfHouse(h, "house: {zone: America/New_York, locale: de-DE}")
	srv := httptest.NewServer(p)
	t.Cleanup(srv.Close)
	device := "air.co2_ppm,device=office-air"
	b := browser.Start(t, srv.URL+"/?plots="+url.QueryEscape(device)+"&span=day", 1280, 800)
	open := func(what, title, words string) {
		t.Helper()
		b.Until(`document.querySelector("#history[open]:not(.busy) canvas") !== null && document.querySelectorAll("#history tbody tr").length > 4`)
		if got := b.Eval(`document.querySelector("#history h2").textContent + ": " + document.querySelector("#history .lines").textContent`); !strings.Contains(got, title) {
			t.Errorf("%s: it is about %q", what, got)
		}
		if got := b.Eval(`document.querySelector("#history .summary").textContent`); !strings.Contains(got, words) || !strings.Contains(got, "on average") {
			t.Errorf("%s: %q", what, got)
		}
		if rows := b.Eval(`document.querySelectorAll("#history tbody tr").length <= 100`); rows != "true" {
			t.Errorf("%s: more than 100 rows", what)
		}
		if dir := os.Getenv("HEARTH_TEST_SCREENSHOTS"); dir != "" {
			b.Screenshot(fmt.Sprintf("%s/history-%s.png", dir, strings.ReplaceAll(what, " ", "-")), false)
		}
	}
	open("a device", "CO₂", "1 gap; 1 suspect value left out.")
	if got := b.Eval(`document.querySelector("#history .lines b").textContent`); !strings.HasSuffix(got, "ppm") {
		t.Errorf("the value at the cursor is %q", got)
	}
	if got := b.Eval(`fetch(document.querySelector("#history a.button").href).then((r) => r.text()).then((x) => window.csv = x), 1`); got != "1" {
		t.Error(got)
	}
	b.Until(`(window.csv || "").split("\r\n").length > 600`)
	b.Eval(`document.querySelector("#history .plot").focus(), document.querySelector("#history .plot").dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowLeft", bubbles: true})), 1`)
	b.Until(`document.querySelector("#history .said").textContent.includes("ppm")`)
	b.Eval(`document.querySelector("#history [data-span=week]").click()`)
	b.Until(`location.search.includes("span=week") && document.querySelector("#history [data-span=week]").getAttribute("aria-pressed") === "true"`)
	b.Eval(`document.querySelector("#history .close").click()`)
	b.Until(`!document.querySelector("#history").open && !location.search.includes("plots")`)

	b.Eval(`document.querySelector("#tile-stocks").click()`)
	open("a source", "Markets", "Between")
	if b.Eval(`location.search.includes("tile=stocks")`) != "true" {
		t.Errorf("the address is %s", b.Eval("location.href"))
	}
	b.Eval(`history.back()`)
	b.Until(`!document.querySelector("#history").open && !location.search.includes("tile")`)
	b.Eval(`document.querySelector("#tile-stocks").click(), document.querySelector("#history").close(), document.querySelector("#tile-rooms").click(), 1`)
	open("at once after another", "Rooms", "Between")
	b.Eval(`document.querySelector("#history").close()`)
	b.Until(`!document.querySelector("#history").open && !location.search.includes("tile")`)
	b.Eval(`document.querySelector("#tile-stocks").dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true})), 1`)
	open("by the keyboard", "Markets", "Between")
	b.Eval(`document.querySelector("#history").close()`) // as Esc does
	b.Until(`!document.querySelector("#history").open && !location.search.includes("tile")`)

	b.Go(srv.URL + "/?plots=" + url.QueryEscape("treasury_yield.yield_percent,maturity=10y"))
	open("a daily value", "Yield", "highest on")
	if b.Eval(`document.querySelector("#history [data-span=month]").getAttribute("aria-pressed") === "true" && document.querySelector("#history [data-span=hour]").disabled`) != "true" {
		t.Error("the usual span of daily values is not a month")
	}
	first := h.Now.Truncate(24*time.Hour).AddDate(0, -1, 0)
	if rows := b.Eval(`document.querySelector("#history .values").textContent`); !strings.Contains(rows, fmt.Sprint(first.AddDate(0, 0, 1).Day())+". ") {
		t.Errorf("no row of %s: %.300s", first.Format(time.DateOnly), rows)
	}
	if len(b.Errors) != 0 {
		t.Errorf("errors in its console: %s", b.Errors)
	}
	for _, u := range b.URLs {
		if !strings.HasPrefix(u, srv.URL) && !strings.HasPrefix(u, "about:") {
			t.Errorf("it asked %s", u)
		}
	}
}

func TestInABrowserTheHistoryFitsATelephone(t *testing.T) {
	h := historyHouse(t)
	h.Readings(reading.Reading{Name: "air", Tags: map[string]string{"device": "<script>alert(1)</script>"}, Time: h.Now.Add(-time.Minute), Fields: map[string]float64{"co2_ppm": 5}})
	srv := httptest.NewServer(pageOfHouse(h, ""))
	t.Cleanup(srv.Close)
	q := url.Values{"plots": {"air.co2_ppm,device=office-air air.temperature_celsius,device=office-air air.co2_ppm,device=<script>alert(1)</script>"}}
	b := browser.Start(t, srv.URL+"/?"+q.Encode(), 390, 800)
	b.Dark(true)
	b.Until(`document.querySelector("#history[open]:not(.busy) canvas") !== null && document.querySelectorAll("#history .lines li").length === 3`)
	if dir := os.Getenv("HEARTH_TEST_SCREENSHOTS"); dir != "" {
		b.Screenshot(dir+"/history-390.png", false)
	}
	if got := b.Eval(`document.querySelector("#history").scrollWidth <= document.querySelector("#history").clientWidth`); got != "true" {
		t.Errorf("it is %s wide", b.Eval(`document.querySelector("#history").scrollWidth`))
	}
	if len(b.Errors) != 0 || b.Eval(`document.querySelectorAll("#history script").length`) != "0" {
		t.Errorf("errors: %s", b.Errors)
	}
}
