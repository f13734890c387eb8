package history

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/page/units"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
)

var now = time.Date(2026, 11, 27, 14, 7, 0, 0, time.UTC)

var office = map[string]string{"device": "office-air"}

// fixture is a house whose history a test reads.
type fixture struct {
	*pagetest.House
	yml      string
	declared []catalogue.Measurement
}

func newFixture(t *testing.T) *fixture {
	f := &fixture{House: pagetest.New(t, now)}
	f.Device("edge", "Office air", "Office", pagetest.State("co2_ppm", 700))
	return f
}

func (f *fixture) inputs() Inputs {
	return Inputs{Open: f.Open, Now: func() time.Time { return f.Now }, Redact: func(s string) string { return strings.ReplaceAll(s, "geheim", "[secret]") },
		Settings: func() *settings.File { return settings.Parse([]byte(f.yml)) }, Declared: func() []catalogue.Measurement { return f.declared }}
}

func (f *fixture) read(query string) (Answer, error) {
	f.T.Helper()
	in := f.inputs()
	r, err := ParseRequest(values(f.T, query), f.Now, in.zone())
	if err != nil {
		return Answer{}, err
	}
	return in.Read(f.T.Context(), r)
}

func (f *fixture) must(query string) Answer {
	f.T.Helper()
	a, err := f.read(query)
	f.OK(err)
	return a
}

func (f *fixture) csv(query string) string {
	f.T.Helper()
	in := f.inputs()
	r, err := ParseRequest(values(f.T, query), now, in.zone())
	f.OK(err)
	b, name, err := in.CSV(f.T.Context(), r)
	f.OK(err)
	if !strings.HasSuffix(name, ".csv") || strings.ContainsAny(name, `"/\;=`) {
		f.T.Errorf("name %q", name)
	}
	return string(b)
}

// wave is 20 at noon and less before and after.
func wave(t time.Time) float64 {
	return 20 + 2*math.Cos(t.Sub(now.Truncate(24*time.Hour).Add(12*time.Hour)).Hours()/24*2*math.Pi)
}

func TestADayHasWindowsAndASummary(t *testing.T) {
	f := newFixture(t)
	f.Series("air", "temperature_celsius", office, now.Add(-day), time.Minute, wave)
	a := f.must("series=air.temperature_celsius,device=office-air&span=day")
	l := a.Series[0]
	if a.Step != 300 || len(l.Points) < 288 || len(l.Points) > 290 || l.Title != "Office air · Temperature" || l.Unit != "°C" || l.Digits != 1 {
		t.Fatalf("step %d, %d points, %+v", a.Step, len(l.Points), l.Title)
	}
	s := l.Summary
	if math.Abs(s.Low-18) > 0.01 || math.Abs(s.High-22) > 0.01 || math.Abs(s.Mean-20) > 0.1 || s.Gaps != 0 || s.Count != 1440 {
		t.Errorf("%+v", s)
	}
	if at := s.HighAt; at.Sub(now.Truncate(day).Add(12*time.Hour)).Abs() > 10*time.Minute {
		t.Errorf("highest at %s", at)
	}
}

func TestAGapIsAPointWithoutNumbers(t *testing.T) {
	f := newFixture(t)
	f.Series("air", "co2_ppm", office, now.Add(-day), 10*time.Minute, wave)
	f.OK(f.Store.DeleteRange(t.Context(), "air", office, now.Add(-6*time.Hour), now.Add(-5*time.Hour)))
	l := f.must("series=air.co2_ppm,device=office-air").Series[0]
	if l.Summary.Gaps != 1 {
		t.Fatalf("%+v", l.Summary)
	}
	b, err := json.Marshal(l.Points)
	if err != nil || strings.Count(string(b), ",null,null,null,0]") != 1 {
		t.Errorf("%s, %v", b, err)
	}
	f.OK(f.Store.DeleteRange(t.Context(), "air", office, now.Add(-time.Hour), now))
	if got := f.must("series=air.co2_ppm,device=office-air").Series[0].Summary.Gaps; got != 2 {
		t.Errorf("with an end an hour ago there are %d gaps", got)
	}
}

