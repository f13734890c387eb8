// Package pagetest fills a store for tests of the page.
package pagetest

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
)

// House is a store with what a test puts into it. Times are relative to Now.
type House struct {
	T     testing.TB
	Store *store.Store
	Now   time.Time

	rooms []store.DeviceSetting
}

// New returns an empty house.
func New(t testing.TB, now time.Time) *House {
	t.Helper()
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hearth.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return Over(t, st, now)
}

// Over is New over another store, which the caller closes.
func Over(t testing.TB, st *store.Store, now time.Time) *House {
	return &House{T: t, Store: st, Now: now}
}

// Open returns the store.
func (h *House) Open(context.Context) (*store.Store, error) { return h.Store, nil }

// OK fails the test if there is an error.
func (h *House) OK(err error) {
	h.T.Helper()
	if err != nil {
		h.T.Fatal(err)
	}
}

// Device registers a device in a room ("": none) with its latest values, measured a minute ago
// unless they say otherwise, and returns its id: the name in small letters with hyphens.
func (h *House) Device(kind, name, room string, states ...store.DeviceState) string {
	h.T.Helper()
	id := strings.ToLower(strings.ReplaceAll(name, " ", "-"))
	_, err := h.Store.AdoptDevices(h.T.Context(), []store.DeviceRequest{{Physical: kind + "/" + name, Kind: kind, Device: id, Name: name}}, h.Now)
	h.OK(err)
	if room != "" {
		h.rooms = append(h.rooms, store.DeviceSetting{Device: id, Room: room})
		h.OK(h.Store.ConfigureDevices(h.T.Context(), h.rooms, h.Now))
	}
	for i := range states {
		s := &states[i]
		s.Device = id
		if s.Quality == "" {
			s.Quality = "ok"
		}
		if s.Time.IsZero() {
			s.Time = h.Now.Add(-time.Minute)
		}
		s.Arrived, s.Changed = s.Time, s.Time
	}
	h.OK(h.Store.Commit(h.T.Context(), "store devices", store.Batch{}, func(ctx context.Context, tx *store.Tx) error {
		return tx.SaveDevices(ctx, store.DeviceChange{States: states})
	}))
	return id
}

// State is the latest value of a metric.
func State(metric string, v float64) store.DeviceState {
	return store.DeviceState{Metric: metric, Value: v}
}

// Readings stores readings.
func (h *House) Readings(rs ...reading.Reading) {
	h.T.Helper()
	h.OK(h.Store.Write(h.T.Context(), rs))
}

// Series stores one value every step from from on, the last one before Now.
func (h *House) Series(name, field string, tags map[string]string, from time.Time, step time.Duration, value func(time.Time) float64) {
	h.T.Helper()
	var rs []reading.Reading
	for t := from; t.Before(h.Now); t = t.Add(step) {
		rs = append(rs, reading.Reading{Name: name, Tags: tags, Time: t, Fields: map[string]float64{field: value(t)}})
	}
	h.Readings(rs...)
}

// Items stores the complete list of a source's target, as a run of the source does.
func (h *House) Items(source, target string, items ...item.Item) {
	h.T.Helper()
	r, err := h.Store.Begin(h.T.Context(), store.Run{Function: source, Trigger: "cron", Started: h.Now.Add(-time.Minute)}, time.Minute, nil)
	h.OK(err)
	for i := range items {
		items[i].Source, items[i].Target = source, target
	}
	_, _, err = h.Store.SaveItems(h.T.Context(), r, []store.List{{Source: source, Target: target, Items: items, Complete: true}}, nil)
	h.OK(err)
	r.Status, r.Took = "ok", time.Second
	h.OK(h.Store.Finish(h.T.Context(), r, nil, store.Alerts{}))
}
