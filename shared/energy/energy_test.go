package energy

import (
	"math"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
)

func TestThePriceIsThatOfTheTimeOfDay(t *testing.T) {
	night := []settings.Price{{Price: 0.2, From: "22:00", To: "06:00"}, {Price: 0.4, From: "06:00", To: "20:00"}}
	for _, c := range []struct {
		ps    []settings.Price
		at    time.Duration
		price float64
		ok    bool
	}{
		{nil, 0, 0, false}, {[]settings.Price{{Price: 0.3}}, 12 * time.Hour, 0.3, true},
		{night, 0, 0.2, true}, {night, 6 * time.Hour, 0.4, true}, {night, 22 * time.Hour, 0.2, true}, {night, 21 * time.Hour, 0, false},
	} {
		if price, ok := priceAt(c.ps, c.at); price != c.price || ok != c.ok {
			t.Errorf("%v: %v, %t", c, price, ok)
		}
	}
}

var midnight = time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)

var quarters = store.Query{Step: 15 * time.Minute}

func windowsAt(mean float64, minutes ...int) (ws []store.Window) {
	for _, m := range minutes {
		ws = append(ws, store.Window{Start: midnight.Add(time.Duration(m) * time.Minute), Mean: mean, Count: 2})
	}
	return ws
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

func TestAPowerHoldsUntilTheNextValueAndNotOverAGap(t *testing.T) {
	ws := windowsAt(1000, 0, 60, 300)
	for _, c := range []struct {
		hold  time.Duration
		until int // minutes
		kwh   float64
	}{
		{time.Hour, 300, 1.25}, // from 0 to 60, then one step
		{time.Hour, 330, 1.75}, {time.Hour, 305, 1.25 + 5.0/60}, {0, 400, 0.75}, {4 * time.Hour, 300, 5}, {4 * time.Hour, 360, 6},
	} {
		parts := Integrated(ws, quarters, c.hold, midnight.Add(time.Duration(c.until)*time.Minute))
		if u := Sum(parts, nil, time.UTC); !near(u.KWh, c.kwh) || u.Priced {
			t.Errorf("%+v: %v kWh, %t", c, u.KWh, u.Priced)
		}
		for _, p := range parts {
			if p.End.Sub(p.Start) > quarters.Step {
				t.Errorf("%+v: part %v", c, p)
			}
		}
	}
}

func TestEachPartHasThePriceAtItsTime(t *testing.T) {
	prices := []settings.Price{{Price: 0.2, From: "22:00", To: "06:00"}, {Price: 0.4, From: "06:00", To: "22:00"}}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	parts := Counted(windowsAt(0.5, 0, 4*60+45, 5*60, 21*60), quarters, midnight.Add(21*time.Hour+5*time.Minute)) // 01:00, 05:45, 06:00, 22:00 in Berlin; 1 kWh each
	if u := Sum(parts, prices, berlin); !near(u.KWh, 4) || !near(u.Cost, 0.2+0.2+0.4+0.2) || !u.Priced {
		t.Errorf("%+v", u)
	}
	if u := Sum(parts, prices[1:], berlin); u.Priced {
		t.Error("a part without a price has one")
	}
	if last := parts[len(parts)-1]; last.End.Sub(last.Start) != 5*time.Minute || last.KWh != 1 {
		t.Errorf("the last part is %+v", last)
	}
	half := Within(parts, midnight.Add(5*time.Minute), midnight.Add(5*time.Hour+5*time.Minute))
	if u := Sum(half, prices, berlin); !near(u.KWh, 2.0/3+1+1.0/3) {
		t.Errorf("%+v", u)
	}
}