func TestADailyValueHasItsDayInEveryZone(t *testing.T) {
	for _, zone := range []string{"America/Los_Angeles", "Pacific/Auckland"} {
		f := newFixture(t)
		f.yml = "house: {zone: " + zone + "}"
		tags := map[string]string{"maturity": "10y"}
		f.Series("treasury_yield", "yield_percent", tags, now.Truncate(day).AddDate(0, -1, 0), day, func(t time.Time) float64 { return float64(t.Day()) })
		a := f.must("series=treasury_yield.yield_percent,maturity=10y&span=day")
		if a.Step != 86400 || len(a.Series[0].Points) == 0 {
			t.Errorf("step %d, points %v", a.Step, a.Series[0].Points)
		}
		if a = f.must("series=treasury_yield.yield_percent,maturity=10y"); a.Span != "month" {
			t.Errorf("the usual span is %q", a.Span)
		}
		for _, p := range a.Series[0].Points {
			if at := time.Unix(p.start, 0).UTC(); p.count != 1 || p.mean != float64(at.Day()) || !at.Equal(at.Truncate(day)) {
				t.Errorf("%s: %v at %s", zone, p, at)
			}
		}
	}
}

func TestSeriesWithoutTheirLabelsAreAllThatMatch(t *testing.T) {
	f := newFixture(t)
	for _, d := range []string{"a", "b", "c"} {
		f.Series("air", "co2_ppm", map[string]string{"device": d}, now.Add(-time.Hour), time.Minute, wave)
	}
	f.Series("air", "co2_ppm", map[string]string{"device": "sim", "sample": "true"}, now.Add(-time.Hour), time.Minute, wave)
	if got := f.must("series=air.co2_ppm&span=hour").Series; len(got) != 4 || got[0].Key != "air.co2_ppm,device=a" {
		t.Errorf("%d series", len(got))
	}
	if got := f.must("series=air.co2_ppm,device=sim&span=hour").Series; len(got) != 1 || !got[0].Sample || len(got[0].Points) == 0 {
		t.Errorf("the simulated series: %+v", got)
	}
	if got := f.must("series=air.co2_ppm,device=none&span=hour").Series; len(got) != 1 || len(got[0].Points) != 0 {
		t.Errorf("a device without values: %+v", got)
	}
	for _, d := range []string{"d", "e", "f"} {
		f.Series("air", "co2_ppm", map[string]string{"device": d}, now.Add(-time.Hour), time.Minute, wave)
	}
	if _, err := f.read("series=air.co2_ppm&span=hour"); err == nil || !strings.Contains(err.Error(), "7 series match") {
		t.Errorf("seven series: %v", err)
	}
}

func TestUnitsAreThoseOfTheHouse(t *testing.T) {
	f := newFixture(t)
	f.yml = "house: {units: imperial}"
	f.Series("air", "temperature_celsius", office, now.Add(-time.Hour), time.Minute, func(time.Time) float64 { return 20 })
	l := f.must("series=air.temperature_celsius,device=office-air&span=hour").Series[0]
	if l.Unit != "°F" || l.Summary.Mean != 68 {
		t.Errorf("%s %+v", l.Unit, l.Summary)
	}
}

func TestAFieldThatAMappingAddsToTheCatalogueHasAHistory(t *testing.T) {
	f := newFixture(t)
	air, _ := catalogue.Get("air")
	air.Fields = append(slices.Clone(air.Fields), catalogue.Field{Key: "radon_bqm3", Title: "Radon", Unit: "Bq/m³"})
	f.declared = []catalogue.Measurement{air}
	f.Series("air", "radon_bqm3", office, now.Add(-time.Hour), time.Minute, func(time.Time) float64 { return 60 })
	if l := f.must("series=air.radon_bqm3,device=office-air&span=hour").Series[0]; l.Unit != "Bq/m³" || !strings.Contains(l.Title, "Radon") || l.Summary.Mean != 60 {
		t.Errorf("%s in %s: %+v", l.Title, l.Unit, l.Summary)
	}
}

