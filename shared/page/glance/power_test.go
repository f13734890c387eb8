package glance

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/reading"
)

// constant is a value that does not change.
func constant(v float64) func(time.Time) float64 { return func(time.Time) float64 { return v } }

func of(device string) map[string]string { return map[string]string{"device": device} }

func TestPowerAddsUpWhatMetersMeasure(t *testing.T) {
	f := newFixture(t)
	f.Device("edge", "Desk plug", "Office", pagetest.State("power_watts", 300))
	f.Device("zigbee", "Fridge plug", "", pagetest.State("power_watts", 112.4))
	f.Device("edge", "rack-ups", "", pagetest.State("power_watts", 90), pagetest.State("load_percent", 20), pagetest.State("runtime_seconds", 900))
	f.Device("edge", "gaming-pc", "", pagetest.State("power_watts", 70), pagetest.State("cpu_usage_percent", 20), pagetest.State("cores", 8))
	f.Device("mapped", "all-plugs", "", pagetest.State("power_watts", 412.4))
	f.yml = "house: {currency: EUR, price_per_kwh: 0.5}\ndevices: [{device: all-plugs, fields: {power_watts: {sum: [\"*.power_watts\"]}}}]\n"
	start := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	f.Series("power", "power_watts", of("desk-plug"), start, 15*time.Minute, constant(300))
	f.Series("zigbee", "power_watts", of("fridge-plug"), start, time.Hour, constant(100))
	tile := f.tile("power")
	// 400 W for 14 h 7 min; at 0.50 € a kWh 0.20 € an hour, for 720 h
	want := "412 W 5.6 kWh today, as much as yesterday by now 2.82 € · 144 € by the end of the month 00 06 12 18 24 grey: yesterday · UPS, 15 min in the battery"
	if got := words(tile); got != want {
		t.Errorf("\n%s, want\n%s", got, want)
	}
	if got, want := tile.Keys(), "power.power_watts,device=desk-plug zigbee.power_watts,device=fridge-plug"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if body := string(tile.Body); !strings.Contains(body, `<data value="144" data-d="0" data-currency="EUR">`) || !strings.Contains(body, `aria-label="Power today: most 412 W at 14:07; yesterday: most 400 W at 00:15"`) {
		t.Error(body)
	}
}

func TestASilentMeterIsNotCountedAndSaysSo(t *testing.T) {
	f := newFixture(t)
	f.Device("edge", "Desk plug", "Office", aged("power_watts", 300, 5*time.Hour))
	f.Device("edge", "tv-plug", "", pagetest.State("power_watts", 112))
	start := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	f.Series("power", "power_watts", of("tv-plug"), start, 15*time.Minute, constant(100))
	f.Series("power", "power_watts", of("desk-plug"), start, 15*time.Minute, func(at time.Time) float64 {
		if at.After(now.Add(-5 * time.Hour)) {
			return 0
		}
		return 300
	})
	if got := words(f.tile("power")); !strings.HasPrefix(got, "112 W ") || !strings.HasSuffix(got, "Desk plug silent 5 h , not counted") {
		t.Error(got)
	}
	f = newFixture(t)
	f.Device("edge", "Desk plug", "Office", aged("power_watts", 300, 5*time.Hour))
	f.Series("power", "power_watts", of("desk-plug"), now.Add(-24*time.Hour), time.Hour, func(at time.Time) float64 { return 300 })
	f.Now = f.Now.Add(3 * time.Hour)
	if tile := f.tile("power"); strings.Contains(string(tile.Body), "NaN") || strings.Contains(string(tile.Body), `"point"`) || !strings.Contains(string(tile.Body), `class="line" d="M`) {
		t.Error(tile.Body)
	}
	f = newFixture(t)
	f.Device("edge", "Desk plug", "Office", aged("power_watts", 300, 5*time.Hour))
	if got := words(f.tile("power")); got != "Desk plug silent 5 h , not counted" {
		t.Error(got)
	}
}

