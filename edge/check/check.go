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
	"github.com/hearth-home/hearth/shared/printable"
	"github.com/hearth-home/hearth/shared/secret"
)

// errFailed means that a sensor did not pass. The printed table shows which one and why.
var errFailed = errors.New("not every sensor works")

// Once reads every sensor once, all concurrently, and prints a table to w, in which the
// secrets are redacted. It returns errFailed if a sensor cannot be read, else ctx's error
// if ctx ended before all were.
func Once(ctx context.Context, w io.Writer, secrets *secret.Folder, sensors []driver.Sensor, m *driver.Machine) error {
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
	failed, unread := false, false
	for i, s := range sensors {
		r := results[i]
		text := formatValues(r.sample)
		switch {
		case errors.Is(r.err, context.Canceled):
			unread = true
			text = "not read"
		case r.err != nil:
			failed = true
			text = "FAILED " + r.err.Error()
		case r.sample.Quality != driver.OK:
			text = fmt.Sprintf("%s (%s) %s", r.sample.Quality, r.sample.Reason, text)
		}
		writeRow(t, secrets, s.Device, s.Kind.Name, s.Where(), r.took.Round(time.Millisecond).String(), text)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	switch {
	case failed:
		return errFailed
	case unread:
		return ctx.Err()
	}
	return nil
}

// writeRow writes a row of a table. An error in a cell may quote a secret, and join errors
// by a line break.
func writeRow(w io.Writer, secrets *secret.Folder, cells ...string) {
	for i, c := range cells {
		cells[i] = printable.Line(secrets.Redact(c))
	}
	fmt.Fprintln(w, strings.Join(cells, "\t"))
}

// read opens a sensor and reads it once.
func read(ctx context.Context, s driver.Sensor, m *driver.Machine) (driver.Sample, error) {
	o, err := s.Open(m)
	if err != nil {
		return driver.Sample{}, err
	}
	sample, err := readOnce(ctx, s, o)
	return sample, errors.Join(err, o.Close())
}

// readOnce reads an open sensor once, within its deadline. If ctx ends first, the error is
// ctx's: what the sensor then says is no fault of it.
func readOnce(ctx context.Context, s driver.Sensor, o driver.Open) (driver.Sample, error) {
	timed, cancel := context.WithTimeout(ctx, s.Deadline)
	defer cancel()
	sample, err := o.Read(timed)
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return sample, err
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