func TestTheSpanOfAForecastEndsInTheFuture(t *testing.T) {
	f := newFixture(t)
	a := f.must("series=weather_forecast.temperature_celsius,place=Home&span=day")
	if !a.From.Equal(now) || !a.To.Equal(now.Add(day)) {
		t.Errorf("from %s to %s", a.From, a.To)
	}
	if a = f.must("series=weather_forecast.temperature_celsius,place=Home&span=month"); !a.To.Equal(now.Add(6 * day)) {
		t.Errorf("from %s to %s", a.From, a.To)
	}
}

func TestTheUsualSpanIsLongEnoughForSomeValues(t *testing.T) {
	f := newFixture(t)
	for series, want := range map[string]string{
		"air.co2_ppm,device=office-air": "day", "zigbee.contact,device=door": "day", "outdoor_air.us_aqi": "day",
		"stock_quote.price_usd,symbol=ACME": "month", "treasury_yield.yield_percent,maturity=10y": "month",
	} {
		if got := f.must("series=" + series).Span; got != want {
			t.Errorf("%s: %s, want %s", series, got, want)
		}
	}
}

func TestTheNearestNameIsGiven(t *testing.T) {
	f := newFixture(t)
	f.Device("zigbee", "Plug", "", pagetest.State("power_outage_count", 1))
	f.declared = []catalogue.Measurement{{Name: "well", Labels: []string{"device"}, Fields: []catalogue.Field{{Key: "depth_meters"}}}}
	for query, want := range map[string]string{
		"series=aair.co2_ppm":                              "did you mean air?",
		"series=air.co2_pm,device=x":                       "did you mean co2_ppm?",
		"series=air.co2_ppm,devise=x":                      "did you mean device?",
		"series=wel.depth_meters":                          "did you mean well?",
		"series=zigbee.power_outage_cont,device=plug":      "did you mean power_outage_count?",
		"series=air.x%22or1=1_co2_ppm,device=x":            "has no field",
		"series=air.A%20B_co2_ppm,device=x":                "has no field",
		"series=air.co2_ppm&spann=day":                     "did you mean span?",
		"series=air.co2_ppm&span=dayy":                     "did you mean day?",
		"series=air.co2_ppm&from=yesterday":                "write it as 2026-11-27T03:12:00Z",
		"series=air.co2_ppm&to=2026-11-27":                 "to needs from",
		"series=air.co2_ppm&from=2026-11-27&to=2026-11-2":  "write it as",
		"series=air.co2_ppm&from=2027-11-27":               "before",
		"series=air.co2_ppm&from=1900-01-01&to=2199-1-1":   "write it as",
		"series=air.co2_ppm&from=1900-01-01&to=2199-01-01": "100 years",
		"series=air.co2_ppm&from=2026-11-01&span=day":      "not both",
		"series=air.co2_ppm&span=day&span=week":            "stands twice",
		"span=day":                                         "0 series",
	} {
		_, err := f.read(query)
		if refused, ok := errors.AsType[*Refused](err); !ok || refused.Status != 400 || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", query, err, want)
		}
	}
	for _, query := range []string{"series=zigbee.power_outage_count,device=plug", "series=well.depth_meters,device=x", "series=power.energy_delta_kwh,device=x", "series=air.socket_2_co2_ppm,device=x",
		"series=air.co2_ppm&from=2026-11-27T03:12", "series=air.co2_ppm&at=2026-11-20&span=week"} {
		if _, err := f.read(query); err != nil {
			t.Errorf("%s: %v", query, err)
		}
	}
}

func TestGuestsSeeNothingPrivate(t *testing.T) {
	f := newFixture(t)
	for _, series := range []string{"stock_quote.price_usd,symbol=X", "treasury_yield.yield_percent,maturity=10y"} {
		_, err := f.read("view=guest&series=" + series)
		if refused, ok := errors.AsType[*Refused](err); !ok || refused.Status != 403 {
			t.Errorf("%s: %v", series, err)
		}
	}
	f.must("view=guest&series=air.co2_ppm,device=office-air")
}

