package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/store"
)

// seeing stores a feed's complete list at noon plus hours, and returns the time in hours after
// noon of each open item. The run failed for the feed if the list is nil.
func seeing(t *testing.T, s *store.Store, hours int, items []item.Item) map[string]string {
	t.Helper()
	at := noon.Add(time.Duration(hours) * time.Hour)
	r, err := s.Begin(t.Context(), store.Run{Function: "feeds", Trigger: "cron", Started: at}, long, nil)
	if err != nil {
		t.Fatal(err)
	}
	state := store.Target{Name: "f", Failing: at, Reason: "no answer"}
	if items != nil {
		state = store.Target{Name: "f", LastOK: at}
		if _, _, err := s.SaveItems(t.Context(), r, []store.List{{Source: "feeds", Target: "f", Items: items, Complete: true, FirstSeen: true}}, nil); err != nil {
			t.Fatal(err)
		}
	}
	finish(t, s, r, []store.Target{state})
	stored, err := s.OpenItems(t.Context(), "feeds", 100)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, i := range stored {
		out[i.ID] = "-"
		if !i.At.IsZero() {
			out[i.ID] = fmt.Sprint(i.At.Sub(noon).Hours())
		}
	}
	return out
}

func undatedItems(ids ...string) []item.Item {
	out := []item.Item{}
	for _, id := range ids {
		out = append(out, item.Item{ID: id, Title: id})
	}
	return out
}

func TestAnItemWithoutATimeHasThatOfTheRunThatFirstSawIt(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		for i, step := range []struct {
			items []item.Item
			want  map[string]string
		}{
			{nil, map[string]string{}}, // a run that failed: the feed is still new
			{undatedItems("a", "b"), map[string]string{"a": "-", "b": "-"}},
			{undatedItems("a", "b", "c"), map[string]string{"a": "-", "b": "-", "c": "2"}},
			{undatedItems("a", "b", "c"), map[string]string{"a": "-", "b": "-", "c": "2"}},
			{undatedItems(), map[string]string{}},
			{undatedItems("c", "d"), map[string]string{"c": "2", "d": "5"}},                                     // c is on the list again
			{[]item.Item{{ID: "c", At: noon}, {ID: "d", At: noon}}, map[string]string{"c": "0", "d": "0"}},      // with times
			{[]item.Item{{ID: "c"}, {ID: "d", At: noon.Add(time.Hour)}}, map[string]string{"c": "0", "d": "1"}}, // c keeps the last one
			{[]item.Item{{ID: "c", At: noon.Add(1000 * time.Hour)}}, map[string]string{"c": "1000"}},
			{undatedItems("c"), map[string]string{"c": "9"}}, // not a time that lies ahead
		} {
			same(t, seeing(t, s, i, step.items), step.want)
		}
	})
}

func TestAListOfOtherItemsThanBeforeIsNew(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		seeing(t, s, 0, undatedItems("a", "b"))
		many := undatedItems("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10")
		for id, at := range seeing(t, s, 1, many) {
			if at != "-" {
				t.Errorf("%s has the time %s", id, at)
			}
		}
		same(t, seeing(t, s, 2, append(many[:3:3], undatedItems("new")...)), map[string]string{"0": "-", "1": "-", "2": "-", "new": "2"})
	})
}

func TestAnItemThatGetsAnotherIDKeepsTheTimeItWasFirstSeen(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		seeing(t, s, 0, undatedItems("x"))
		for hours, id := range []string{"a", "b", "c"} {
			same(t, seeing(t, s, 1+hours, append(undatedItems("x"), item.Item{ID: id, Title: "the same", URL: "https://e.org"})), map[string]string{"x": "-", id: "1"})
		}
	})
}
