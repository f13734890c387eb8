package ingest

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// TestWhatIsNotYetStoredIsNoRepetition: a gateway that dies has the connector
// send a batch again while the first is still being written. If the second took
// the first's word for it and the first failed, the reading would be lost.
func TestWhatIsNotYetStoredIsNoRepetition(t *testing.T) {
	st := batchtest.SQLite(t)
	var r device.Register
	say := func() *Batch {
		b, err := Begin(t.Context(), st, &r, catalogue.Get, noon)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Done(nil)
		if err := b.Adopt(t.Context(), []store.DeviceWish{{Physical: "edge/a", Kind: "edge", Device: "a", Name: "a"}}); err != nil {
			t.Fatal(err)
		}
		b.Add(0, Report{Measurement: "air", Thing: b.Find([]byte("edge/a")).Thing, Values: []device.Value{{Key: "co2_ppm", V: 600}}, Time: noon, Arrived: noon})
		return b
	}
	first, second := say(), say()
	stored := make(chan error, 1)
	go func() { stored <- save(t.Context(), second) }()
	away, cancel := context.WithCancel(t.Context())
	cancel()
	if err := save(away, first); err == nil {
		t.Fatal("stored although the database was away")
	}
	if err := <-stored; err == nil {
		t.Error("the second batch counts as stored, although it wrote nothing and the first was not")
	}
	first, second = say(), say()
	go func() { stored <- save(t.Context(), second) }()
	if err := errors.Join(save(t.Context(), first), <-stored); err != nil || len(first.readings) != 1 {
		t.Errorf("again: %v, %d readings", err, len(first.readings))
	}
	third := say()
	if err := save(t.Context(), third); err != nil || len(third.readings) != 0 {
		t.Errorf("a repetition of what is stored: %v, %d readings, want none", err, len(third.readings))
	}
}

func save(ctx context.Context, b *Batch) error {
	_, err := b.Store(ctx)
	return err
}

// written counts calls.
type written struct {
	store.Series
	calls int
}

func (w *written) Write(ctx context.Context, rs []reading.Reading) error {
	w.calls++
	return w.Series.Write(ctx, rs)
}

func begin(t *testing.T, r *device.Register, st *store.Store) (*Batch, *device.Thing) {
	t.Helper()
	b, err := Begin(t.Context(), st, r, catalogue.Get, noon)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Adopt(t.Context(), []store.DeviceWish{{Physical: "edge/a", Kind: "edge", Device: "a", Name: "a"}}); err != nil {
		t.Fatal(err)
	}
	return b, b.Find([]byte("edge/a")).Thing
}

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// TestAConfirmationIsWrittenAfterWhatItConfirms: the other way round the reading would
// stay suspect for ever.
func TestAConfirmationIsWrittenAfterWhatItConfirms(t *testing.T) {
	st := batchtest.SQLite(t)
	w := &written{Series: st.Series}
	st.Series = w
	var r device.Register
	field := catalogue.Field{Key: "co2_ppm", Max: 40000, Step: 100}
	say := func(minute int, v float64) *Batch {
		b, thing := begin(t, &r, st)
		defer b.Done(nil)
		at := noon.Add(time.Duration(minute) * time.Minute)
		b.Add(0, Report{Measurement: "air", Thing: thing, Values: []device.Value{{Key: "co2_ppm", V: v, Field: &field}}, Time: at, Arrived: at})
		return b
	}
	if err := errors.Join(save(t.Context(), say(0, 600)), save(t.Context(), say(1, 6000))); err != nil {
		t.Fatal(err)
	}
	say(2, 6000) // on its way
	before := w.calls
	confirming := say(3, 6000)
	if len(confirming.readings) != 3 {
		t.Fatalf("%d readings, want one and two that it confirms", len(confirming.readings))
	}
	away, cancel := context.WithCancel(t.Context())
	cancel()
	if err := save(away, confirming); err == nil || w.calls != before {
		t.Errorf("%d writes, %v", w.calls-before, err)
	}
}

func TestAValueThatIsNoNumberLeavesTheOthers(t *testing.T) {
	st := batchtest.SQLite(t)
	var r device.Register
	b, thing := begin(t, &r, st)
	b.Add(0, Report{Measurement: "custom", Thing: thing, Time: noon, Arrived: noon, Values: []device.Value{{Key: "a", V: math.Inf(1)}, {Key: "b", V: 1}, {Key: "c", V: 2}, {Key: "b", V: 3}}})
	b.Done(nil)
	if len(b.answer.LeftOut) != 1 || b.answer.Stored != 1 || len(b.readings) != 1 || b.readings[0].Line() != "custom,device=a b=3,c=2 1780315200000000000" {
		t.Fatalf("%+v, %v", b.answer, b.readings)
	}
	for _, state := range b.Change.States {
		if want := b.readings[0].Fields[state.Metric]; state.Value != want {
			t.Errorf("the state of %s is %v, the reading %v", state.Metric, state.Value, want)
		}
	}
}