func TestAMeterThatIsNewOrSilentIsNotCompared(t *testing.T) {
	f := newFixture(t)
	f.Device("edge", "tv-plug", "", pagetest.State("power_watts", 100))
	f.Series("power", "power_watts", of("tv-plug"), now.Add(-3*time.Hour-7*time.Minute), 5*time.Minute, constant(1000))
	if got, want := words(f.tile("power")), "100 W 3.1 kWh since 11:00 00 06 12 18 24"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestACounterThatBeginsAgainCountsWhatRose(t *testing.T) {
	f := newFixture(t)
	f.Device("edge", "tv-plug", "", pagetest.State("power_watts", 100))
	midnight := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	f.Series("power", "power_watts", of("tv-plug"), midnight.Add(-24*time.Hour), 10*time.Minute, constant(100))
	f.Series("power", "energy_delta_kwh", of("tv-plug"), midnight.Add(-24*time.Hour), 10*time.Minute, func(at time.Time) float64 {
		switch { // energy_kwh has gone from 1650 to 0 at six: its rise there is what it has then
		case at.Equal(midnight.Add(6 * time.Hour)):
			return 0.01
		case at.Before(midnight):
			return 0.05
		}
		return 0.02
	})
	// 85 rises of 0.02, one of them 0.01; yesterday 84.7 rises of 0.05
	if got, want := words(f.tile("power")), "100 W 1.7 kWh today, 2.6 less than yesterday by now 00 06 12 18 24 grey: yesterday"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestYesterdayByNowIsByTheClockOnADayWithAChange(t *testing.T) {
	for _, c := range []struct {
		now       time.Time // in Berlin 10:00
		yesterday float64   // hours until then
	}{
		{time.Date(2026, 3, 30, 8, 0, 0, 0, time.UTC), 9},   // the day before had 23 hours
		{time.Date(2026, 10, 26, 9, 0, 0, 0, time.UTC), 11}, // the day before had 25 hours
		{time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC), 10},
	} {
		f := newFixture(t)
		f.Now = c.now
		f.yml = "house: {zone: Europe/Berlin}\n"
		state := pagetest.State("power_watts", 1000)
		state.Time = c.now.Add(-time.Minute)
		f.Device("edge", "tv-plug", "", state)
		f.Series("power", "power_watts", of("tv-plug"), c.now.Add(-50*time.Hour), 15*time.Minute, constant(1000))
		w, err := f.glance().world(t.Context(), View{})
		f.OK(err)
		d := w.today()
		if got := d.byNow.Sub(d.before).Hours(); got != c.yesterday {
			t.Errorf("%s: yesterday by now has %v hours, want %v", c.now, got, c.yesterday)
		}
		want := map[float64]string{9: "1.0 more than", 10: "as much as", 11: "1.0 less than"}[c.yesterday]
		if got := words(f.tile("power")); !strings.HasPrefix(got, "1 000 W 10.0 kWh today, "+want+" yesterday by now") && !strings.Contains(got, want) {
			t.Errorf("%s: %s", c.now, got)
		}
		ds, err := w.devices(t.Context())
		f.OK(err)
		g := w.meterGroups(ds)[0]
		f.OK(w.readMeters(t.Context(), g.meters, d.before))
		for _, p := range w.byTimeOfDay(g, d.before, d.start) {
			if math.IsNaN(p.Y) || math.Abs(p.Y-1000) > 1e-6 {
				t.Errorf("%s: %v at %v", c.now, p.Y, p.X)
			}
		}
	}
}

func TestPowerCostsWhatItsTimeOfDayCosts(t *testing.T) {
	f := newFixture(t)
	f.yml = "house: {currency: GBP, price_per_kwh: [{price: 0.1, from: \"22:30\", to: \"06:30\"}, {price: 0.4, from: \"06:30\", to: \"22:30\"}]}\n"
	f.Device("edge", "tv-plug", "", pagetest.State("power_watts", 1000))
	f.Series("power", "power_watts", of("tv-plug"), time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), 15*time.Minute, constant(1000))
	// 6.5 h at 0.10, 7 h 37 min at 0.40; a day costs 7.20
	got := words(f.tile("power"))
	if !strings.Contains(got, " 3.70 £ · 215 £ by the end of the month ") {
		t.Error(got)
	}
	f.yml = strings.Replace(f.yml, `"22:30"}]`, `"20:30"}]`, 1) // nothing is said of 20:30 to 22:30
	if got := words(f.tile("power")); !strings.Contains(got, " 3.70 £ 00 06") {
		t.Error(got)
	}
	f.yml = ""
	if got := words(f.tile("power")); strings.Contains(got, "month") || strings.Contains(got, "£") {
		t.Error(got)
	}
}

func TestHearthYmlChoosesTheMetersOfPower(t *testing.T) {
	f := newFixture(t)
	f.Device("mapped", "main-meter", "", pagetest.State("power_watts", 12412))
	f.Device("edge", "pdu-a", "", pagetest.State("power_watts", 60))
	f.Device("edge", "pdu-b", "", pagetest.State("power_watts", 36))
	f.yml = "tiles:\n- tile: power\n  lines:\n  - {title: House, field: power.power_watts, device: main-meter}\n  - {title: \"<b>Rack\", field: power.power_watts, device: [pdu-a, pdu-b]}\n"
	tile := f.tile("power")
	if got, want := words(tile), "12.4 kW &lt;b&gt;Rack 96 W"; got != want || tile.Title != "Power, House" {
		t.Errorf("%s: %s, want %s", tile.Title, got, want)
	}
}

