package page

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/testserver/browser"
)

func TestInABrowserAllDevicesAreOneClickAway(t *testing.T) {
	s := serve(t, func(h *pagetest.House) {
		h.Device("zigbee", "Hall button", "Hall", pagetest.State("battery_percent", 8))
		h.Device("zigbee", "Twelfth window", "", pagetest.State("battery_percent", 80), pagetest.State("contact", 1))
		h.Device("edge", "Office air", "", pagetest.State("co2_ppm", 700)) // its name says the room
		h.Device("edge", `<img src=x onerror="document.title='bad'">`, "<b>Bath", pagetest.State("co2_ppm", 700))
	})
	b := browser.Start(t, s.address, 1280, 800)
	b.Until(`document.querySelector("#tile-house [data-devices]") !== null`)
	b.Eval(`document.querySelector("#title-house").click(), 1`)
	b.Until(`document.querySelectorAll("#devices[open] tbody tr").length === 4`)
	column := func(n string) string {
		return b.Eval(`[...document.querySelectorAll("#devices tbody tr")].map((r) => r.cells[` + n + `].textContent).join("|")`)
	}
	if got := column("1"); got != "<b>Bath|Hall|Office|" {
		t.Errorf("rooms %q", got)
	}
	b.Eval(`document.querySelector("#devices [data-by=battery]").click(), 1`)
	if got := column("2"); got != "8 %|80 %||" {
		t.Errorf("batteries %q", got)
	}
	b.Eval(`document.querySelector("#devices [data-by=battery]").click(), 1`)
	if got := column("2"); got != "80 %|8 %||" || b.Eval(`document.querySelector("#devices th[aria-sort]").getAttribute("aria-sort")`) != "descending" {
		t.Errorf("batteries turned %q", got)
	}
	if got := column("3"); !strings.Contains(got, "min") && !strings.Contains(got, "now") {
		t.Errorf("last seen %q", got)
	}
	if dir := os.Getenv("HEARTH_TEST_SCREENSHOTS"); dir != "" {
		b.Screenshot(dir+"/devices.png", false)
	}
	b.Eval(`document.querySelector("#devices input").value = "HALL", document.querySelector("#devices input").dispatchEvent(new Event("input")), 1`)
	if got := column("0"); got != "Hall button hall-button" {
		t.Errorf("found %q", got)
	}
	b.Eval(`document.querySelector("#devices .close").click(), 1`)
	b.Until(`!document.querySelector("#devices").open`)
	if b.Eval(`document.title`) == "bad" {
		t.Error("a name became markup")
	}
	clean(t, b)
}

func TestInABrowserARoomOpensItsOwnHistory(t *testing.T) {
	s := serve(t, func(h *pagetest.House) {
		for _, room := range []string{"Office", "Bath"} {
			id := h.Device("edge", room+" climate", room, pagetest.State("temperature_celsius", 21), pagetest.State("humidity_percent", 50))
			for _, field := range []string{"temperature_celsius", "humidity_percent"} {
				h.Series("air", field, map[string]string{"device": id}, h.Now.Add(-24*time.Hour), 30*time.Minute, func(at time.Time) float64 { return 20 + float64(at.Hour()) })
			}
		}
	})
	b := browser.Start(t, s.address, 1280, 800)
	b.Until(`document.querySelectorAll("#tile-rooms .room .spark").length === 2`)
	b.Eval(`document.querySelectorAll("#tile-rooms .room")[1].querySelector(".rt").click(), 1`)
	b.Until(`document.querySelector("#history[open]:not(.busy) canvas") !== null && document.querySelector("#history h2").textContent === "Office"`)
	if got := b.Eval(`document.querySelector("#history .lines").textContent`); !strings.Contains(got, "Office, temperature") || !strings.Contains(got, "Office, humidity") || strings.Contains(got, "Bath") {
		t.Errorf("it plots %q", got)
	}
	clean(t, b)
}
