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

// house is a store and a register, with one device.
type house struct {
	t  testing.TB
	st *store.Store
	r  *device.Register
}

func newHouse(t testing.TB) *house {
	return &house{t, batchtest.SQLite(t), &device.Register{Function: "sensors"}}
}

// begin returns a batch and the device a. Done is the caller's.
func (h *house) begin() (*Batch, *device.Thing) {
	h.t.Helper()
	b, err := Begin(h.t.Context(), h.st, h.r, catalogue.Get, noon.Add(time.Hour))
	if err != nil {
		h.t.Fatal(err)
	}
	if err := b.Adopt(h.t.Context(), []store.DeviceRequest{{Physical: "edge/a", Kind: "edge", Device: "a", Name: "a"}}); err != nil {
		h.t.Fatal(err)
	}
	return b, b.Find([]byte("edge/a")).Thing
}

// plan returns a batch of reports of the device a.
func (h *house) plan(reports ...Report) *Batch {
	h.t.Helper()
	b, thing := h.begin()
	defer b.Done(nil)
	for i, r := range reports {
		r.Thing = thing
		b.Add(i, r)
	}
	return b
}

// say stores reports of the device a, which must work.
func (h *house) say(reports ...Report) Answer {
	h.t.Helper()
	a, err := h.plan(reports...).Store(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return a
}

// lines are what is stored of a measurement.
func (h *house) lines(name string) []string {
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

// states are the last words of the device: "metric=value quality reason".
func (h *house) states() []string {
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

func (h *house) want(what string, got []string, want ...string) {
	h.t.Helper()
	if !slices.Equal(got, want) {
		h.t.Errorf("%s:\n%q, want\n%q", what, got, want)
	}
}

// at is noon and so many minutes.
func at(minute int) time.Time { return noon.Add(time.Duration(minute) * time.Minute) }

// air is a report of one value in a minute.
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

// watched is a time series database that somebody watches, and that may fail after
// it has stored.
type watched struct {
	store.Series
	before func() // each write
	fails  bool
	calls  int
}

var errAway = errors.New("it went away")

func (w *watched) Write(ctx context.Context, rs []reading.Reading) error {
	w.calls++
	if w.before != nil {
		w.before()
	}
	if err := w.Series.Write(ctx, rs); err != nil || !w.fails {
		return err
	}
	return errAway
}