func TestAlertsAndMaintenanceAreMarked(t *testing.T) {
	f := newFixture(t)
	raise := func(key, device, field string, fired, ended time.Time) {
		phase := map[bool]alert.Phase{true: alert.Firing, false: alert.Resolved}[ended.IsZero()]
		f.OK(f.Store.MoveAlerts(t.Context(), []string{key}, func(map[string]alert.State) ([]alert.State, []alert.Message) {
			return []alert.State{{Key: key, Spec: alert.Spec{Title: "Alert " + key, Severity: alert.Warning}, Subject: alert.Subject{Device: device, Field: field}, Phase: phase, Episode: 1, Since: fired, Fired: fired, Ended: ended}}, nil
		}))
	}
	raise("high", "office-air", "co2_ppm", now.Add(-3*time.Hour), now.Add(-2*time.Hour))
	raise("silent", "office-air", "", now.Add(-time.Hour), time.Time{})
	raise("other-field", "office-air", "pm10_ugm3", now.Add(-time.Hour), time.Time{})
	raise("other", "bath", "co2_ppm", now.Add(-time.Hour), time.Time{})
	raise("before", "office-air", "co2_ppm", now.Add(-50*time.Hour), now.Add(-49*time.Hour))
	f.OK(f.Store.SetUntil(t.Context(), store.UntilDate{Kind: store.Maintenance, Subject: "room/Office", Until: now.Add(time.Hour), Set: now.Add(-30 * time.Minute)}))
	f.OK(f.Store.SetUntil(t.Context(), store.UntilDate{Kind: store.Maintenance, Subject: "room/Bath", Until: now.Add(time.Hour), Set: now.Add(-30 * time.Minute)}))
	var got []string
	for _, m := range f.must("series=air.co2_ppm,device=office-air").Marks {
		got = append(got, m.Kind+" "+m.Title)
	}
	if want := "alert Alert high, alert Alert silent, maintenance Maintenance"; strings.Join(got, ", ") != want {
		t.Errorf("%s, want %s", strings.Join(got, ", "), want)
	}
}

