package silence

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// learned is a cadence of these gaps, the last of which ended at noon.
func learned(gaps ...time.Duration) *Cadence {
	var c Cadence
	var sum time.Duration
	for _, g := range gaps {
		sum += g
	}
	at := noon.Add(-sum)
	for _, g := range gaps {
		c.Learn(at, at.Add(g))
		at = at.Add(g)
	}
	return &c
}

func times(n int, gap time.Duration) (out []time.Duration) {
	for range n {
		out = append(out, gap)
	}
	return out
}

func TestLimit(t *testing.T) {
	hourly := Stream{Declared: time.Hour, Rhythm: true}
	for name, c := range map[string]struct {
		gaps   []time.Duration
		stream Stream
		want   time.Duration // 0: it is not judged
	}{
		"nothing learned, nothing declared":           {nil, Stream{}, 25 * time.Hour},
		"nothing learned":                             {nil, Stream{Declared: 10 * time.Minute}, 30 * time.Minute},
		"nine gaps are too few":                       {times(9, 5*time.Minute), Stream{Declared: time.Hour}, 3 * time.Hour},
		"a sensor that reports every six hours":       {times(2, 6*time.Hour), Stream{Declared: 10 * time.Minute}, 18 * time.Hour},
		"ten gaps":                                    {times(10, 5*time.Minute), Stream{Declared: time.Hour}, 15 * time.Minute},
		"at least ten minutes":                        {times(50, time.Minute), Stream{Declared: time.Hour}, 10 * time.Minute},
		"at most 25 hours":                            {times(12, 20*time.Hour), hourly, 25 * time.Hour},
		"one that reports every two days":             {times(12, 48*time.Hour), hourly, 0},
		"one long gap of 50 is none":                  {append(times(45, 10*time.Minute), 9*time.Hour, 10*time.Minute), Stream{Declared: time.Hour}, 30 * time.Minute},
		"Zigbee on its first day":                     {times(20, 20*time.Minute), hourly, 3 * time.Hour},
		"Zigbee later":                                {times(150, 20*time.Minute), hourly, time.Hour},
		"a button that was pressed twelve times":      {times(12, 2*time.Minute), Stream{Declared: time.Hour, Events: true, Rhythm: true}, 0},
		"a button":                                    {append(append(times(6, 10*time.Hour), times(20, 2*time.Minute)...), 11*time.Hour, 12*time.Hour), Stream{Declared: time.Hour, Events: true, Rhythm: true}, 0},
		"a contact that also reports every hour":      {times(60, 50*time.Minute), Stream{Declared: time.Hour, Events: true, Rhythm: true}, 150 * time.Minute},
		"a solar inverter that sleeps at night":       {append(append(append(times(20, time.Minute), 10*time.Hour), append(times(600, time.Minute), 10*time.Hour)...), append(times(600, time.Minute), 11*time.Hour, time.Minute)...), hourly, 15 * time.Hour},
		"an edge sensor needs no second day to learn": {times(10, 30*time.Second+time.Minute), Stream{Declared: 10 * time.Minute}, 10 * time.Minute},
	} {
		limit, ok := learned(c.gaps...).Limit(c.stream, noon)
		if !ok {
			limit = 0
		}
		if limit != c.want || ok != (c.want != 0) {
			t.Errorf("%s: %s, %v; want %s", name, limit, ok, c.want)
		}
	}
}

func TestMetricLimit(t *testing.T) {
	for name, c := range map[string]struct {
		gaps []time.Duration
		want time.Duration
	}{
		"known for an hour":               {times(60, time.Minute), 0},
		"regular for two days":            {times(60, time.Hour), 3 * time.Hour},
		"few reports":                     {times(40, 2*time.Hour), 0},
		"only while on battery":           {append(times(45, time.Minute), append(times(10, 60*time.Hour), times(5, time.Minute)...)...), 0},
		"changes by day and not by night": {append(append(times(30, 20*time.Minute), 14*time.Hour), append(times(30, 20*time.Minute), append([]time.Duration{14 * time.Hour}, times(30, 20*time.Minute)...)...)...), 21 * time.Hour},
	} {
		limit, ok := learned(c.gaps...).MetricLimit(noon)
		if !ok {
			limit = 0
		}
		if limit != c.want {
			t.Errorf("%s: %s, %v; want %s", name, limit, ok, c.want)
		}
	}
}

