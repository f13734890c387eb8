package ingest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// TestADuplicateWaitsForTheFirstToBeStored: when a gateway dies, the connector sends
// a batch again while the first call still writes it. If the second counted its
// reports as duplicates and the first then failed, the readings would be lost.
func TestADuplicateWaitsForTheFirstToBeStored(t *testing.T) {
	h := newHarness(t)
	co2 := air(0, "co2_ppm", 600)
	first, second := h.batch(co2), h.batch(co2)
	stored := make(chan error, 1)
	go func() { stored <- save(t.Context(), second) }()
	first.Stored(errUnreachable)
	if err := <-stored; !errors.Is(err, errUnreachable) {
		t.Error("the second batch counts as stored, although it wrote nothing and the first was not")
	}
	first, second = h.batch(co2), h.batch(co2)
	go func() { stored <- save(t.Context(), second) }()
	if err := errors.Join(save(t.Context(), first), <-stored); err != nil || len(first.readings) != 1 || second.answer.Unchanged != 1 {
		t.Errorf("again: %v, %d readings, %+v", err, len(first.readings), second.answer)
	}
	if a := h.store(co2); a.Stored != 0 || a.Unchanged != 1 {
		t.Errorf("a duplicate of a stored report: %+v", a)
	}
	h.want("readings", h.lines("air"), "air,device=a co2_ppm=600 1780315200000000000")
}

