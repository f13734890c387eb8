package store_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/store"
)

// TestTheMigrationTellsNoFailureAgain: what a person was told before the migration is an alert
// that fires. It sends no message again while it lasts, and one when it ends.
func TestTheMigrationTellsNoFailureAgain(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		migrateTold(t, s)
		h := &alert.House{Destinations: []string{alert.ToSlack}, Mode: alert.Send}
		for i, step := range []struct {
			target, text, cause string
			want                string // the title of the message
		}{
			{"told", "it is still down", "", ""},
			{"told", "no access", "access", ""}, // told before
			{"quiet", "no answer", "", "A source is failing: stocks quiet"},
			{"told", "", "", "Resolved: A source is failing: stocks told"},
			{"told", "", "", ""},
			{"works", "", "", ""},
		} {
			r := begin(t, s, "stocks", long)
			now := noon.Add(time.Duration(i+1) * time.Minute)
			o := alert.Observation{Key: "source-failing/stocks/" + step.target, Verdict: alert.Good, At: now, Text: step.text, Cause: step.cause,
				Spec: alert.Spec{Rule: "source-failing", Title: "A source is failing"}, Subject: alert.Subject{Function: "stocks", Target: step.target}}
			if step.text != "" {
				o.Verdict = alert.Bad
			}
			if err := s.Finish(t.Context(), r, nil, store.Observed(h, []alert.Observation{o}, now)); err != nil {
				t.Fatal(err)
			}
			due, err := s.Due(t.Context(), now.Add(time.Hour), 10)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range due {
				title, _, _ := strings.Cut(m.Text, "\n")
				got = append(got, title)
				if err := s.Sent(t.Context(), []string{m.Key}, nil, now); err != nil {
					t.Fatal(err)
				}
			}
			if strings.Join(got, "|") != step.want {
				t.Errorf("step %d: told %q, want %q", i, got, step.want)
			}
		}
	})
}

// migrateTold brings the tables of targets and alerts to where they were before the alert
// engine, stores three targets, and migrates them.
func migrateTold(t *testing.T, s *store.Store) {
	t.Helper()
	file, word := "postgres/0011_alerts.sql", "timestamptz '2026-11-23 11:00:00Z'"
	if s.OneFile() {
		file, word = "sqlite/0013_alerts.sql", "1795431600000000"
	}
	for _, text := range []string{
		`alter table targets add column told boolean not null default false`,
		`alter table targets add column causes text not null default ''`,
		`insert into targets (function, target, failing, told, causes, reason, last_ok) values ('stocks', 'told', ` + word + `, true, 'access other', 'it is "down"', null)`,
		`insert into targets (function, target, failing, told, causes, reason, last_ok) values ('stocks', 'quiet', ` + word + `, false, '', 'no answer', null)`,
		`insert into targets (function, target, failing, told, causes, reason, last_ok) values ('stocks', 'works', null, false, '', '', ` + word + `)`,
	} {
		s.Exec(t, text)
	}
	text, err := os.ReadFile("migrations/" + file)
	if err != nil {
		t.Fatal(err)
	}
	s.Exec(t, regexp.MustCompile(`(?s)insert into alerts .*?;`).FindString(string(text)))
	active, err := s.ActiveAlerts(t.Context())
	if err != nil || len(active) != 1 || active[0].Text != `it is "down"` || active[0].Phase != alert.Firing || strings.Join(active[0].Causes, " ") != "access other" ||
		!active[0].Since.Equal(time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC)) {
		t.Fatalf("%+v, %v", active, err)
	}
}