// The limit is what the issue says: three times the 95th percentile of the last 50 gaps,
// within its bounds, where there is no daily rhythm.
func TestLimitIsThreeTimesThePercentile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		usual := time.Duration(rapid.IntRange(60, 3600).Draw(t, "usual")) * time.Second
		var c Cadence
		at := noon
		var all []time.Duration
		for range rapid.IntRange(10, 200).Draw(t, "n") {
			gap := usual + time.Duration(rapid.IntRange(0, 60).Draw(t, "jitter"))*time.Second
			c.Learn(at, at.Add(gap))
			at = at.Add(gap)
			all = append(all, gap)
		}
		last := all[max(0, len(all)-50):]
		atMost := func(limit time.Duration) (n int) {
			for _, g := range last {
				if g <= limit {
					n++
				}
			}
			return n
		}
		got, ok := c.Limit(Stream{Declared: time.Hour}, at)
		if !ok || got < 10*time.Minute {
			t.Fatal(got, ok)
		}
		if usual := got / 3; got > 10*time.Minute && (20*atMost(usual) < 19*len(last) || 20*atMost(usual-time.Second) >= 19*len(last)) {
			t.Fatalf("%d of %d gaps are at most %s", atMost(usual), len(last), usual)
		}
	})
}

// stream simulates a device: it returns the time of its next report.
type stream struct {
	name string
	kind Stream
	next func(r *rand.Rand, at time.Time) time.Time
}

var streams = []stream{
	{"every 30 s", Stream{Declared: 10 * time.Minute}, func(r *rand.Rand, at time.Time) time.Time { return at.Add(30 * time.Second) }},
	{"every hour", Stream{Declared: time.Hour}, func(r *rand.Rand, at time.Time) time.Time { return at.Add(time.Hour) }},
	{"thermometer on change, hourly at night", Stream{Declared: time.Hour, Rhythm: true}, func(r *rand.Rand, at time.Time) time.Time {
		if h := at.Hour(); h >= 7 && h < 23 {
			return at.Add(time.Duration(2+r.ExpFloat64()*12) * time.Minute)
		}
		return at.Add(time.Hour)
	}},
	{"motion, nothing at night", Stream{Declared: time.Hour, Events: true, Rhythm: true}, func(r *rand.Rand, at time.Time) time.Time {
		next := at.Add(time.Duration(60+r.ExpFloat64()*900) * time.Second)
		if h := next.Hour(); h >= 23 || h < 6 {
			next = time.Date(next.Year(), next.Month(), next.Day(), 6, r.IntN(90), 0, 0, time.UTC)
			if h >= 23 {
				next = next.Add(24 * time.Hour)
			}
		}
		return next
	}},
	{"button, a few times a day", Stream{Declared: time.Hour, Events: true, Rhythm: true}, func(r *rand.Rand, at time.Time) time.Time {
		return at.Add(time.Duration(r.ExpFloat64() * float64(5*time.Hour)))
	}},
	{"window, with a report every two hours", Stream{Declared: time.Hour, Events: true, Rhythm: true}, func(r *rand.Rand, at time.Time) time.Time {
		return at.Add(min(2*time.Hour, time.Duration(r.ExpFloat64()*float64(4*time.Hour))))
	}},
	{"daily", Stream{Declared: time.Hour, Rhythm: true, Events: true}, func(r *rand.Rand, at time.Time) time.Time {
		return at.Add(24*time.Hour + time.Duration(r.IntN(600)-300)*time.Second)
	}},
}

// TestThirtyDaysWithoutAFalseAlarm watches devices each minute, and then lets those that
// have a cadence die.
func TestThirtyDaysWithoutAFalseAlarm(t *testing.T) {
	within := map[string]time.Duration{"every 30 s": 11 * time.Minute, "every hour": 3*time.Hour + 2*time.Minute, "thermometer on change, hourly at night": 4 * time.Hour, "window, with a report every two hours": 7 * time.Hour}
	for seed := range uint64(3) {
		for _, s := range streams {
			t.Run(fmt.Sprint(s.name, " ", seed), func(t *testing.T) {
				r := rand.New(rand.NewPCG(seed, 1))
				var c Cadence
				end := noon.Add(30 * 24 * time.Hour)
				last, next, prev := noon, s.next(r, noon), noon
				for now := noon; ; now = now.Add(time.Minute) {
					for !next.After(now) && next.Before(end) {
						last, next = next, s.next(r, next)
					}
					if last.After(prev) && c.Learn(prev, last) {
						prev = last
					}
					limit, ok := c.Limit(s.kind, now)
					if !now.Before(end) && (within[s.name] == 0 || ok && now.Sub(last) >= limit) {
						if dead := now.Sub(last); within[s.name] > 0 && dead > within[s.name] {
							t.Errorf("its end is noticed after %s, want %s", dead, within[s.name])
						}
						return
					}
					if now.Sub(end) > 48*time.Hour {
						t.Fatal("its end is not noticed")
					}
					if now.Before(end) && ok && now.Sub(last) >= limit {
						t.Fatalf("silent on day %d at %s, after %s without a report", int(now.Sub(noon)/(24*time.Hour)), now.Format("15:04"), now.Sub(last))
					}
				}
			})
		}
	}
}

