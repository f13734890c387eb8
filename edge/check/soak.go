package check

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/shared/secret"
)

// Limits of a sensor that counts as good.
const (
	minSuccess = 0.80 // share of the reads that succeed: a DHT22 may fail one in five
	maxSuspect = 0.05 // share of the samples that are suspect
	minReads   = 5    // with fewer reads there is no verdict
	stuckRun   = 60   // identical samples in a row
	maxNoise   = 0.02 // median step between two samples, as a share of the field's range
)

// trial holds the results of many reads of a sensor.
type trial struct {
	failed  int
	samples []driver.Sample
	Error   error // of the last failure
}

// verdict is the result of a trial.
type verdict struct {
	good    bool
	Reasons []string // why it is not good, or what to check
}

// judge checks a trial for failures, suspect values, stuck values and noise.
func judge(t trial) verdict {
	v := verdict{good: true}
	bad := func(format string, args ...any) {
		v.good = false
		v.Reasons = append(v.Reasons, fmt.Sprintf(format, args...))
	}
	reads := len(t.samples) + t.failed
	if reads < minReads {
		bad("too few reads (%d): run the check for longer", reads)
	}
	if reads > 0 && float64(len(t.samples)) < minSuccess*float64(reads) {
		bad("%d of %d reads failed, the last: %v", t.failed, reads, t.Error)
	}
	suspect, reason, warming := 0, "", 0
	for _, s := range t.samples {
		switch s.Quality {
		case driver.Suspect:
			suspect++
			reason = s.Reason
		case driver.WarmingUp:
			warming++
		}
	}
	if n := len(t.samples); n > 0 && float64(suspect) > maxSuspect*float64(n) {
		bad("%d of %d samples are suspect: %s", suspect, n, reason)
	} else if n > 0 && warming == n {
		v.Reasons = append(v.Reasons, "never warmed up")
	}
	if run := longestRun(t.samples); run >= stuckRun {
		bad("stuck: %d samples in a row are the same", run)
	}
	for _, key := range noisy(t.samples) {
		bad("%s is noisy: it changes too much from sample to sample", key)
	}
	return v
}

// longestRun returns the length of the longest run of equal samples.
func longestRun(samples []driver.Sample) (longest int) {
	run := 0
	for i, s := range samples {
		if i > 0 && maps.Equal(s.Fields, samples[i-1].Fields) {
			run++
		} else {
			run = 1
		}
		longest = max(longest, run)
	}
	return longest
}

// noisy returns the slow fields whose median step between two samples is larger than
// maxNoise of their range.
func noisy(samples []driver.Sample) (keys []string) {
	steps := map[string][]float64{}
	for i := 1; i < len(samples); i++ {
		for k, v := range samples[i].Fields {
			if before, ok := samples[i-1].Fields[k]; ok {
				steps[k] = append(steps[k], math.Abs(v-before))
			}
		}
	}
	for _, k := range slices.Sorted(maps.Keys(steps)) {
		f, ok := driver.FieldOf(k)
		if !ok || !slowFields[f.Key] || len(steps[k]) < minReads {
			continue
		}
		slices.Sort(steps[k])
		if steps[k][len(steps[k])/2] > maxNoise*(f.Max-f.Min) {
			keys = append(keys, k)
		}
	}
	return keys
}

// slowFields are the quantities that change slowly indoors.
var slowFields = map[string]bool{
	"temperature_celsius": true, "humidity_percent": true, "pressure_hpa": true,
	"co2_ppm": true, "moisture_percent": true, "battery_percent": true,
}

// Soak reads every sensor repeatedly for d and prints a verdict on each to w, in which the
// secrets are redacted. It returns errFailed if a sensor is bad.
func Soak(ctx context.Context, w io.Writer, secrets *secret.Folder, sensors []driver.Sensor, m *driver.Machine, d time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	trials := make([]trial, len(sensors))
	var all sync.WaitGroup
	for i, s := range sensors {
		all.Go(func() { trials[i] = runTrial(ctx, s, m) })
	}
	fmt.Fprintf(w, "reading %d sensors for %v; Ctrl-C ends it early\n", len(sensors), d)
	all.Wait()
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "DEVICE\tKIND\tREADS\tFAILED\tVALUES\tVERDICT")
	failed := false
	for i, s := range sensors {
		v := judge(trials[i])
		verdict := "good"
		if !v.good {
			verdict, failed = "BAD", true
		}
		if len(v.Reasons) > 0 {
			verdict += ": " + strings.Join(v.Reasons, "; ")
		}
		r := trials[i]
		writeRow(t, secrets, s.Device, s.Kind.Name, strconv.Itoa(len(r.samples)+r.failed), strconv.Itoa(r.failed), ranges(r.samples), verdict)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if failed {
		return errFailed
	}
	return nil
}

// runTrial reads one sensor until ctx ends, as often as it has new values.
func runTrial(ctx context.Context, s driver.Sensor, m *driver.Machine) (t trial) {
	every := s.Every
	if every == 0 {
		every = min(s.Interval, 5*time.Second)
	}
	var o driver.Open
	open := false
	for next := time.Now(); (driver.RealClock{}).Wait(ctx, time.Until(next)) == nil; next = time.Now().Add(every) {
		var sample driver.Sample
		var err error
		if !open {
			o, err = s.Open(m)
			open = err == nil
		}
		if open {
			sample, err = readOnce(ctx, s, o)
		}
		switch {
		case ctx.Err() != nil:
		case err == nil:
			t.samples = append(t.samples, sample)
		default:
			t.failed++
			t.Error = err
			if open && s.Kind.Via == driver.Serial && driver.PortLost(err) {
				o.Close() // the error does not matter: the port is given up
				open = false
			}
		}
	}
	if open {
		t.Error = errors.Join(t.Error, o.Close())
	}
	return t
}

// ranges returns the lowest and the highest value of the first four fields.
func ranges(samples []driver.Sample) string {
	low, high := map[string]float64{}, map[string]float64{}
	for _, s := range samples {
		for k, v := range s.Fields {
			if _, ok := low[k]; !ok {
				low[k], high[k] = v, v
			}
			low[k], high[k] = min(low[k], v), max(high[k], v)
		}
	}
	var parts []string
	for i, k := range slices.Sorted(maps.Keys(low)) {
		if i == 4 {
			break
		}
		parts = append(parts, fmt.Sprintf("%s %.5g–%.5g", k, low[k], high[k]))
	}
	return strings.Join(parts, ", ")
}
