package serve

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestSeenIsWrittenAtMostOnceAMinute(t *testing.T) {
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hearth.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	now := noon
	var log strings.Builder
	e := Env{Env: env(t, &log, map[string]string{"SCHEDULE": "*/15 * * * *"}), Open: func(context.Context) (*store.Store, error) { return st, nil }}
	e.Now = func() time.Time { return now }
	p, err := NewPresence(e, "weather")
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		after      time.Duration
		configured bool
		seen       time.Duration // after noon
		want       bool
	}{
		{0, true, 0, true}, {59 * time.Second, false, 0, true}, {time.Minute, false, time.Minute, false}, {90 * time.Second, true, time.Minute, false}, {time.Hour, true, time.Hour, true},
	} {
		now = noon.Add(step.after)
		p.Seen(t.Context(), step.configured)
		want := []store.Function{{Name: "weather", Schedule: "*/15 * * * *", Period: 15 * time.Minute, Version: buildVersion(), Configured: step.want, LastSeen: noon.Add(step.seen)}}
		if got, err := st.Functions(t.Context()); err != nil || !cmp.Equal(got, want) {
			t.Errorf("after %s: %+v, %v; want %+v", step.after, got, err, want)
		}
	}
	if log.Len() > 0 {
		t.Errorf("logged %s", log.String())
	}
}

func TestADatabaseThatCannotBeReachedIsLogged(t *testing.T) {
	var log strings.Builder
	e := Env{Env: env(t, &log, map[string]string{"SCHEDULE": "often"}), Open: func(context.Context) (*store.Store, error) { return nil, errors.New("no database") }}
	e.Now = func() time.Time { return noon }
	p, err := NewPresence(e, "weather")
	if err != nil {
		t.Fatal(err)
	}
	p.Seen(t.Context(), true)
	p.Seen(t.Context(), true)
	if s := log.String(); strings.Count(s, "no database") != 1 || !strings.Contains(s, "often") {
		t.Errorf("logged %s", s)
	}
}

func TestThePeriodIsTheLongestTimeBetweenRuns(t *testing.T) {
	for schedule, want := range map[string]time.Duration{
		"*/15 * * * *": 15 * time.Minute, "30 11,23 * * *": 12 * time.Hour, "0 8 * * 1-5": 72 * time.Hour, "* 8-18 * * *": 13*time.Hour + time.Minute,
		"@every 1h30m": 90 * time.Minute, "0 0 1 1 *": 365 * 24 * time.Hour, "": 0, "0 0 30 2 *": 0, // never
		"CRON_TZ=Europe/Berlin 0 6 * * *": 24 * time.Hour,
	} {
		if got, err := period(schedule, noon); err != nil || got != want {
			t.Errorf("%q: %s, %v; want %s", schedule, got, err, want)
		}
	}
	for _, bad := range []string{"often", "TZ=UTC", "61 * * * *"} {
		if _, err := period(bad, noon); err == nil {
			t.Errorf("period(%q) has no error", bad)
		}
	}
}
