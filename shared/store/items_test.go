package store_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/store"
)

func task(id, title string, age time.Duration) item.Item {
	return item.Item{ID: id, Title: title, URL: "https://app.example/" + id, At: noon.Add(-age),
		Attributes: map[string]string{"section": "doing", "modified_at": noon.Add(-age / 2).Format(time.RFC3339)}}
}

// save stores the lists in one run and returns the changes, in order. It checks the
// numbers of stored and unchanged items.
func save(t *testing.T, s *store.Store, stored, unchanged int, lists ...store.List) []string {
	t.Helper()
	changes := []string{}
	r := begin(t, s, "asana", long)
	a, b, err := s.SaveItems(t.Context(), r, lists, func(cs []item.Change) (_ store.Alerts, ms []alert.Message) {
		for _, c := range cs {
			change := "closed "
			if c.Opened {
				change = "opened "
				ms = append(ms, alert.Message{Key: c.Item.Key(), Channel: "news", Text: c.Item.Title})
			}
			if c.Former != nil {
				change += c.Former.ID + " as "
			}
			changes = append(changes, change+c.Item.Key())
		}
		return store.Alerts{}, ms
	})
	if err != nil {
		t.Fatal(err)
	}
	if a != stored || b != unchanged {
		t.Errorf("stored %d, unchanged %d, want %d and %d", a, b, stored, unchanged)
	}
	finish(t, s, r, nil)
	return changes
}

func open(t *testing.T, s *store.Store, source string) []string {
	t.Helper()
	items, err := s.OpenItems(t.Context(), source, 100_000)
	if err != nil {
		t.Fatal(err)
	}
	keys := []string{}
	for _, i := range items {
		keys = append(keys, i.Key())
	}
	return keys
}

func same[T any](t *testing.T, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestItemsOpenChangeCloseAndReopen(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		list := func(items ...item.Item) store.List {
			return store.List{Source: "asana", Target: "Home", Items: items, Complete: true}
		}
		a, b := task("a", "Paint", time.Hour), task("b", "Mow", 2*time.Hour)
		same(t, save(t, s, 2, 0, list(a, b)), []string{"opened asana/Home/a", "opened asana/Home/b"})
		same(t, save(t, s, 0, 2, list(b, a)), []string{})
		same(t, open(t, s, "asana"), []string{"asana/Home/a", "asana/Home/b"})

		changed := a
		changed.Attributes = maps.Clone(a.Attributes)
		changed.Attributes["section"] = "done"
		same(t, save(t, s, 1, 1, list(changed, b)), []string{})
		same(t, save(t, s, 1, 1, list(changed)), []string{"closed asana/Home/b"})
		same(t, save(t, s, 0, 1, list(changed)), []string{})
		same(t, open(t, s, "asana"), []string{"asana/Home/a"})

		same(t, save(t, s, 1, 1, list(changed, b)), []string{"opened asana/Home/b"})
		got, err := s.OpenItems(t.Context(), "", 1)
		if err != nil {
			t.Fatal(err)
		}
		changed.Source, changed.Target = "asana", "Home"
		same(t, got, []item.Item{changed})

		due, err := s.Due(t.Context(), noon.AddDate(0, 1, 0), 10)
		if err != nil || len(due) != 2 {
			t.Errorf("%v, %v: want one message for each item, though b opened twice", due, err)
		}
	})
}

func TestAChangeNamesTheFormerItemOfANewID(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		named := func(id, title, path string) item.Item {
			return item.Item{ID: id, Title: title, URL: "https://app.example/" + path}
		}
		list := func(complete bool, items ...item.Item) store.List {
			return store.List{Source: "asana", Target: "Home", Items: items, Complete: complete}
		}
		save(t, s, 3, 0, list(true, named("a", "Paint", "1"), named("b", "Mow", "2"), named("c", "Cook", "3")))
		same(t, save(t, s, 5, 1, list(true, named("a2", "Paint", "1"), named("b2", "Mow", "x"), named("c2", "Cook", "3"), named("c", "Cook", "3"))),
			[]string{"opened a as asana/Home/a2", "opened asana/Home/b2", "opened asana/Home/c2", "closed asana/Home/a", "closed asana/Home/b"})
		same(t, save(t, s, 1, 0, list(false, named("a3", "Paint", "1"))), []string{"opened asana/Home/a3"})
		same(t, save(t, s, 6, 0, list(true, named("a", "Paint", "1"))), // again
			[]string{"opened a3 as asana/Home/a", "closed asana/Home/a2", "closed asana/Home/a3", "closed asana/Home/b2", "closed asana/Home/c", "closed asana/Home/c2"})
	})
}

func TestListsOfTwoTargetsAreIndependent(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		home := store.List{Source: "asana", Target: "Home", Items: []item.Item{task("1", "x", 0)}, Complete: true}
		work := store.List{Source: "asana", Target: "Work", Items: []item.Item{task("1", "x", 0), task("2", "y", 0)}, Complete: true}
		other := store.List{Source: "github", Target: "Home", Items: []item.Item{task("1", "x", 0)}, Complete: true}
		save(t, s, 4, 0, home, work, other)
		home.Items = nil
		same(t, save(t, s, 1, 0, home), []string{"closed asana/Home/1"})
		same(t, open(t, s, "asana"), []string{"asana/Work/1", "asana/Work/2"})
		same(t, open(t, s, ""), []string{"asana/Work/1", "asana/Work/2", "github/Home/1"})
	})
}

func TestIncompleteListClosesNothing(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		save(t, s, 2, 0, store.List{Source: "feeds", Target: "f", Items: []item.Item{task("1", "x", 0), task("2", "y", 0)}})
		same(t, save(t, s, 1, 1, store.List{Source: "feeds", Target: "f", Items: []item.Item{task("2", "y", 0), task("3", "z", 0)}}), []string{"opened feeds/f/3"})
		same(t, len(open(t, s, "feeds")), 3)
	})
}