func TestThePlotIsThereJustAfterMidnight(t *testing.T) {
	f := newFixture(t)
	f.Now = time.Date(2026, 11, 27, 0, 4, 0, 0, time.UTC)
	state := pagetest.State("power_watts", 300)
	state.Time = f.Now.Add(-time.Minute)
	f.Device("edge", "tv-plug", "", state)
	f.Series("power", "power_watts", of("tv-plug"), f.Now.Add(-24*time.Hour), 15*time.Minute, constant(300))
	if body := string(f.tile("power").Body); !strings.Contains(body, `class="ghost" d="M`) || !strings.Contains(body, `class="point"`) {
		t.Error(body)
	}
}

// TestTheWeekBeforeIsOfWholeDays: also where the clocks changed in it. A kWh between midnight and one
// costs 1,000, another 0.01; the meter draws 1 kW.
func TestTheWeekBeforeIsOfWholeDays(t *testing.T) {
	f := newFixture(t)
	f.Now = time.Date(2026, 10, 28, 11, 0, 0, 0, time.UTC) // 12:00 in Berlin
	f.yml = `house: {zone: Europe/Berlin, price_per_kwh: [{price: 1000, from: "00:00", to: "01:00"}, {price: 0.01, from: "01:00", to: "00:00"}]}`
	f.Device("edge", "plug", "", pagetest.State("power_watts", 1000))
	f.Series("power", "power_watts", of("plug"), time.Date(2026, 9, 25, 0, 0, 0, 0, time.UTC), 15*time.Minute, constant(1000))
	// 28 dear hours and 633 others until now; then 84 hours like the 169 of the week before, of which 7 are dear
	want := fmt.Sprintf("%.0f by the end of the month", 28*1000+633*0.01+(7*1000+162*0.01)/169*84)
	if got := strings.ReplaceAll(plain(words(f.tile("power"))), " ", ""); !strings.Contains(got, strings.ReplaceAll(want, " ", "")) {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestASilentMeterOfAnyGroupSaysSo(t *testing.T) {
	f := newFixture(t)
	f.Device("edge", "Desk plug", "", pagetest.State("power_watts", 300))
	f.Device("edge", "Rack plug", "", pagetest.State("power_watts", 100))
	f.Device("edge", "Router plug", "", aged("power_watts", 9, 5*time.Hour))
	f.yml = "tiles: [{tile: power, lines: [{field: power.power_watts, device: desk-plug, title: Desk}, {field: power.power_watts, device: [rack-plug, router-plug], title: Rack}, {field: power.power_watts, device: [router-plug, desk-plug], title: Both}]}]"
	if got, want := words(f.tile("power")), "300 W Rack 100 W · Both 300 W Router plug silent 5 h , not counted"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestPowerCountsWhereTheCounterDoesNot: the meter draws 400 W; its counter is new, or has stopped.
func TestPowerCountsWhereTheCounterDoesNot(t *testing.T) {
	for _, span := range [][2]time.Duration{{50 * time.Hour, 6 * time.Hour}, {3 * time.Hour, 0}, {50 * time.Hour, 0}} {
		f := newFixture(t)
		f.yml = "house: {price_per_kwh: 0.5}"
		f.Device("edge", "Meter", "", pagetest.State("power_watts", 400))
		f.Series("power", "power_watts", of("meter"), now.AddDate(0, -1, 0), 5*time.Minute, constant(400))
		var rs []reading.Reading
		for at := now.Add(-span[0]); at.Before(now.Add(-span[1])); at = at.Add(5 * time.Minute) {
			rs = append(rs, reading.Reading{Name: "power", Tags: of("meter"), Time: at.Add(time.Second), Fields: map[string]float64{"energy_delta_kwh": 0.4 / 12}})
		}
		f.Readings(rs...)
		if got := words(f.tile("power")); !strings.HasPrefix(got, "400 W 5.6 kWh today") || !strings.Contains(got, " 144 by the end") {
			t.Errorf("%v: %s", span, got)
		}
	}
}

// TestAMeterThatIsNewCountsFromItsBeginning: each of two meters draws 1 kW, one since 24 hours ago.
func TestAMeterThatIsNewCountsFromItsBeginning(t *testing.T) {
	f := newFixture(t)
	f.yml = "house: {price_per_kwh: 0.5}"
	f.Device("edge", "Old plug", "", pagetest.State("power_watts", 1000))
	f.Device("edge", "New plug", "", pagetest.State("power_watts", 1000))
	f.Series("power", "power_watts", of("old-plug"), now.AddDate(0, -2, 0), 15*time.Minute, constant(1000))
	f.Series("power", "power_watts", of("new-plug"), time.Date(2026, 11, 26, 14, 15, 0, 0, time.UTC), 15*time.Minute, constant(1000))
	got := words(f.tile("power")) // 720 h and, until the end of the month, 105 h 45 min
	if want := " 413 by the end of the month"; !strings.Contains(got, want) {
		t.Errorf("%s, want %s", got, want)
	}
}
