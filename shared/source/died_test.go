package source_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/source"
	"github.com/hearth-home/hearth/shared/sourcetest"
	"github.com/hearth-home/hearth/shared/store"
)

// die begins a run and never finishes it, as a killed function does. It waits until
// the run's lease has expired.
func die(t *testing.T, h *sourcetest.Fixture, trigger string) {
	t.Helper()
	r := store.Run{Function: "weather", Trigger: trigger, Started: h.Later(time.Hour)}
	if _, err := h.Store.Begin(t.Context(), r, time.Millisecond, nil); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		_, err := h.Store.Lease(t.Context(), "weather", "nobody", 0) // a lease that expires at once
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

func TestARunThatDiedAlertsAndResolves(t *testing.T) {
	s := thermometer("home", "cabin")
	good, sent := s.Fetch, 0
	h := start(t, s)
	s.Fetch = func(ctx context.Context, client *fetch.Client, target string, w source.Window) (source.Batch, error) {
		if target == "home" {
			sent = len(h.Messages)
		}
		return good(ctx, client, target, w)
	}
	h.Build(of(s))
	h.Post("")
	die(t, h, "cron")
	h.Later(15 * time.Minute)
	if a, w := h.Post(""); w.Code != 200 || a.Status != "ok" || sent != 1 {
		t.Errorf("%d %s; %d messages were sent before the fetch, want 1: this run may die as well", w.Code, w.Body, sent)
	}
	if len(h.Messages) != 2 || !strings.Contains(h.Messages[0], "Fetching fails: weather home\nthe run of 13:00 UTC on 23 November died") ||
		!strings.Contains(h.Messages[0], "Fetching fails: weather cabin\n") || strings.Count(h.Messages[1], "It lasted 15 min, from 13:00 to 13:15.") != 2 {
		t.Errorf("messages %q; want the alert and its end", h.Messages)
	}
	runs, err := h.Store.Runs(t.Context(), "weather", 10)
	if err != nil || len(runs) != 3 || runs[1].Status != "died" || runs[1].Error == "" {
		t.Errorf("ledger = %+v, %v", runs, err)
	}
	h.Post("")
	if len(h.Messages) != 2 {
		t.Errorf("messages %q; want no third one", h.Messages)
	}
}

func TestRunsThatDieInARowAlertOnce(t *testing.T) {
	broken := true
	s := thermometer("home")
	good := s.Fetch
	s.Fetch = func(ctx context.Context, client *fetch.Client, target string, w source.Window) (source.Batch, error) {
		if broken {
			return source.Batch{}, &fetch.StatusError{Host: "api.example", Code: 503}
		}
		return good(ctx, client, target, w)
	}
	h := start(t, s)
	for range 2 {
		die(t, h, "cron")
		h.Post("")
	}
	if len(h.Messages) != 1 || !strings.Contains(h.Messages[0], "weather home\nthe run of 13:00 UTC") {
		t.Errorf("messages %q; want one, about the first run that died", h.Messages)
	}
	broken = false
	die(t, h, "cron")
	h.Post("")
	if len(h.Messages) != 2 || !strings.Contains(h.Messages[1], "It lasted 2 h") {
		t.Errorf("messages %q; want the end of the alert", h.Messages)
	}
}

func TestABackfillThatDiedDoesNotAlert(t *testing.T) {
	h := start(t, thermometer("home"))
	die(t, h, "backfill")
	h.Post("")
	runs, err := h.Store.Runs(t.Context(), "weather", 10)
	if err != nil || len(h.Messages) != 0 || fmt.Sprint(runs[0].Status, runs[1].Status) != "okdied" {
		t.Errorf("messages %q, ledger %+v, %v; want no message and the first run died", h.Messages, runs, err)
	}
}