func TestOfTwoItemsWithTheSameIDTheLastIsKept(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		list := store.List{Source: "asana", Target: "Home", Items: []item.Item{task("1", "first", 0), task("2", "y", 0), task("1", "last", 0)}, Complete: true}
		same(t, len(save(t, s, 2, 0, list)), 2)
		items, err := s.OpenItems(t.Context(), "asana", 10)
		if err != nil || len(items) != 2 || items[0].Title != "last" {
			t.Errorf("%v, %v", items, err)
		}
		save(t, s, 0, 2, list)
	})
}

func TestItemsKeepOddCharacters(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		var items []item.Item
		for i, o := range odd {
			items = append(items, item.Item{Source: "feeds", Target: "a 'target'", ID: fmt.Sprint(i, o), Title: o, URL: o, Attributes: map[string]string{o: o}})
		}
		bad := item.Item{Source: "feeds", Target: "a 'target'", ID: "bad\x00", Title: "\xffx\x00", Attributes: map[string]string{"\x00k": "\x00v"}}
		list := store.List{Source: "feeds", Target: "a 'target'", Items: append(slices.Clone(items), bad), Complete: true}
		save(t, s, len(odd)+1, 0, list)
		save(t, s, 0, len(odd)+1, list)
		bad = item.Item{Source: "feeds", Target: "a 'target'", ID: "bad", Title: "\uFFFDx", Attributes: map[string]string{"k": "v"}}
		got, err := s.OpenItems(t.Context(), "feeds", 100)
		if err != nil {
			t.Fatal(err)
		}
		byID := func(a, b item.Item) int { return strings.Compare(a.ID, b.ID) }
		slices.SortFunc(got, byID)
		want := append(items, bad)
		slices.SortFunc(want, byID)
		same(t, got, want)
	})
}

func TestTenThousandItemsFitInOneCall(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		list := store.List{Source: "github", Target: "org", Complete: true}
		for i := range 10_000 {
			list.Items = append(list.Items, task(fmt.Sprint(i), "alert", time.Duration(i)*time.Second))
		}
		save(t, s, 10_000, 0, list)
		save(t, s, 0, 10_000, list)
		list.Items[5].Title = "changed"
		list.Items = list.Items[:9_000]
		save(t, s, 1_001, 8_999, list)
		same(t, len(open(t, s, "github")), 9_000)
	})
}

func TestDropSampleRowsDropsOnlySamples(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		sample := store.Run{Function: "asana", Trigger: "cron", Started: noon, Sample: true}
		r, err := s.Begin(t.Context(), sample, long, nil)
		if err != nil {
			t.Fatal(err)
		}
		lists := []store.List{{Source: "asana", Target: "Home", Items: []item.Item{task("s", "sample", 0)}, Sample: true}}
		if _, _, err := s.SaveItems(t.Context(), r, lists, nil); err != nil {
			t.Fatal(err)
		}
		finish(t, s, r, nil)
		save(t, s, 1, 0, store.List{Source: "asana", Target: "Home", Items: []item.Item{task("r", "real", 0)}})
		for _, want := range []bool{true, false} {
			if found, err := s.DropSampleRows(t.Context(), "asana"); found != want || err != nil {
				t.Errorf("found %v, %v, want %v", found, err, want)
			}
		}
		same(t, open(t, s, "asana"), []string{"asana/Home/r"})
		if runs, err := s.Runs(t.Context(), "asana", 10); err != nil || len(runs) != 1 || runs[0].Sample {
			t.Errorf("%v, %v", runs, err)
		}
	})
}

func TestTasksViewHasAgeAndIdleDays(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		day := 24 * time.Hour
		now := time.Now() // clock: the view uses the database's clock
		at := func(id string, age, idle time.Duration) item.Item {
			return item.Item{ID: id, At: now.Add(-age), Attributes: map[string]string{"modified_at": now.Add(-idle).UTC().Format(time.RFC3339)}}
		}
		odd := at("odd", day, day)
		odd.Attributes["modified_at"] = "yesterday"
		save(t, s, 3, 0, store.List{Source: "asana", Target: "Home", Items: []item.Item{at("old", 10*day, 4*day), at("new", day/2, day/2), odd}},
			store.List{Source: "github", Target: "Home"})
		got := s.TaskDays(t)
		same(t, got, []string{"new 0.5 0.5", "odd 1.0 -", "old 10.0 4.0"})
	})
}

func TestASourceWithManyItemsHidesNoOtherSource(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		many := store.List{Source: "feeds", Target: "news"}
		for i := range 5 {
			many.Items = append(many.Items, item.Item{ID: fmt.Sprint(i), At: noon.Add(time.Duration(i) * time.Hour)})
		}
		many.Items = append(many.Items, item.Item{ID: "undated"})
		save(t, s, 8, 0, many, store.List{Source: "asana", Target: "Home", Complete: true, Items: []item.Item{{ID: "a", At: noon}, {ID: "b"}}})
		save(t, s, 1, 1, store.List{Source: "asana", Target: "Home", Complete: true, Items: []item.Item{{ID: "a", At: noon}}})
		items, err := s.OpenItemsOfEach(t.Context(), 3)
		var got []string
		for _, i := range items {
			got = append(got, i.Key())
		}
		if want := "[asana/Home/a feeds/news/4 feeds/news/3 feeds/news/2]"; err != nil || fmt.Sprint(got) != want {
			t.Errorf("%v, %v, want %s", got, err, want)
		}
	})
}
