package main_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// span returns the view of a panel that has a span of its own, or shows one value of the
// variable by which it is repeated.
func (p panelJSON) span(v view) view {
	switch from := p.TimeFrom; {
	case from == "":
	case from == "now/d":
		v.from = today
	case from == "now/M":
		v.from = today.AddDate(0, 0, 1-today.Day())
	default:
		unit := map[byte]time.Duration{'h': time.Hour, 'd': day}[from[len(from)-1]]
		var n int
		fmt.Sscanf(strings.TrimPrefix(from, "now-"), "%d", &n)
		v.from = v.to.Add(-time.Duration(n) * unit)
	}
	return v
}

// find returns the panel of a title.
func find(t *testing.T, file, title string) (dashboardFile, panelJSON) {
	t.Helper()
	for _, d := range readDashboards(t, committed) {
		var found *panelJSON
		d.each(func(p panelJSON) {
			if d.File == file && p.Title == title && found == nil {
				found = &p
			}
		})
		if found != nil {
			return d, *found
		}
	}
	t.Fatalf("%s has no panel %q", file, title)
	return dashboardFile{}, panelJSON{}
}

// shown returns the frames of a panel, with chosen values of variables.
func (w *world) shown(t *testing.T, file, title string, length, interval time.Duration, chosen map[string][]string) []frame {
	t.Helper()
	d, p := find(t, file, title)
	c := w.connect(t)
	v := w.looking(t, c, d, length, interval)
	for name, values := range chosen {
		v.values[name] = values
	}
	frames, err := w.answer(t, c, p.span(v), p.Targets[0])
	if err != nil {
		t.Fatalf("%s: %v\n%s", title, err, w.sent(p.span(v), p.Targets[0]))
	}
	return frames
}

// last returns the newest number of a panel's only series.
func last(t *testing.T, frames []frame, column string) float64 {
	t.Helper()
	if len(frames) != 1 {
		t.Fatalf("%d series: %v", len(frames), frames)
	}
	values := frames[0].column(column)
	if len(values) == 0 {
		t.Fatalf("no %s: %v", column, frames)
	}
	n, ok := values[len(values)-1].(float64)
	if !ok {
		t.Fatalf("%s is %v", column, values[len(values)-1])
	}
	return n
}

// of returns a series of the test data.
func of(t *testing.T, measurement, label string) series {
	t.Helper()
	for _, s := range allSeries() {
		if s.m.Name == measurement && slices.Contains(valuesOf(s.tags), label) {
			return s
		}
	}
	t.Fatalf("no series %s %s", measurement, label)
	return series{}
}

func valuesOf(tags map[string]string) (out []string) {
	for _, v := range tags {
		out = append(out, v)
	}
	return out
}

// at returns the value of a field at the newest reading that is not after a time.
func (s series) at(t *testing.T, key string, when time.Time) float64 {
	t.Helper()
	f, ok := s.m.Field(key)
	times := s.times()
	i, _ := slices.BinarySearchFunc(times, when.Add(1), time.Time.Compare)
	if !ok || i == 0 {
		t.Fatalf("no %s before %s", key, when)
	}
	return s.value(f, times[i-1])
}

// sum adds the values of a field from one time to another.
func (s series) sum(key string, from, to time.Time) (sum float64) {
	f, _ := s.m.Field(key)
	for _, at := range s.times() {
		if !at.Before(from) && at.Before(to) {
			sum += s.value(f, at)
		}
	}
	return sum
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-6*max(1, math.Abs(want)) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestTheGroupIsAddedUp(t *testing.T) {
	w := theWorld(t)
	pdus := map[string][]string{"group": {"pdu-a", "pdu-b"}, "price": {"0.32"}}
	a, b := of(t, "power", "pdu-a"), of(t, "power", "pdu-b")
	for _, span := range spans {
		watts := w.shown(t, "power.json", "Homelab power", span.length, span.interval, pdus)
		near(t, "the power over "+span.name, last(t, watts, "_value"), a.at(t, "power_watts", noon)+b.at(t, "power_watts", noon))
		amps := w.shown(t, "power.json", "Homelab amps", span.length, span.interval, pdus)
		near(t, "the current over "+span.name, last(t, amps, "_value"), a.at(t, "current_amperes", noon)+b.at(t, "current_amperes", noon))
	}
	begin := today.AddDate(0, 0, 1-today.Day())
	for _, c := range []struct {
		title string
		from  time.Time
		price float64
	}{{"Energy today", today, 1}, {"Cost today", today, 0.32}, {"Energy this month", begin, 1}, {"Cost this month", begin, 0.32}} {
		want := (a.sum("energy_delta_kwh", c.from, noon) + b.sum("energy_delta_kwh", c.from, noon)) * c.price
		got := w.shown(t, "power.json", c.title, day, 5*time.Minute, pdus)
		near(t, c.title, last(t, got, got[0].columns[len(got[0].columns)-1]), want)
	}
	mean := w.shown(t, "power.json", "Homelab average power", day, 5*time.Minute, pdus)
	watts := last(t, mean, mean[0].columns[len(mean[0].columns)-1])
	cost := w.shown(t, "power.json", "Estimated monthly cost", day, 5*time.Minute, pdus)
	near(t, "the cost of a month", last(t, cost, cost[0].columns[len(cost[0].columns)-1]), watts*730.5/1000*0.32)
	if low, high := 300.0, 312.0; watts < low || watts > high {
		t.Errorf("the average power is %v, want %v to %v", watts, low, high)
	}
}

func TestYieldsAreOfTheirOwnDates(t *testing.T) {
	w := theWorld(t)
	two, ten := of(t, "treasury_yield", "2y"), of(t, "treasury_yield", "10y")
	newest := today.AddDate(0, 0, -1)
	table := w.shown(t, "markets.json", "T-bills and bonds", 90*day, day, nil)[0]
	if date := table.column("Date")[0]; date != newest.Format(time.DateOnly) {
		t.Errorf("the newest yield is of %v, want %s", date, newest.Format(time.DateOnly))
	}
	near(t, "the yield of 2 years", table.column("2y")[0].(float64), two.at(t, "yield_percent", newest))
	spread := w.shown(t, "markets.json", "Spread", 90*day, day, nil)
	near(t, "the spread", last(t, spread, "_value"), ten.at(t, "yield_percent", newest)-two.at(t, "yield_percent", newest))

	curve := w.shown(t, "markets.json", "Yield curve", 90*day, day, nil)[0]
	i := slices.Index(curve.columns, "maturity_months")
	for _, row := range curve.rows {
		if row[i] != 24.0 && row[i] != 120.0 {
			continue
		}
		s := map[any]series{24.0: two, 120.0: ten}[row[i]]
		for column, ago := range map[string]time.Time{"Today": noon, "A month ago": noon.AddDate(0, 0, -30), "Six months ago": noon.AddDate(0, 0, -182), "A year ago": noon.AddDate(0, 0, -365)} {
			near(t, fmt.Sprintf("the yield of %v months, %s,", row[i], column), row[slices.Index(curve.columns, column)].(float64), s.at(t, "yield_percent", ago))
		}
	}
}

func TestAStockShowsOpenLastAndChange(t *testing.T) {
	w := theWorld(t)
	quote := of(t, "stock_quote", "SPY")
	stock := w.shown(t, "markets.json", "${symbol}", day, time.Minute, map[string][]string{"symbol": {"SPY"}})
	for column, key := range map[string]string{"Open": "open_usd", "Last": "price_usd", "Change": "change_percent"} {
		near(t, column, last(t, stock, column), quote.at(t, key, noon))
	}
}
