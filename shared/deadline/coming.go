package deadline

import (
	"fmt"
	"time"
)

const (
	comingDays = 30 // how many days ahead is looked
	emptyAt    = 5  // percent at which a battery counts as empty
	leastDays  = 7  // of a battery's values, to tell how fast it falls
	leastFall  = 2  // percent over these days
	lowBattery = 20 // percent at which a battery is told however fast it falls
)

// Level is the mean of a battery's level on a day.
type Level struct {
	Day     time.Time
	Percent float64
}

// BatteryEnds says in a sentence that a battery ends within the next 30 days, by the
// straight line through its levels, or that it is low. levels are in order. It is "" if
// neither is so.
func BatteryEnds(name string, levels []Level, now time.Time) string {
	if len(levels) == 0 {
		return ""
	}
	last := levels[len(levels)-1].Percent
	says := fmt.Sprintf("The battery of %s is at %.0f%%", name, last)
	perDay := slope(levels)
	if len(levels) >= leastDays && perDay*float64(len(levels)) <= -leastFall {
		if days := (last - emptyAt) / -perDay; days <= comingDays {
			return says + fmt.Sprintf(" and lasts until about %s.", now.Add(time.Duration(max(days, 0)*float64(day))).Format("2 January"))
		}
	}
	if last < lowBattery {
		return says + "."
	}
	return ""
}

// slope returns the change a day of the straight line through levels (least squares).
func slope(levels []Level) float64 {
	var n, sx, sy, sxx, sxy float64
	for _, l := range levels {
		x, y := l.Day.Sub(levels[0].Day).Hours()/24, l.Percent
		n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	if d := n*sxx - sx*sx; d != 0 {
		return (n*sxy - sx*sy) / d
	}
	return 0
}

// Allotment says in a sentence that what is used in a month does not last until its end at
// the present rate. It is "" if it does, or if too little of the month has passed.
func Allotment(name, unit string, used, included float64, now time.Time) string {
	begin := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, now.Location())
	end := begin.AddDate(0, 1, 0)
	passed, all := now.Sub(begin).Hours(), end.Sub(begin).Hours()
	if included <= 0 || used <= 0 || passed < 72 || used < included && used/passed*all <= included {
		return ""
	}
	says := fmt.Sprintf("%s: %.0f of %.0f %s of this month are used", name, used, included, unit)
	if used >= included {
		return says + "."
	}
	spent := begin.Add(time.Duration(included / used * float64(now.Sub(begin))))
	return says + ", at this rate all by " + spent.Format("2 January") + "."
}
