// Package check shows a person whether sensors work, by one read of each (Once) or by
// many (Soak), and which devices are connected (List). It also recalibrates a sensor.
package check

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
)

// errFailed means that a sensor did not pass. The printed table shows which one and why.
var errFailed = errors.New("not every sensor works")

// Once reads every sensor once, all concurrently, and prints a table to w. It returns
// errFailed if a sensor cannot be read.
func Once(ctx context.Context, w io.Writer, sensors []driver.Sensor, m *driver.Machine) error {
	type result struct {
		sample driver.Sample
		took   time.Duration
		err    error
	}
	results := make([]result, len(sensors))
	var all sync.WaitGroup
	for i, s := range sensors {
		all.Go(func() {
			began := time.Now()
			sample, err := read(ctx, s, m)
			results[i] = result{sample, time.Since(began), err}
		})
	}
	all.Wait()
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "DEVICE\tKIND\tAT\tTOOK\tRESULT")
	failed := false
	for i, s := range sensors {
		r := results[i]
		text := formatValues(r.sample)
		if r.err != nil {
			failed = true
			text = "FAILED " + r.err.Error()
		} else if r.sample.Quality != driver.OK {
			text = fmt.Sprintf("%s (%s) %s", r.sample.Quality, r.sample.Reason, text)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%v\t%s\n", s.Device, s.Kind.Name, s.Where(), r.took.Round(time.Millisecond), text)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if failed {
		return errFailed
	}
	return nil
}

// read opens a sensor and reads it once.
func read(ctx context.Context, s driver.Sensor, m *driver.Machine) (driver.Sample, error) {
	ctx, cancel := context.WithTimeout(ctx, s.Deadline)
	defer cancel()
	o, err := s.Open(m)
	if err != nil {
		return driver.Sample{}, err
	}
	sample, err := o.Read(ctx)
	return sample, errors.Join(err, o.Close())
}

const maxValues = 8 // of one sensor in the table

// formatValues returns the values of a sample, at most maxValues, in order of key.
func formatValues(s driver.Sample) string {
	var parts []string
	keys := slices.Sorted(maps.Keys(s.Fields))
	for i, k := range keys {
		if i == maxValues {
			parts = append(parts, fmt.Sprintf("and %d more", len(keys)-maxValues))
			break
		}
		parts = append(parts, fmt.Sprintf("%s=%.6g", k, s.Fields[k]))
	}
	return strings.Join(parts, " ")
}
