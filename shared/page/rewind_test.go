package page

import (
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/testserver/browser"
)

func TestInABrowserTheSliderShowsThePast(t *testing.T) {
	h := pagetest.New(t, time.Now()) // clock: the browser's is the real one
	id := h.Device("edge", "Office air", "Office", pagetest.State("temperature_celsius", 10))
	h.Series("air", "temperature_celsius", map[string]string{"device": id}, h.Now.Add(-30*time.Hour), 5*time.Minute, func(at time.Time) float64 {
		return 10 + float64(int(h.Now.Sub(at).Hours())) // 19 nine hours ago, now 10
	})
	srv := httptest.NewServer(pageOfHouse(h, ""))
	t.Cleanup(srv.Close)
	b := browser.Start(t, srv.URL+"/?at="+h.Now.Add(-9*time.Hour-30*time.Minute).UTC().Format("2006-01-02T15:04:05Z"), 1280, 800)
	temperature := `document.querySelector("#tile-rooms").textContent.match(/\d\d\.\d/)[0]`
	past := `Boolean(document.body.dataset.past && !document.getElementById("past").hidden)`
	if b.Eval(past) != "true" || b.Eval(temperature) != "19.0" {
		t.Errorf("the link shows %s, past: %s", b.Eval(temperature), b.Eval(past))
	}
	slide := func(hours int) {
		b.Eval(`{ const s = document.querySelector("#rewind input"); s.value = Number(s.max) - 12 * ` + strconv.Itoa(hours) + `; s.dispatchEvent(new Event("input")); 1 }`)
	}
	slide(20)
	b.Until(temperature + ` >= "29" && ` + temperature + ` <= "30.9"`)
	if b.Eval(past) != "true" {
		t.Error("after the slider the past is not marked")
	}
	if address := b.Eval("location.search"); !strings.HasPrefix(address, "?at=20") {
		t.Errorf("the address is %s", address)
	}
	if b.Eval(`document.getElementById("clock").textContent === formatter("hm", hearth.zone).format(new Date(hearth.past))`) != "true" {
		t.Error("the clock does not show the time of the slider")
	}
	slide(0)
	b.Until(temperature + ` === "10.0" && !document.body.dataset.past && location.search === ""`)
	if b.Eval(past) != "false" {
		t.Error("the present is marked as the past")
	}
	if len(b.Errors) > 0 {
		t.Error(b.Errors)
	}
}

// However far the slider goes, it is one step from the present, and Back is the way out of it.
func TestInABrowserBackLeadsFromThePastToThePresent(t *testing.T) {
	h := pagetest.New(t, time.Now()) // clock: the browser's is the real one
	id := h.Device("edge", "Office air", "Office", pagetest.State("temperature_celsius", 10))
	h.Series("air", "temperature_celsius", map[string]string{"device": id}, h.Now.Add(-30*time.Hour), 5*time.Minute, func(time.Time) float64 { return 10 })
	srv := httptest.NewServer(pageOfHouse(h, "house: {zone: Asia/Tokyo}"))
	t.Cleanup(srv.Close)
	b := browser.Start(t, srv.URL+"/", 1280, 800)
	entries, _ := strconv.Atoi(b.Eval("history.length"))
	slide := func(hours int) {
		b.Eval(`{ const s = document.querySelector("#rewind input"); s.value = Number(s.max) - 12 * ` + strconv.Itoa(hours) + `; s.dispatchEvent(new Event("input")); 1 }`)
		b.Until(`Boolean(hearth.past) === ` + strconv.FormatBool(hours > 0) + ` && Math.abs(hearth.now() - Date.now() + 3600000 * ` + strconv.Itoa(hours) + `) < 1000000 && !rewind.leaving`)
	}
	live := `!hearth.past && !document.body.dataset.past && location.search === "" && document.getElementById("past").hidden`
	b.Eval(`document.getElementById("rewind-open").click(), 1`)
	slide(20)
	slide(3)
	slide(8)
	if got := b.Eval("history.length"); got != strconv.Itoa(entries+1) {
		t.Errorf("the slider made %s entries of %d", got, entries)
	}
	b.Eval(`history.back(), 1`)
	b.Until(live + ` && !document.getElementById("rewind")`)
	b.Eval(`history.forward(), 1`)
	b.Until(`Boolean(hearth.past) && document.querySelector("#rewind input").value < document.querySelector("#rewind input").max && location.search.startsWith("?at=")`)
	slide(0) // to now
	b.Until(live)
	slide(5)
	b.Eval(`[...document.querySelectorAll("#rewind button")].at(-1).click(), 1`) // Now
	b.Until(live)
	if got := b.Eval("history.length"); got != strconv.Itoa(entries+1) {
		t.Errorf("after all that the history has %s entries, before %d", got, entries)
	}

	b.Go(srv.URL + "/?at=" + h.Now.In(time.FixedZone("Tokyo", 9*3600)).Add(-9*time.Hour).Format("2006-01-02T15:04")) // a link, in the zone of the house
	moment := b.Eval("String(hearth.past)")
	b.Eval(`[...document.querySelectorAll("#rewind button")].at(-1).click(), 1`)
	b.Until(live)
	b.Eval(`history.back(), 1`)
	b.Until(`hearth.past === ` + moment + ` && Boolean(document.body.dataset.past)`)
	if len(b.Errors) > 0 {
		t.Error(b.Errors)
	}
}
