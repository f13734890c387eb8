package status

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/testserver/browser"
)

func TestInABrowserThePageFollowsWithoutDisturbing(t *testing.T) {
	h := fixtureAt(t, time.Now()) // clock: the browser's is the real one
	many := []store.DeviceState{state("temperature_celsius", 21)}
	for i := range 9 {
		many = append(many, state(fmt.Sprintf("m%d", i), float64(i)))
	}
	h.device("edge", "Desk", "Office", many...)
	h.ok(saveDevices(t.Context(), h.st, store.DeviceChange{Dead: []store.DeadLetter{h.letter(0, "sensors", "tele/"+strings.Repeat("long", 60), "no mapping for topic "+strings.Repeat("long", 60), strings.Repeat("z", 300))}}))
	friday := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	for friday.Before(time.Now().AddDate(0, 0, -8)) { // clock: the page shows yields of the last month
		friday = friday.AddDate(0, 0, 7)
	}
	h.ok(h.st.Write(t.Context(), []reading.Reading{{Name: "treasury_yield", Tags: map[string]string{"maturity": "10y"}, Fields: map[string]float64{"yield_percent": 4}, Time: friday}}))
	p := h.page()
	p.Now = time.Now // clock: the browser's
	zone := atomic.Value{}
	zone.Store("Asia/Tokyo")
	p.Zone = func() string { return zone.Load().(string) }
	b := browser.Start(t, listen(t, p).URL+"/status", 400, 900)
	if b.Eval("document.documentElement.scrollWidth <= document.documentElement.clientWidth") != "true" {
		t.Errorf("at 400 pixels the page is %s wide", b.Eval("document.documentElement.scrollWidth"))
	}
	b.Eval(`document.getElementById("m-desk").open = true; window.tile = document.getElementById("d-desk"); window.kept = document.getElementById("functions"); 1`)
	now := time.Now() // clock: the browser's
	change := state("temperature_celsius", 22.5)
	change.Device, change.Quality, change.Time, change.Arrived, change.Changed = "desk", "ok", now, now, now
	h.ok(saveDevices(t.Context(), h.st, store.DeviceChange{States: []store.DeviceState{change}}))
	b.Until(`document.querySelector("#d-desk .main b").textContent === "22.5"`)
	for what, expression := range map[string]string{
		"the tile is another element":  `window.tile === document.getElementById("d-desk")`,
		"what was folded open closed":  `document.getElementById("m-desk").open`,
		"a section without news moved": `window.kept === document.getElementById("functions")`,
		"the change is not marked":     `document.querySelector("#d-desk .main .value").classList.contains("fresh")`,
		"ages are not counted":         `/^(just now|\d+ s ago)$/.test(document.querySelector("#d-desk .ago").textContent)`,
	} {
		if b.Eval(expression) != "true" {
			t.Error(what)
		}
	}
	for _, name := range []string{"Asia/Tokyo", "America/New_York"} {
		zone.Store(name)
		b.Until(fmt.Sprintf(`document.getElementById("about").textContent.includes(%q)`, name))
		if day := b.Eval(`document.querySelector("time.day").textContent + document.querySelector("time.day").title`); day != friday.Format(time.DateOnly) {
			t.Errorf("the yield of %s is dated %s in %s", friday.Format(time.DateOnly), day, name)
		}
		b.Until(fmt.Sprintf(`[...document.querySelectorAll("time.ago")].every((t) => t.title === new Date(t.dateTime).toLocaleString(undefined, { timeZone: %q }))`, name))
	}
	h.device("edge", "Shelf", "Attic", state("temperature_celsius", 19))
	h.device("edge", "Lamp", "Office", state("on", 1))
	b.Until(`[...document.querySelectorAll(".tile h4")].map((e) => e.textContent.trim()).join() === "Shelf,Desk,Lamp"`)
	if b.Eval(`document.getElementById("m-desk").open`) != "true" {
		t.Error("what was folded open closed when devices came")
	}
	dead := h.letter(0, "sensors", "x", "y", "z")
	dead.Reason, dead.Gone, dead.Reported = "no mapping for topic "+strings.Repeat("long", 60), true, now
	h.ok(saveDevices(t.Context(), h.st, store.DeviceChange{Dead: []store.DeadLetter{dead}}))
	b.Until(`document.getElementById("dead").hidden`)
	if len(b.Errors) != 0 {
		t.Errorf("errors in its console: %s", b.Errors)
	}
}
