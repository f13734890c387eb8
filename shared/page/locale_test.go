package page

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/testserver/browser"
)

// withMeter is the full house with values whose numbers are written in different ways.
func withMeter(h *pagetest.House) {
	pagetest.Full(h)
	h.Device("mapped", "Boiler", "Cellar", pagetest.State("pressure_hpa", 1412.5), pagetest.State("power_watts", 1412.5))
	for m, key := range map[string]string{"air": "pressure_hpa", "power": "power_watts"} {
		h.Series(m, key, map[string]string{"device": "boiler"}, h.Now.Add(-time.Hour), 5*time.Minute, func(time.Time) float64 { return 1412.5 })
	}
}

const meterTile = "tiles: [weather, air, rooms, power, curve, {title: Boiler, show: list, lines: [{field: power.power_watts, device: boiler, unit: kW}, {field: air.pressure_hpa, device: boiler}]}]\n"

// metric matches the units of which imperial houses have others.
var metric = regexp.MustCompile(`°C\b|\bhPa\b|\bmm\b|\bm/s\b|\bkm\b`)

func TestInABrowserNumbersAndTimesAreThoseOfTheHouse(t *testing.T) {
	for locale, tc := range map[string]struct {
		yml, number, thousands, decimal string
		halfDay                         bool
	}{
		"de-DE": {"house: {zone: Europe/Berlin, locale: de-DE}\n", "1.412 ppm", "1.413", "1,41 kW", false},
		"en-US": {"house: {zone: America/Chicago, locale: en-US, units: imperial}\n", "1,412 ppm", "41.71", "1.41 kW", true},
	} {
		s := serveAs(t, tc.yml+meterTile, time.Now(), withMeter) // clock: the browser's is the real one
		b := browser.Start(t, s.address, 1600, 1200)
		b.Until(`!!document.querySelector(".t-own")`)
		text := strings.Join(strings.Fields(b.Eval(`document.body.innerText`)), " ")
		for _, want := range []string{tc.number, tc.thousands, tc.decimal} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: there is no %q in %s", locale, want, text)
			}
		}
		clock := b.Eval(`document.getElementById("clock").textContent`)
		if half := strings.HasSuffix(clock, "M"); half != tc.halfDay {
			t.Errorf("%s: the clock is %q", locale, clock)
		}
		if found := metric.FindAllString(text, -1); tc.halfDay && len(found) > 0 {
			t.Errorf("%s: an imperial page has %q: %s", locale, found, text)
		}
		if axis := b.Eval(`document.querySelector(".t-curve .ax [data-d]")?.textContent`); strings.Contains(axis, ",") == tc.halfDay {
			t.Errorf("%s: the curve's axis says %q", locale, axis)
		}
		if hours := b.Eval(`[...document.querySelectorAll(".t-weather .axis time")].map((t) => t.textContent).join(" ")`); !regexp.MustCompile(map[bool]string{false: `^(\d\d ?)+$`, true: `^(\d+ [AP]M ?)+$`}[tc.halfDay]).MatchString(strings.Join(strings.Fields(hours), " ")) {
			t.Errorf("%s: the hours below the weather's curve are %q", locale, hours)
		}
		clean(t, b)
	}
}