func TestMaintenanceOfHearthYmlIsMarked(t *testing.T) {
	f := newFixture(t)
	f.yml = `maintenance:
  - {room: office, from: 2026-11-27 09:00, until: 2026-11-27 10:00}
  - {room: Office, from: 2026-11-27 11:00, until: 2026-11-27 12:00}
  - {device: office-air, from: 2026-11-20, until: 2026-11-21}
  - {device: office-air, from: 2026-11-28, until: 2026-11-29}
  - {device: office-air, until: 2026-11-30}
  - {node: pi4, until: 2026-11-27 12:30}
  - {room: Office}
devices: [{device: bath, maintenance: 2026-11-27 13:00}]
`
	_, err := f.Store.AdoptDevices(t.Context(), []store.DeviceRequest{
		{Physical: "node/pi4", Kind: "node", Device: "edge-pi4", Name: "pi4", Publisher: "hearth/pi4"}, {Physical: "edge/bath", Kind: "edge", Device: "bath", Name: "Bath", Publisher: "hearth/pi4"},
	}, now)
	f.OK(err)
	f.OK(f.Store.SetUntil(t.Context(), store.UntilDate{Kind: store.Maintenance, Subject: "node/edge-pi4", Until: now.Add(time.Hour), Set: now.Add(-7 * time.Minute)}))
	for query, want := range map[string]string{
		"series=air.co2_ppm,device=office-air&span=day":               "?-30T00:00 27T09:00-27T10:00 27T11:00-27T12:00",
		"series=air.co2_ppm,device=office-air&span=week":              "?-30T00:00 20T00:00-21T00:00 27T09:00-27T10:00 27T11:00-27T12:00",
		"series=air.co2_ppm,device=office-air&at=2026-11-27T09:30:00": "27T09:00-27T10:00", // whether the one until the 30th had begun is not known
		"series=air.co2_ppm,device=bath&span=day":                     "?-27T13:00 ?-27T12:30 27T14:00-27T15:07",
		"series=air.co2_ppm,device=other":                             "",
	} {
		var got []string
		for _, m := range f.must(query).Marks {
			from := "?"
			if !m.From.IsZero() {
				from = m.From.Format("02T15:04")
			}
			got = append(got, from+"-"+m.To.Format("02T15:04"))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}

func TestACSVHasEveryReadingOfADayAndWindowsOfMore(t *testing.T) {
	f := newFixture(t)
	f.yml = "house: {zone: Europe/Berlin}"
	f.Device("edge", "=cmd|' /C calc'!A0", "", pagetest.State("co2_ppm", 700))
	evil := map[string]string{"device": "=cmd|'-/c-calc'!a0"}
	f.Series("air", "co2_ppm", evil, now.Add(-30*time.Second), time.Minute, func(time.Time) float64 { return 612.5 })
	f.Series("air", "co2_ppm", office, now.Add(-2*time.Minute), time.Minute, func(t time.Time) float64 { return float64(t.Minute()) })
	got := f.csv("span=hour&series=air.co2_ppm,device=office-air&series=" + escapedKey("air", "co2_ppm", evil))
	want := "time,Office air · CO₂ (ppm),'=cmd|' /C calc'!A0 · CO₂ (ppm)\r\n2026-11-27T15:05:00+01:00,5,\r\n2026-11-27T15:06:00+01:00,6,\r\n2026-11-27T15:06:30+01:00,,612.5\r\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	got = f.csv("span=week&series=air.co2_ppm,device=office-air")
	if want := "time,Office air · CO₂ (ppm),Office air · CO₂ min (ppm),Office air · CO₂ max (ppm)\r\n2026-11-27T15:00:00+01:00,5.5,5,6\r\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A room of 21.5 °C whose sensor gave 215 °C three times.
func TestSuspectValuesAreLeftOut(t *testing.T) {
	f := newFixture(t)
	tags := map[string]string{"device": "office-air"}
	f.Series("air", "temperature_celsius", tags, now.Add(-8*day), 10*time.Minute, func(at time.Time) float64 { return 21.5 })
	for _, ago := range []time.Duration{20 * time.Minute, 3 * time.Hour, 50 * time.Hour} {
		f.Readings(reading.Reading{Name: "air", Tags: tags, Time: now.Add(-ago), Fields: map[string]float64{"temperature_celsius": 215, catalogue.Quality: quality.Suspect.Code()},
			Text: map[string]string{catalogue.Suspect: "temperature_celsius"}})
	}
	for span, want := range map[string]Summary{
		"hour": {Count: 5, Suspect: 1}, "day": {Count: 142, Suspect: 2}, "week": {Count: 7*144 - 3, Suspect: 3}, "month": {Count: 8*144 - 3, Suspect: 3},
	} {
		s := f.must("series=air.temperature_celsius,device=office-air&span=" + span).Series[0].Summary
		if s.Low != 21.5 || s.High != 21.5 || math.Abs(s.Mean-21.5) > 1e-9 || s.Last != 21.5 || s.Count != want.Count || s.Suspect != want.Suspect {
			t.Errorf("%s: %+v", span, s)
		}
	}
	if got, want := f.csv("span=hour&series=air.temperature_celsius,device=office-air"), "time,Office air · Temperature (°C),Office air · Temperature suspect (°C)\r\n"; !strings.HasPrefix(got, want) ||
		!strings.Contains(got, "2026-11-27T13:47:00Z,,215\r\n") || !strings.Contains(got, "2026-11-27T13:57:00Z,21.5,\r\n") {
		t.Errorf("got\n%s", got)
	}
	if got := f.csv("span=week&series=air.temperature_celsius,device=office-air"); !strings.Contains(got, "max (°C),Office air · Temperature suspect values\r\n") || strings.Count(got, "21.5,1\r\n") != 3 || strings.Contains(got, "215") {
		t.Errorf("got\n%.600s", got)
	}
}

func TestWholeNumbersHaveNoDigits(t *testing.T) {
	aqi, load := catalogue.Field{Key: "us_aqi"}, catalogue.Field{Key: "load_1m"}
	for _, c := range []struct {
		f    catalogue.Field
		s    Summary
		want int
	}{
		{aqi, Summary{Low: 42, High: 44}, 0}, {load, Summary{Low: 0, High: 1}, 2}, {load, Summary{Low: 11.5, High: 12}, 2}, {load, Summary{Low: 0.5, High: 8}, 1},
	} {
		if got := digits(c.f, units.Unit{}, c.s); got != c.want {
			t.Errorf("%s %v has %d digits, want %d", c.f.Key, c.s, got, c.want)
		}
	}
}
