package source_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/source"
	"github.com/hearth-home/hearth/shared/store"
)

// An upstream without history for a window may still work for today.
func TestAFailedBackfillDoesNotAlert(t *testing.T) {
	s := thermometer("home")
	s.Step = 24 * time.Hour
	s.Fetch = func(context.Context, *fetch.Client, string, source.Window) (source.Batch, error) {
		return source.Batch{}, errors.New("it has no day of 1970")
	}
	h := start(t, s)
	if _, w := h.Post("from=1970-01-01&to=1970-02-01"); w.Code != 502 {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
	if states, err := h.Store.Targets(t.Context(), s.Name); err != nil || len(states) != 0 || len(h.Messages) != 0 {
		t.Errorf("messages %q, states %v, %v; want none", h.Messages, states, err)
	}
}

// No target may miss a step that was cut short.
func TestABackfillRepeatsTheStepThatWasCutShort(t *testing.T) {
	t.Parallel()
	h := start(t, thermometer("home"))
	h.Vars["exec_timeout"] = "8s" // half of it is for the upstream; a busy machine stores in the rest
	var hung atomic.Bool
	s := thermometer("home", "cabin")
	s.Step = 24 * time.Hour
	s.Fetch = func(ctx context.Context, client *fetch.Client, target string, w source.Window) (source.Batch, error) {
		if target == "cabin" && w.From.Day() == 3 && hung.CompareAndSwap(false, true) {
			<-ctx.Done()
			return source.Batch{}, ctx.Err()
		}
		return source.Batch{Readings: []reading.Reading{weather(target, w.From)}}, nil
	}
	h.Build(of(s))
	a, w := h.Post("from=2026-01-01&to=2026-01-05")
	if w.Code != 200 || a.Status != "ok" || a.Next != "2026-01-03T00:00:00Z" {
		t.Fatalf("answered %d %s, want ok and next at the 3rd", w.Code, w.Body)
	}
	if a, w = h.Post("from=" + a.Next + "&to=2026-01-05"); a.Status != "ok" || a.Next != "" {
		t.Fatalf("answered %d %s", w.Code, w.Body)
	}
	if n := len(h.Readings("weather")); n != 2*5 {
		t.Errorf("%d readings, want one per day and target", n)
	}
}

func TestABackfillStopsBeforeTheStepThatFails(t *testing.T) {
	s := thermometer("home")
	s.Step = 24 * time.Hour
	s.Fetch = func(_ context.Context, _ *fetch.Client, target string, w source.Window) (source.Batch, error) {
		if w.From.Day() == 3 {
			return source.Batch{}, &fetch.StatusError{Host: "api.example", Code: 500}
		}
		return source.Batch{Readings: []reading.Reading{weather(target, w.From)}}, nil
	}
	h := start(t, s)
	a, w := h.Post("from=2026-01-01&to=2026-01-05")
	if w.Code != 200 || a.Stored != 2 || a.Next != "2026-01-03T00:00:00Z" {
		t.Errorf("answered %d %s, want the two days before the 3rd stored", w.Code, w.Body)
	}
	if a, w = h.Post("from=" + a.Next + "&to=2026-01-05"); w.Code != 502 {
		t.Errorf("answered %d %+v, want 502", w.Code, a)
	}
}

func TestADryRunThatFailsSaysSo(t *testing.T) {
	s := thermometer("home")
	s.Fetch = func(context.Context, *fetch.Client, string, source.Window) (source.Batch, error) {
		return source.Batch{}, &fetch.StatusError{Host: "api.example", Code: 500}
	}
	h := start(t, s)
	if a, w := h.Post("dry_run=true"); w.Code != 502 || a.Status != "failed" || a.Error == "" {
		t.Errorf("answered %d %+v, want 502 and failed", w.Code, a)
	}
}

// hanging is a series database that never answers a write.
type hanging struct{ store.Series }

func (hanging) Write(ctx context.Context, _ []reading.Reading) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestAStoreThatHangsLeavesAFailedRunAndNoLease(t *testing.T) {
	t.Parallel()
	h := start(t, thermometer("home"))
	h.Vars["exec_timeout"] = "8s" // an eighth of it is for the ledger, on a busy machine too
	works := h.Store.Series
	h.Store.Series = hanging{works}
	h.Build(of(thermometer("home")))
	if _, w := h.Post(""); w.Code != 503 {
		t.Errorf("answered %d %s, want 503", w.Code, w.Body)
	}
	if runs, err := h.Store.Runs(t.Context(), "weather", 1); err != nil || len(runs) != 1 || runs[0].Status != "failed" || runs[0].Error == "" {
		t.Errorf("ledger = %+v, %v, want a failed run", runs, err)
	}
	h.Store.Series = works
	if a, w := h.Post(""); w.Code != 200 || a.Stored == 0 {
		t.Errorf("answered %d %s, want 200: the lease must be free at once", w.Code, w.Body)
	}
}

// The quota is counted in our store. If the store cannot be reached, that is no
// failure of the upstream.
func TestAQuotaThatCannotBeCountedAnswers503(t *testing.T) {
	h := start(t, thermometer("home"))
	s := requesting(h, thermometer("home"))
	s.Quota = func(string) *store.Quota { return &store.Quota{Key: "k", Limit: 9, Window: time.Minute} }
	h.Store.Close()
	if _, w := run(h, s, "dry_run=true"); w.Code != 503 || len(h.Requests) != 0 {
		t.Errorf("answered %d %s after %q, want 503 and no request", w.Code, w.Body, h.Requests)
	}
}

func TestSamplesLeaveTheUpstreamsQuota(t *testing.T) {
	h := start(t, thermometer("home"))
	s := requesting(h, thermometer("home"))
	s.Quota = func(string) *store.Quota { return &store.Quota{Key: "k", Limit: 1, Window: 24 * time.Hour} }
	h.Env.Sample = true
	for _, query := range []string{"dry_run=true", ""} {
		if _, w := run(h, s, query); w.Code != 200 {
			t.Errorf("on samples, %q: %d %s", query, w.Code, w.Body)
		}
	}
	h.Env.Sample = false
	if _, w := run(h, s, ""); w.Code != 200 {
		t.Errorf("on live data: %d %s, want the only call of the day", w.Code, w.Body)
	}
	if _, w := run(h, s, ""); w.Code != 429 {
		t.Errorf("again on live data: %d %s, want 429", w.Code, w.Body)
	}
}

func TestAnItemWithATooLongIDIsLeftOut(t *testing.T) {
	s := thermometer("home")
	s.Fetch = func(context.Context, *fetch.Client, string, source.Window) (source.Batch, error) {
		return source.Batch{Complete: true, Items: []item.Item{{ID: "1", Title: "good"}, {ID: strings.Repeat("x", 3000), Title: "with a long id"}}}, nil
	}
	h := start(t, s)
	if a, w := h.Post(""); w.Code != 200 || a.Status != "ok" || a.Stored != 1 || len(a.Warnings) != 1 || !strings.Contains(a.Warnings[0], "with a long id") {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
}

// The bad reading has a single field, with a value out of range.
func TestABackfillStoresTheOtherDaysBesideABadReading(t *testing.T) {
	s := thermometer("home")
	s.Step = 365 * 24 * time.Hour
	s.Fetch = func(_ context.Context, _ *fetch.Client, target string, w source.Window) (b source.Batch, _ error) {
		for day := range 5 {
			r := weather(target, w.From.AddDate(0, 0, day))
			if day == 2 {
				r.Fields["temperature_celsius"] = 412
			}
			b.Readings = append(b.Readings, r)
		}
		return b, nil
	}
	h := start(t, s)
	a, w := h.Post("from=2026-01-01&to=2026-01-05")
	if w.Code != 200 || a.Status != "ok" || a.Stored != 4 || a.Next != "" || len(a.Warnings) != 1 {
		t.Errorf("answered %d %s, want 4 of 5 days and a warning", w.Code, w.Body)
	}
}

func TestAPanicLeavesItsStackInTheLog(t *testing.T) {
	s := thermometer("home")
	s.Fetch = func(context.Context, *fetch.Client, string, source.Window) (source.Batch, error) {
		panic(fmt.Sprint("index out of ", "range"))
	}
	h := start(t, s)
	h.Post("")
	if log := h.Log.String(); !strings.Contains(log, "failure_test.go") {
		t.Errorf("log = %s", log)
	}
}
