package agent

import (
	"maps"
	"slices"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/shared/catalogue"
)

// combine makes one sample of several, by how: mean or median, or empty for the last
// value. It uses only the samples of the best quality among them. Of a switch or a
// counter it always takes the last value.
func combine(how string, samples []driver.Sample) driver.Sample {
	if len(samples) == 1 {
		return samples[0]
	}
	best := samples[0].Quality
	for _, s := range samples {
		if rank(s.Quality) < rank(best) {
			best = s.Quality
		}
	}
	out := driver.New()
	values := map[string][]float64{}
	for _, s := range samples {
		if s.Quality != best {
			continue
		}
		if s.Reason != "" {
			out.Flag(s.Quality, "%s", s.Reason)
		}
		out.Quality = best
		maps.Copy(out.Text, s.Text)
		for k, v := range s.Fields {
			values[k] = append(values[k], v)
		}
	}
	for k, v := range values {
		out.Fields[k] = combineField(how, k, v)
	}
	return out
}

// rank orders qualities, the best first.
func rank(q driver.Quality) int {
	return slices.Index([]driver.Quality{driver.OK, driver.WarmingUp, driver.Suspect}, q)
}

// combineField combines the values v of one field, in order of time.
func combineField(how, key string, v []float64) float64 {
	f, _ := driver.FieldOf(key)
	binary, counter := f.Unit == "" && f.Max == 1, f.Max >= catalogue.Limits
	switch {
	case binary || counter || how == "":
		return v[len(v)-1]
	case how == "mean":
		sum := 0.0
		for _, x := range v {
			sum += x
		}
		return sum / float64(len(v))
	}
	slices.Sort(v)
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}
