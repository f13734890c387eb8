package deadletter

import (
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
	"github.com/hearth-home/hearth/shared/spool"
)

// TestARepeatedRequestSkipsLettersRejectedSince: a request may come twice. The second
// time it must not affect a letter that was rejected again after Before.
func TestARepeatedRequestSkipsLettersRejectedSince(t *testing.T) {
	l, o := opened(t, t.TempDir(), func(int) bool { return false })
	start := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	var later atomic.Int64
	l.o.Now = func() time.Time { return start.Add(time.Duration(later.Load())) }
	l.o.Pending = func(string, spool.Seq) bool { return false } // delivered at once
	m := message.Message{Arrival: 1, Topic: "house/x"}
	refuse := func() {
		t.Helper()
		if err := l.Add("f", &m, "no"); err != nil {
			t.Fatal(err)
		}
	}
	refuse()
	go l.Run(t.Context())
	asked := start.Add(time.Second)
	for _, drop := range []bool{false, true} {
		r := Request{Drop: drop, Query: Query{ID: m.ID(), Before: asked}}
		for range 3 {
			if err := l.Request(r); err != nil {
				t.Fatal(err)
			}
			if !drop {
				mqtttest.Until(t, "the replay", func() bool { return o.n() == 1 && len(l.requested()) == 0 })
				later.Store(int64(2 * time.Second))
				refuse()
			}
		}
	}
	mqtttest.Until(t, "no pending request", func() bool { return len(l.requested()) == 0 })
	if n := l.Stats().Letters; n != 1 || o.ids[m.ID()] != 1 {
		t.Errorf("%d letters, replayed %d times; want 1 and 1", n, o.ids[m.ID()])
	}
}

func TestAnUnknownParameterIsAnError(t *testing.T) {
	for query, want := range map[string]*Query{
		"":                       {},
		"id=a&function=f":        {ID: "a", Function: "f"},
		"topic=a/%23&reason=no":  {Topic: "a/#", Reason: "no"},
		"all=true":               {All: true},
		"all=1":                  nil,
		"all=true&id=a":          nil,
		"fuction=f":              nil,
		"id=":                    nil,
		"id=a&id=b":              nil,
		"topic=a/%23/b":          nil,
		"before=2026-11-23":      nil,
		"function=f&reason=&x=1": nil,
	} {
		v, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		q, err := parseQuery(v)
		if want == nil && err == nil || want != nil && (err != nil || q != *want) {
			t.Errorf("%q: %+v, %v; want %+v", query, q, err, want)
		}
	}
}

func TestADropWithoutAFilterDropsNothing(t *testing.T) {
	l, _ := opened(t, t.TempDir(), func(int) bool { return false })
	if err := l.Add("f", &message.Message{Arrival: 1, Topic: "house/x"}, "no"); err != nil {
		t.Fatal(err)
	}
	for _, q := range []Query{{}, {Before: time.Now().Add(time.Hour)}, {All: true, Topic: "house/#"}, {Topic: "a/#/b"}} { // clock: the letter was added now
		if n, err := l.drop(q); n != 0 || err == nil {
			t.Errorf("%+v dropped %d, %v", q, n, err)
		}
		if err := l.Request(Request{Drop: true, Query: q}); err == nil {
			t.Errorf("a request to drop %+v is accepted", q)
		}
	}
	if n, err := l.drop(Query{All: true}); n != 1 || err != nil {
		t.Errorf("all: dropped %d, %v", n, err)
	}
}
