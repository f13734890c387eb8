package device_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/store"
)

// TestWhatIsNotYetStoredIsNoRepetition: a gateway that dies has the connector
// send a batch again while the first is still being written. If the second took
// the first's word for it and the first failed, the reading would be lost.
func TestWhatIsNotYetStoredIsNoRepetition(t *testing.T) {
	noon := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	st := batchtest.SQLite(t)
	var r device.Register
	say := func() *device.Batch {
		b, err := r.Begin(t.Context(), st, noon)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Done()
		if err := b.Adopt(t.Context(), []store.DeviceWish{{Physical: "edge/a", Kind: "edge", Device: "a", Name: "a"}}); err != nil {
			t.Fatal(err)
		}
		if err := b.Add(device.Sample{Measurement: "air", Thing: b.Find([]byte("edge/a")).Thing, Values: []device.Value{{Key: "co2_ppm", V: 600}}, Time: noon, Arrived: noon}); err != nil {
			t.Fatal(err)
		}
		return b
	}
	first, second := say(), say()
	stored := make(chan error, 1)
	go func() { stored <- second.Store(t.Context()) }()
	away, cancel := context.WithCancel(t.Context())
	cancel()
	if err := first.Store(away); err == nil {
		t.Fatal("stored although the database was away")
	}
	if err := <-stored; err == nil {
		t.Error("the second batch counts as stored, although it wrote nothing and the first was not")
	}
	first, second = say(), say()
	go func() { stored <- second.Store(t.Context()) }()
	if err := errors.Join(first.Store(t.Context()), <-stored); err != nil || len(first.Readings) != 1 {
		t.Errorf("again: %v, %d readings", err, len(first.Readings))
	}
	third := say()
	if err := third.Store(t.Context()); err != nil || len(third.Readings) != 0 {
		t.Errorf("a repetition of what is stored: %v, %d readings, want none", err, len(third.Readings))
	}
}