func TestFrozen(t *testing.T) {
	var c Cadence
	at := noon
	change := func(n int, equal time.Duration) {
		for range n {
			at = at.Add(equal)
			c.Changed(equal, at)
		}
	}
	expect := func(what string, want time.Duration) {
		t.Helper()
		limit, ok := c.Frozen(at)
		if !ok {
			limit = 0
		}
		if limit != want {
			t.Errorf("%s: %s, want %s", what, limit, want)
		}
	}
	change(60, 10*time.Minute)
	expect("for ten hours", 0)
	change(500, 10*time.Minute)
	expect("for three days", 6*time.Hour)
	change(1, 3*time.Hour)
	expect("after a long night", 9*time.Hour)
	change(1, 100*time.Hour)
	expect("a failure teaches little", 18*time.Hour)
	c = Cadence{}
	change(100, 5*time.Hour)
	expect("one that changes rarely", 0)
}

func TestContinuous(t *testing.T) {
	for metric, want := range map[string]bool{
		"temperature_celsius": true, "humidity_percent": true, "co2_ppm": true, "pm2_5_ugm3": true, "pressure_hpa": true, "soil_moisture_percent": true, "cpu_temperature_celsius": true, "tvoc_ppb": true,
		"energy_kwh": false, "contact": false, "state": false, "battery_percent": false, "power_watts": false, "occupied_heating_setpoint_celsius": false, "temperature_calibration_celsius": false, "linkquality": false, "position_percent": false, "target_temperature_celsius": false, "voltage_volts": false,
	} {
		if Continuous(metric) != want {
			t.Errorf("%s: %v", metric, !want)
		}
	}
}

func TestVanished(t *testing.T) {
	m := func(id string, ago, limit time.Duration) Member { return Member{id, noon.Add(-ago), limit} }
	minute := time.Minute
	for name, c := range map[string]struct {
		members []Member
		want    string
	}{
		"all report":             {[]Member{m("a", minute, 10*minute), m("b", minute, 10*minute), m("c", 2*minute, 10*minute)}, "[]"},
		"all three vanished":     {[]Member{m("a", 8*minute, 10*minute), m("b", 9*minute, 10*minute), m("c", 10*minute, 10*minute)}, "[a b c]"},
		"two are no group":       {[]Member{m("a", 8*minute, 10*minute), m("b", 9*minute, 10*minute), m("c", minute, 10*minute)}, "[]"},
		"half of six":            {[]Member{m("a", 8*minute, 10*minute), m("b", 8*minute, 10*minute), m("c", 9*minute, 10*minute), m("d", 0, 10*minute), m("e", minute, 10*minute), m("f", minute, 10*minute)}, "[a b c]"},
		"less than half":         {[]Member{m("a", 8*minute, 10*minute), m("b", 8*minute, 10*minute), m("c", 9*minute, 10*minute), m("d", 0, 10*minute), m("e", minute, 10*minute), m("f", minute, 10*minute), m("g", minute, 10*minute)}, "[]"},
		"batteries of a year":    {[]Member{m("a", 800*minute, 10*minute), m("b", 80000*minute, 10*minute), m("c", 900*minute, 10*minute), m("d", minute, 10*minute)}, "[]"},
		"slow ones may still be": {[]Member{m("a", 8*minute, 10*minute), m("b", 9*minute, 10*minute), m("c", 9*minute, 10*minute), m("d", 40*minute, 180*minute), m("e", 50*minute, 180*minute)}, "[a b c]"},
		"dead before":            {[]Member{m("old", 9000*minute, 10*minute), m("a", 8*minute, 10*minute), m("b", 9*minute, 10*minute), m("c", 9*minute, 10*minute)}, "[a b c]"},
		"nobody":                 {nil, "[]"},
	} {
		at, gone, ok := Vanished(c.members, noon)
		if fmt.Sprint(gone) != c.want || ok != (c.want != "[]") || ok && at.After(noon.Add(-8*minute)) {
			t.Errorf("%s: %v at %s, want %s", name, gone, at, c.want)
		}
	}
}
