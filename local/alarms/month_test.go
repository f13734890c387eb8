package alarms

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestAMonth simulates a house with sensors that report as real ones do, by day and by
// night, and lets parts of it fail, one after the other. Each fault has one message, in its
// time, and resolved once; nothing else is told. With CHAOS_SEEDS so many houses are
// simulated for 30 days, else one for some days, with some of the faults.
func TestAMonth(t *testing.T) {
	seeds, days := rounds(1), 30
	if os.Getenv("CHAOS_SEEDS") == "" {
		days = 8
	}
	if n, err := strconv.Atoi(os.Getenv("CHAOS_DAYS")); err == nil {
		days = n
	}
	for range seeds {
		seed := uint64(1)
		if os.Getenv("CHAOS_SEEDS") != "" {
			seed = rand.Uint64()
		}
		if s, err := strconv.ParseUint(os.Getenv("CHAOS_SEED"), 10, 64); err == nil {
			seed = s
		}
		t.Run(fmt.Sprint("CHAOS_SEED=", seed), func(t *testing.T) {
			t.Logf("CHAOS_SEED=%d", seed)
			m := newMonth(t, seed, days)
			m.run()
			m.check()
		})
	}
}

// fault is something that goes wrong for a while.
type fault struct {
	name       string
	key        string        // part of the keys of its alerts
	within     time.Duration // after its begin, the alert fires
	over       time.Duration // after its end, the alert resolves
	most       int           // messages
	begin, end time.Time
	start      func(m *month)
	stop       func(m *month)
}

// kinds are the faults of a house, each of which lasts for so many hours.
func kinds() []fault {
	hours := func(n float64) time.Time { return time.Time{}.Add(time.Duration(n * float64(time.Hour))) }
	return []fault{
		{name: "a freezer that warms slowly", key: "freezer/freezer/temperature", within: 14 * time.Hour, over: 3 * time.Hour, most: 2, end: hours(19),
			start: func(m *month) { m.drift = m.now }, stop: func(m *month) { m.drift = time.Time{} }},
		{name: "a dead thermometer", key: "silent/bedroom", within: 6 * time.Hour, over: 2 * time.Hour, most: 2, end: hours(18),
			start: func(m *month) { m.gadget("bedroom").dead = true }, stop: func(m *month) { m.gadget("bedroom").dead = false }},
		{name: "a dead dust sensor", key: "silent/lab-dust", within: 15 * time.Minute, over: 5 * time.Minute, most: 2, end: hours(7),
			start: func(m *month) { m.gadget("lab-dust").dead = true }, stop: func(m *month) { m.gadget("lab-dust").dead = false }},
		{name: "a frozen value", key: "frozen/attic-air/temperature_celsius", within: 13 * time.Hour, over: 5 * time.Minute, most: 2, end: hours(18),
			start: func(m *month) { m.gadget("attic-air").frozen = true }, stop: func(m *month) { m.gadget("attic-air").frozen = false }},
		{name: "a flapping value", key: "co2-high/office-air/co2_ppm", within: 20 * time.Minute, over: 100 * time.Minute, most: 10, end: hours(5),
			start: func(m *month) { m.flap = true }, stop: func(m *month) { m.flap = false }},
		{name: "a bridge that is off", key: "bridge-offline/", within: 7 * time.Minute, over: 5 * time.Minute, most: 2, end: hours(3),
			start: (*month).bridgeOff, stop: (*month).bridgeOn},
		{name: "a database that is off", key: "store-away", end: hours(2.5), // Slack is told without it: see checkOutages
			start: (*month).storeOff, stop: (*month).storeOn},
		{name: "a water leak", key: "water-leak/cellar-leak/", within: 5 * time.Minute, over: 5 * time.Minute, most: 2, end: hours(1),
			start: func(m *month) { m.leak = true; m.gadget("cellar-leak").next = m.now }, stop: func(m *month) { m.leak = false; m.gadget("cellar-leak").next = m.now }},
	}
}

const learning = 4 // days without a fault, in which cadences are learned

// plan puts each kind of fault on a day of its own, in a random order, again and again.
func (m *month) plan(days int) {
	order := kinds()
	for day := learning; ; {
		if day >= days {
			return
		}
		m.r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, f := range order[:min(len(order), days-day)] {
			f.begin = m.now.AddDate(0, 0, day).Add(time.Duration(m.r.IntN(180)) * time.Minute)
			f.end = f.begin.Add(f.end.Sub(time.Time{}))
			m.faults = append(m.faults, f)
			day++
		}
	}
}

// check compares what was told with the faults.
func (m *month) check() {
	told := m.told()
	used := map[int]bool{}
	for _, f := range m.faults {
		var of []notice
		for i, n := range told {
			if strings.Contains(n.key, f.key) && !n.at.Before(f.begin) && n.at.Before(f.end.Add(f.over)) {
				used[i] = true
				of = append(of, n)
			}
		}
		if why := f.judge(of); why != "" {
			m.t.Errorf("%s, %s to %s: %s: %v", f.name, f.begin.Format(stamp), f.end.Format(stamp), why, of)
		}
	}
	for i, n := range told {
		if !used[i] {
			m.t.Errorf("a false alarm: %v\n%s", n, n.text)
		}
	}
	m.checkOutages()
	m.t.Logf("%d faults, %d messages, %d readings", len(m.faults), len(told), m.readings)
}

// judge says what is wrong with what was told of a fault; "": nothing.
func (f *fault) judge(of []notice) string {
	if len(of) == 0 && f.most > 0 {
		return "it was never told"
	}
	if len(of) == 0 {
		return ""
	}
	if late := of[0].at.Sub(f.begin); late > f.within {
		return fmt.Sprintf("it was told after %s", late)
	}
	if len(of) > f.most {
		return fmt.Sprintf("it was told %d times", len(of))
	}
	var what []string
	for _, n := range of {
		what = append(what, n.what)
	}
	flaps := 0
	for _, w := range what {
		if w == "flapping" {
			flaps++
		}
	}
	switch {
	case what[0] != "fired" || what[len(what)-1] != "resolved":
		return "it was not told first that it fires and last that it is over"
	case f.most == 2 && !slices.Equal(what, []string{"fired", "resolved"}):
		return "it has not exactly one message"
	case f.most > 2 && flaps != 1:
		return fmt.Sprintf("it was told %d times that it flaps", flaps)
	}
	return ""
}
