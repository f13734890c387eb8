package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/store"
)

func TestAlertsAreKnownAsTheyStoodAtATime(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		at := func(h float64) time.Time { return noon.Add(time.Duration(h * float64(time.Hour))) }
		const key = "air-co2-high/office/co2_ppm"
		move := func(message string, told float64, a alert.State) {
			t.Helper()
			err := s.MoveAlerts(t.Context(), []string{a.Key}, func(now map[string]alert.State) ([]alert.State, []alert.Message) {
				stored := a
				stored.Version = now[a.Key].Version
				var ms []alert.Message
				if message != "" {
					ms = []alert.Message{{Key: a.Key + "#" + message + "@slack", Destination: alert.ToSlack, What: alert.Fired, Alert: &stored, Created: at(told)}}
				}
				return []alert.State{stored}, ms
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		episode := func(n int64, phase alert.Phase, value, since, ended float64) alert.State {
			a := alert.State{Key: key, Episode: n, Phase: phase, Value: &value, Since: at(since)}
			if ended != 0 {
				a.Ended = at(ended)
			}
			return a
		}
		move("1", 1, episode(1, alert.Firing, 1500, 1, 0))
		move("2", 3, episode(1, alert.Resolved, 900, 1, 3))
		move("3", 10, episode(2, alert.Firing, 1600, 10, 0))
		acked := episode(2, alert.Firing, 1700, 10, 0)
		acked.Acked, acked.AckedBy = at(12), "Ada"
		move("", 0, acked)
		quiet := alert.State{Key: "silent/pantry", Episode: 1, Phase: alert.Firing, Since: at(2), Fired: at(2.5)} // no message is about it
		move("", 0, quiet)

		for when, want := range map[float64]string{0.5: "", 1.5: key + " 1500", 2.2: key + " 1500", 2.7: key + " 1500 silent/pantry", 4: "silent/pantry", 11: "silent/pantry " + key + " 1600", 13: "silent/pantry " + key + " 1600"} {
			got, err := s.AlertsAt(t.Context(), at(when))
			if err != nil {
				t.Fatal(err)
			}
			var texts []string
			for _, a := range got {
				text := a.Key
				if a.Value != nil {
					text += fmt.Sprintf(" %g", *a.Value)
				}
				texts = append(texts, text)
				if a.Phase != alert.Firing || !a.Ended.IsZero() || !a.Acked.IsZero() && a.Acked.After(at(when)) {
					t.Errorf("at %g it is %+v", when, a)
				}
			}
			if strings.Join(texts, " ") != want {
				t.Errorf("at %g: %q, want %q", when, texts, want)
			}
		}
		got, err := s.Episodes(t.Context(), at(0), at(20))
		if err != nil || len(got) != 3 || got[0].Key != key || !got[0].Ended.Equal(at(3)) || got[2].Episode != 2 || *got[2].Value != 1700 {
			t.Errorf("episodes: %+v, %v", got, err)
		}
		if got, err := s.Episodes(t.Context(), at(5), at(9)); err != nil || len(got) != 1 || got[0].Key != "silent/pantry" {
			t.Errorf("between: %+v, %v", got, err)
		}
	})
}

func TestItemsAreKnownAsTheyWereOpenAtATime(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		run := func(at time.Time, ids ...string) {
			t.Helper()
			r, err := s.Begin(t.Context(), store.Run{Function: "asana", Trigger: "cron", Started: at}, time.Minute, nil)
			if err != nil {
				t.Fatal(err)
			}
			var items []item.Item
			for _, id := range ids {
				items = append(items, item.Item{Source: "asana", Target: "Home", ID: id, Title: id, At: noon.Add(-time.Hour)})
			}
			if _, _, err := s.SaveItems(t.Context(), r, []store.List{{Source: "asana", Target: "Home", Items: items, Complete: true}}, nil); err != nil {
				t.Fatal(err)
			}
			r.Status = "ok"
			if err := s.Finish(t.Context(), r, nil, store.Alerts{}); err != nil {
				t.Fatal(err)
			}
		}
		run(noon, "a", "b")
		run(noon.Add(time.Hour), "b", "c")
		for when, want := range map[time.Duration]string{-time.Minute: "", time.Minute: "a b", 59 * time.Minute: "a b", 61 * time.Minute: "b c", 48 * time.Hour: "b c"} {
			got, err := s.OpenItemsAt(t.Context(), "asana", noon.Add(when), 10)
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, i := range got {
				ids = append(ids, i.ID)
			}
			if strings.Join(ids, " ") != want {
				t.Errorf("after %s: %q, want %q", when, ids, want)
			}
		}
	})
}
