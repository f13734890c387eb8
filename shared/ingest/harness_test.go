package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// harness is a store and a register, with one device.
type harness struct {
	t  testing.TB
	st *store.Store
	r  *device.Register
}

func newHarness(t testing.TB) *harness {
	return &harness{t, batchtest.SQLite(t), &device.Register{Function: "sensors"}}
}

var edgeA = []store.DeviceRequest{{Physical: "edge/a", Kind: "edge", Device: "a", Name: "a"}}

// begin returns a batch and the device a. The caller must call Done.
func (h *harness) begin() (*Batch, *device.Device) {
	h.t.Helper()
	b, err := Begin(h.t.Context(), h.st, h.r, catalogue.Get, noon.Add(time.Hour))
	if err != nil {
		h.t.Fatal(err)
	}
	if err := b.Adopt(h.t.Context(), edgeA); err != nil {
		h.t.Fatal(err)
	}
	return b, b.Find([]byte("edge/a")).Logical
}

// batch returns a batch of reports of the device a, after Done.
func (h *harness) batch(reports ...Report) *Batch {
	h.t.Helper()
	b, dev := h.begin()
	defer b.Done(nil)
	for i, r := range reports {
		r.Device = dev
		b.Add(i, r)
	}
	return b
}

// store stores reports of the device a and fails the test on an error.
func (h *harness) store(reports ...Report) Answer {
	h.t.Helper()
	a, err := h.batch(reports...).Store(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return a
}

// lines returns the stored readings of a measurement in line protocol.
func (h *harness) lines(name string) []string {
	h.t.Helper()
	rs, err := h.st.Between(h.t.Context(), name, nil, noon.AddDate(-1, 0, 0), noon.AddDate(1, 0, 0))
	if err != nil {
		h.t.Fatal(err)
	}
	var out []string
	for _, r := range rs {
		out = append(out, r.Line())
	}
	return out
}

// states returns the stored states of the device a: "metric=value quality reason".
func (h *harness) states() []string {
	h.t.Helper()
	states, err := h.st.DeviceStates(h.t.Context(), "a")
	if err != nil {
		h.t.Fatal(err)
	}
	var out []string
	for _, s := range states {
		value := fmt.Sprint(s.Value)
		if s.Text != "" {
			value = s.Text
		}
		out = append(out, fmt.Sprintf("%s=%s %s %s", s.Metric, value, s.Quality, s.Reason))
	}
	return out
}

func (h *harness) want(what string, got []string, want ...string) {
	h.t.Helper()
	if !slices.Equal(got, want) {
		h.t.Errorf("%s:\n%q, want\n%q", what, got, want)
	}
}

// at is a time so many minutes after noon.
func at(minute int) time.Time { return noon.Add(time.Duration(minute) * time.Minute) }

// air returns a report of one value, so many minutes after noon.
func air(minute int, key string, v float64) Report {
	m, _ := catalogue.Get("air")
	r := Report{Measurement: "air", Time: at(minute), Arrived: at(minute), Values: []device.Value{{Key: key, V: v}}}
	if f, ok := m.Field(key); ok {
		r.Values[0].Field = &f
	}
	return r
}

func save(ctx context.Context, b *Batch) error {
	_, err := b.Store(ctx)
	return err
}

// observedSeries counts the writes to a time series database, and can fail after the
// database has stored them.
type observedSeries struct {
	store.Series
	before func() // called before each write
	fails  bool   // Write returns an error although it stored
	calls  int
}

var errUnreachable = errors.New("the database cannot be reached")

func (w *observedSeries) Write(ctx context.Context, rs []reading.Reading) error {
	w.calls++
	if w.before != nil {
		w.before()
	}
	if err := w.Series.Write(ctx, rs); err != nil || !w.fails {
		return err
	}
	return errUnreachable
}
