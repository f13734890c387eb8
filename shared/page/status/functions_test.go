package status

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

// seen records that functions were called.
func (h fixture) seen(fs ...store.Function) {
	h.t.Helper()
	for _, f := range fs {
		h.ok(h.st.SaveFunction(h.t.Context(), f))
	}
}

func TestFunctionsAreThoseThatWereSeenAndThoseThatRunHere(t *testing.T) {
	h := newFixture(t)
	h.seen(store.Function{Name: "weather", Schedule: "*/15 * * * *", Period: 15 * time.Minute, Configured: true, LastSeen: h.now.Add(-10 * time.Minute)},
		store.Function{Name: "stocks", Schedule: "CRON_TZ=Europe/Berlin 0 7 * * *", Period: 24 * time.Hour, LastSeen: h.now.Add(-time.Hour)},
		store.Function{Name: "feeds", Schedule: "7 * * * *", Period: time.Hour, Configured: true, LastSeen: h.now.Add(-2*time.Hour - 2*time.Minute)},
		store.Function{Name: "sensors", Configured: true, LastSeen: h.now.Add(-time.Minute)})
	p := h.page()
	p.Functions = func() []Function {
		return []Function{{Name: "zigbee", State: Broken, Reason: "no such topic"}, {Name: "sensors", State: Live, Topic: "#"}}
	}
	var got []string
	for _, f := range p.snapshot(t.Context()).data.Functions {
		next := ""
		if !f.Next.IsZero() {
			next = f.Next.UTC().Format(" 02T15:04")
		}
		got = append(got, fmt.Sprintf("%s %s %q%s seen %t", f.Name, f.State, f.Topic, next, !f.Seen.IsZero()))
	}
	want := []string{`feeds overdue "" 23T14:07 seen true`, `sensors live "#" seen true`, `stocks not configured "" 24T06:00 seen true`, `weather live "" 23T14:15 seen true`, `zigbee broken "" seen false`}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("functions are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestItemsOfWhatIsForgottenAreNotShown(t *testing.T) {
	st := filled(t)
	p := &Page{Inputs: Inputs{Open: func(context.Context) (*store.Store, error) { return st, nil }, Now: func() time.Time { return now }, Redact: func(s string) string { return s }, RedactCut: func(s string) string { return s }}}
	if lists := p.snapshot(t.Context()).data.Lists; len(lists) != 0 {
		t.Errorf("lists of functions that were never seen: %+v", lists)
	}
	if err := st.SaveFunction(t.Context(), store.Function{Name: "feeds", LastSeen: now}); err != nil {
		t.Fatal(err)
	}
	p.Now = func() time.Time { return now.Add(time.Minute) }
	if lists := p.snapshot(t.Context()).data.Lists; len(lists) != 1 || len(lists[0].Items) != 2 {
		t.Errorf("lists = %+v", lists)
	}
}

func TestManyTabsAskTheStoreOnce(t *testing.T) {
	h := newFixture(t)
	h.device("edge", "Desk", "", state("temperature_celsius", 21))
	p, opened := h.page(), 0
	clock := h.now
	p.Now = func() time.Time { return clock }
	p.Open = func(context.Context) (*store.Store, error) { opened++; return h.st, nil }
	srv := listen(t, p)
	var tabs sync.WaitGroup
	for range 40 {
		tabs.Go(func() { get(t, srv.URL+"/status") })
	}
	tabs.Wait()
	if opened != 1 {
		t.Errorf("40 tabs at one moment opened the store %d times", opened)
	}
	h.seen(store.Function{Name: "stocks", LastSeen: clock})
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{time.Second, 0}, {platformEvery, 1}} {
		clock = clock.Add(c.after)
		if n := len(p.snapshot(t.Context()).data.Functions); n != c.want {
			t.Errorf("%s later %d functions are shown, want %d", c.after, n, c.want)
		}
	}
}

func TestTimesAreThoseOfTheHouse(t *testing.T) {
	h := newFixture(t)
	p := h.page()
	for zone, want := range map[string]string{"": ">2026-11-23 14:00 UTC</time> · times of day in UTC: hearth.yml names no zone", "Europe/Berlin": ">2026-11-23 15:00 CET</time> · times of day in Europe/Berlin"} {
		p.last, p.Zone = nil, func() string { return zone }
		p.collector = nil
		if _, body := get(t, listen(t, p).URL+"/status"); !strings.Contains(body, want) {
			t.Errorf("in %q the page lacks %q\n%s", zone, want, body)
		}
	}
}
