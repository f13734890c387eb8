package page

import (
	"fmt"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/testserver/browser"
)

// TestInABrowserListsShowWholeRows: those that fit; how many more there are stands below, and
// what is hidden takes no focus.
func TestInABrowserListsShowWholeRows(t *testing.T) {
	s := serve(t, func(h *pagetest.House) {
		var all []item.Item
		for n := range 30 {
			all = append(all, item.Item{ID: fmt.Sprint(n), Title: fmt.Sprintf("Task %d", n), URL: "https://tasks.example", At: h.Now.Add(-time.Hour), Attributes: map[string]string{}})
		}
		h.Items("asana", "Home", all...)
		h.Items("feeds", "news", all...)
	})
	b := browser.Start(t, s.address, 1280, 800)
	const cut = `[...document.querySelectorAll("#tile-today li:not([inert])")].filter((e) => e.getBoundingClientRect().bottom > document.querySelector("#tile-today .more").getBoundingClientRect().top + 1).length`
	const shown = `document.querySelectorAll("#tile-today li:not([inert])").length`
	b.Until(`document.querySelector("#tile-today .more").textContent === 30 - ` + shown + ` + " more"`)
	if n := b.Eval(shown); n == "0" || n == "20" || b.Eval(cut) != "0" {
		t.Errorf("%s rows are shown, %s of them are cut", n, b.Eval(cut))
	}
	before := b.Eval(shown)
	b.Resize(390, 844)
	b.Until(shown + ` === 20 && document.querySelector("#tile-today .more").textContent === "10 more"`)
	b.Resize(1280, 800)
	b.Until(shown + ` === ` + before + ` && document.querySelector("#tile-today .more").textContent === 30 - ` + before + ` + " more"`)
	clean(t, b)
}

// TestInABrowserANarrowTileOfStocksKeepsItsNames: on a wall, too, where text is large, and while
// the exchange is closed, which stands beside the title where there is room.
func TestInABrowserANarrowTileOfStocksKeepsItsNames(t *testing.T) {
	s := serve(t, func(h *pagetest.House) {
		for _, symbol := range []string{"SPY", "AAPL"} {
			for _, before := range []time.Duration{34 * time.Hour, 10 * time.Hour} {
				h.Readings(reading.Reading{Name: "stock_quote", Tags: map[string]string{"symbol": symbol}, Time: h.Now.Add(-before), Fields: map[string]float64{"price_usd": 583.43, "previous_close_usd": 580, "change_percent": 0.59}})
			}
		}
	})
	for _, query := range []string{"", "?kiosk"} {
		b := browser.Start(t, s.address+query, 1024, 768)
		b.Until(`document.querySelectorAll("#tile-stocks .sn").length === 2`)
		b.Eval(`document.querySelector("#tile-stocks").style.width = "239px", 1`)
		b.Until(`document.querySelector("#tile-stocks").clientWidth < 240`)
		if got := b.Eval(`[...document.querySelectorAll("#tile-stocks .sn")].filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.textContent).join()`); got != "" {
			t.Errorf("%s cuts %s", query, got)
		}
		if b.Eval(`(() => { const r = document.createRange(); r.selectNodeContents(document.querySelector("#title-stocks")); const t = r.getBoundingClientRect(), a = document.querySelector("#tile-stocks .aside").getBoundingClientRect(); return a.left >= t.right || a.top >= t.bottom - 1 })()`) != "true" {
			t.Errorf("%s: the last trade stands over the title", query)
		}
	}
}

// TestInABrowserTheLegendOfASampleCurveIsNotOverItsTitle: where there is room for both, and on a
// phone, it is shown.
func TestInABrowserTheLegendOfASampleCurveIsNotOverItsTitle(t *testing.T) {
	s := serve(t, func(h *pagetest.House) {
		pagetest.Full(h)
		h.Readings(reading.Reading{Name: "treasury_yield", Tags: map[string]string{"maturity": "4m", catalogue.SampleLabel: "true"}, Time: h.Now.UTC().Truncate(24*time.Hour).AddDate(0, 0, -1), Fields: map[string]float64{"yield_percent": 4.1}})
	})
	b := browser.Start(t, s.address, 1920, 1080)
	b.Do("Emulation.setScrollbarsHidden", map[string]any{"hidden": true}, nil) // as on a phone
	for _, w := range widths {
		b.Resize(w.width, w.height)
		b.Go(s.address)
		b.Until(`document.querySelector("#title-curve .sample") !== null`)
		if over := b.Eval(crowded); over != "" {
			t.Errorf("at %d pixels: %s", w.width, over)
		}
		if shown := b.Eval(`document.querySelector("#tile-curve .legend").checkVisibility()`); shown != "true" && (w.width == 390 || w.width == 1920) {
			t.Errorf("at %d pixels there is no legend in %s", w.width, b.Eval(`(() => { const s = getComputedStyle(document.querySelector("#tile-curve")); return s.width + ", 1rem = " + getComputedStyle(document.documentElement).fontSize })()`))
		}
	}
}