// TestAConfirmationIsWrittenAfterWhatItConfirms: in the other order the confirmed
// reading would stay suspect.
func TestAConfirmationIsWrittenAfterWhatItConfirms(t *testing.T) {
	h := newHarness(t)
	h.store(air(0, "co2_ppm", 600))
	h.store(air(1, "co2_ppm", 12000))
	w := &observedSeries{Series: h.st.Series}
	h.st.Series = w
	unstored := h.batch(air(2, "co2_ppm", 12000))
	confirming := h.batch(air(3, "co2_ppm", 12000))
	if len(confirming.readings) != 3 {
		t.Fatalf("%d readings, want its own and the two that it confirms", len(confirming.readings))
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := save(canceled, confirming); err == nil || w.calls != 0 {
		t.Errorf("%d writes, %v", w.calls, err)
	}
	if err := save(t.Context(), unstored); err != nil || w.calls != 1 {
		t.Errorf("%d writes, %v", w.calls, err)
	}
}

// TestReadingsOfDependentBatchesAreWrittenInParallel: after an outage many batches
// depend on each other. They must not wait for each other's writes to the time series
// database.
func TestReadingsOfDependentBatchesAreWrittenInParallel(t *testing.T) {
	h := newHarness(t)
	written := make(chan struct{})
	h.st.Series = &observedSeries{Series: h.st.Series, before: func() { close(written) }}
	first := h.batch(Report{Measurement: "air", TextStates: []device.TextState{{Key: "mode", Text: "auto"}}, Time: noon, Arrived: noon})
	second := h.batch(Report{Measurement: "air", TextStates: []device.TextState{{Key: "mode", Text: "off"}}, Values: air(1, "co2_ppm", 600).Values, Time: at(1), Arrived: at(1)})
	if !second.Depends() || first.Depends() {
		t.Fatal("the second must depend on the first for the state of mode, and the first on none")
	}
	stored := make(chan error, 1)
	go func() { stored <- save(t.Context(), second) }()
	<-written
	if got := h.states(); len(got) != 0 {
		t.Errorf("states stored before those that they depend on: %q", got)
	}
	if err := errors.Join(save(t.Context(), first), <-stored); err != nil {
		t.Fatal(err)
	}
	h.want("states", h.states(), "co2_ppm=600 ok ", "mode=off ok ")
}

// TestReadingsAreStoredBeforeStates: a reader that sees a state finds its reading.
func TestReadingsAreStoredBeforeStates(t *testing.T) {
	h := newHarness(t)
	var before []string
	h.st.Series = &observedSeries{Series: h.st.Series, before: func() { before = h.states() }}
	h.store(air(0, "co2_ppm", 600))
	if h.store(air(1, "co2_ppm", 700)); len(before) != 1 || before[0] != "co2_ppm=600 ok " {
		t.Errorf("while the second reading is written the states are %q", before)
	}
	h.want("states", h.states(), "co2_ppm=700 ok ")
}

// TestAFailureBetweenReadingsAndStatesLosesNoTransition: the retry is compared with
// the states before the failure. So it computes the same again, and a counter counts
// once.
func TestAFailureBetweenReadingsAndStatesLosesNoTransition(t *testing.T) {
	h := newHarness(t)
	energy := func(minute int, kwh float64) Report {
		return Report{Measurement: "power", Time: at(minute), Arrived: at(minute),
			Values: []device.Value{{Key: "energy_kwh", V: kwh, Field: &catalogue.Field{Key: "energy_kwh", Max: catalogue.Limits, Counter: true}}}}
	}
	h.store(energy(0, 10))
	whole := h.st.Series
	h.st.Series = &observedSeries{Series: whole, fails: true}
	for range 2 {
		if _, err := h.batch(energy(1, 10.5), energy(2, 10.75)).Store(t.Context()); !errors.Is(err, errUnreachable) {
			t.Fatal(err)
		}
		h.want("states", h.states(), "energy_kwh=10 ok ")
	}
	h.st.Series = whole
	for _, stored := range []int{2, 1} { // by the same process; then by a new one, for which only the last is a duplicate
		if a := h.store(energy(1, 10.5), energy(2, 10.75)); a.Stored != stored || a.Unchanged != 2-stored {
			t.Errorf("%+v, want %d stored", a, stored)
		}
		h.want("states", h.states(), "energy_kwh=10.75 ok ")
		h.r = &device.Register{Function: "sensors"}
	}
	h.want("readings", h.lines("power"), "power,device=a energy_kwh=10 1780315200000000000",
		"power,device=a energy_delta_kwh=0.5,energy_kwh=10.5 1780315260000000000", "power,device=a energy_delta_kwh=0.25,energy_kwh=10.75 1780315320000000000")
}

// TestAMessageIsQueuedInItsStatesTransaction: if the transaction fails, neither is
// stored. The retry queues the message once.
func TestAMessageIsQueuedInItsStatesTransaction(t *testing.T) {
	h := newHarness(t)
	newBatch := func() *Batch {
		b := h.batch(air(0, "co2_ppm", 2600))
		b.Messages = []alert.Message{{Key: "co2/a/1", Channel: "alerts", Text: "open a window", Created: noon}}
		return b
	}
	due := func() []alert.Message {
		t.Helper()
		due, err := h.st.Due(t.Context(), noon, 10)
		if err != nil {
			t.Fatal(err)
		}
		return due
	}
	failing := newBatch()
	ctx, cancel := context.WithCancel(t.Context())
	failing.Change.Nodes = []string{"pi4"}
	failing.Change.Count = func([]store.EdgeSeq) []store.EdgeSeq { // in the middle of the transaction
		cancel()
		return []store.EdgeSeq{{Node: "pi4", Boot: "b", Upto: 1, Highest: 1}}
	}
	if _, err := failing.Store(ctx); err == nil || len(due()) != 0 || len(h.states()) != 0 {
		t.Errorf("%v: queued %v, states %v; want neither", err, due(), h.states())
	}
	for range 2 {
		if _, err := newBatch().Store(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := due(); len(got) != 1 || got[0].Text != "open a window" {
			t.Errorf("queued %v, want it once", got)
		}
		h.want("states", h.states(), "co2_ppm=2600 ok ")
	}
	alone := h.batch()
	alone.Messages = []alert.Message{{Key: "alone", Channel: "alerts", Created: noon}}
	if _, err := alone.Store(t.Context()); err != nil || len(due()) != 2 {
		t.Errorf("a message alone: %v, %v", due(), err)
	}
}

func TestAnEmptyBatchCallsNoDatabase(t *testing.T) {
	h := newHarness(t)
	b := h.batch()
	h.st.Close()
	if a, err := b.Store(t.Context()); err != nil || a.Stored+a.Unchanged+len(a.Rejected) != 0 {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestABatchThatFailedBeforeDoneStoresNothing(t *testing.T) {
	h := newHarness(t)
	b, dev := h.begin()
	b.SetState(dev, "online", "", 1, noon, false)
	b.Done(errors.New("the store cannot be reached"))
	b, dev = h.begin()
	if s, ok := b.State(dev, "online"); ok {
		t.Errorf("it remembers %+v", s)
	}
	b.Done(nil)
	h.want("states", h.states())
}

func TestAddReadingChecksReadings(t *testing.T) {
	h := newHarness(t)
	b, _ := h.begin()
	canary := func(seconds float64, tag string, minutes int) reading.Reading {
		return reading.Reading{Name: "canary", Tags: map[string]string{tag: "c"}, Fields: map[string]float64{"latency_seconds": seconds}, Time: at(minutes)}
	}
	b.AddReading(0, canary(1, "connector", 0))
	b.AddReading(1, canary(1, "device", 1))
	b.AddReading(2, canary(-1, "connector", 2))
	half := canary(1, "connector", 3)
	half.Name, half.Tags, half.Fields = "zigbee", map[string]string{"device": "a"}, map[string]float64{"battery_percent": 101, "contact": 1}
	b.AddReading(3, half)
	b.Change.Dead = []store.DeadLetter{{ID: "1", Function: "sensors", First: noon, Last: noon, Reported: noon}}
	b.Done(nil)
	a, err := b.Store(t.Context())
	if err != nil || a.Stored != 2 || len(a.Rejected) != 2 || a.Rejected[0].Index != 1 || a.Rejected[1].Index != 2 || len(a.LeftOut) != 1 || a.LeftOut[0].Index != 3 {
		t.Errorf("%+v, %v", a, err)
	}
	h.want("readings", h.lines("canary"), "canary,connector=c latency_seconds=1 1780315200000000000")
	h.want("readings", h.lines("zigbee"), "zigbee,device=a contact=1 1780315380000000000")
	if letters, err := h.st.DeadLetters(t.Context(), 10); err != nil || len(letters) != 1 {
		t.Errorf("%v, %v", letters, err)
	}
}

func TestAWaitEndsAtTheDeadline(t *testing.T) {
	h := newHarness(t)
	h.batch(air(0, "co2_ppm", 600)) // its caller was killed before Store
	second := h.batch(air(1, "co2_ppm", 610))
	soon, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := save(soon, second); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
