package status

import (
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
)

const (
	minQuiet  = 2 * time.Minute // no device is silent before: it may have started again
	pauses    = 3               // a device is silent after so many of its usual pauses
	minValues = 6               // of the last day, from which the usual pause is learned
)

// quietOf returns for how long a device of a kind may report nothing before it is
// silent. pause is its usual pause, 0 if that is not known.
func quietOf(kind string, pause time.Duration) time.Duration {
	if pause == 0 {
		return quiet
	}
	pause = max(pause, catalogue.DeviceKindOf(kind).Pause)
	return min(max(pauses*pause, minQuiet), quiet)
}

// usualPause returns the longest usual time between two reports of a device: what
// hearth.yml declares for a measurement of its own, else what the values of the last
// day, g, show. It is 0 if they are too few. latest is the time of the last report.
func usualPause(declared catalogue.Measurement, g graph, latest time.Time) time.Duration {
	if _, listed := catalogue.Get(declared.Name); !listed && declared.Cadence > 0 {
		return declared.Cadence
	}
	var at []int         // the steps with values
	var counts []float64 // of values in each of them
	n := 0.0
	for i, b := range g.buckets() {
		if b.count > 0 {
			at, counts = append(at, i), append(counts, b.count)
			n += b.count
		}
	}
	switch {
	case n < minValues:
		return 0
	case len(at) < 3: // a device that is new: all of its values are within two steps
		return max(latest.Sub(g.query.From.Add(time.Duration(at[0])*g.query.Step)), time.Duration(len(at)-1)*g.query.Step) / time.Duration(n-1)
	}
	inner := slices.Sorted(slices.Values(counts[1 : len(counts)-1])) // the first and the last may be parts of a step
	few, median, span := inner[len(inner)/10], inner[len(inner)/2], at[len(at)-1]-at[0]+1
	if few >= median/2 && len(at)*5 >= span*4 { // it reports regularly; it may have been away for a while
		return time.Duration(float64(g.query.Step) / few)
	}
	longest := 0
	for i := range at[1:] {
		longest = max(longest, at[i+1]-at[i])
	}
	return time.Duration(longest) * g.query.Step
}
