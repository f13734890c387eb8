package notice

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hearth-home/hearth/shared/store"
)

var t0 = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestToldOnceAndResolvedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, now := store.TargetState{Target: "home"}, t0
		patience := time.Duration(rapid.IntRange(0, 3).Draw(t, "patience")) * time.Hour
		told := false
		for range rapid.IntRange(1, 30).Draw(t, "runs") {
			now = now.Add(time.Hour)
			reason := rapid.SampledFrom([]string{"", "answered 500", "no answer"}).Draw(t, "reason")
			was := s.Failing
			next, c := Next(s, reason, patience, now)
			switch {
			case c == nil:
			case c.Failing == told:
				t.Fatalf("told %v twice", c.Failing)
			case c.Failing && (reason == "" || now.Sub(next.Failing) < patience):
				t.Fatalf("told too early: %+v", c)
			case !c.Failing && reason != "":
				t.Fatal("resolved while it fails")
			default:
				told = c.Failing
			}
			if reason != "" && !was.IsZero() && !next.Failing.Equal(was) {
				t.Fatal("a failure's beginning moved")
			}
			if reason == "" && told {
				t.Fatal("it works and nobody was told")
			}
			s = next
		}
	})
}

func TestMessagesGroupTargets(t *testing.T) {
	ms := Messages("stocks", "r1", "failures", []Change{
		{"SPY", true, t0, "answered 500"}, {"QQQ", true, t0, "answered 500"}, {"X", true, t0, "unknown symbol"},
		{"DIA", false, t0.Add(-135 * time.Minute), ""},
	}, t0)
	if len(ms) != 2 || ms[0].Key == ms[1].Key {
		t.Fatalf("%d messages: %+v; want one of what fails and one of what works", len(ms), ms)
	}
	for i, want := range []string{"SPY, QQQ: answered 500\nX: unknown symbol", "DIA: works again after 2 h 15 min"} {
		if !strings.Contains(ms[i].Text, want) {
			t.Errorf("message %q, want %q in it", ms[i].Text, want)
		}
	}
	if ms := Messages("stocks", "r1", "failures", nil, t0); len(ms) != 0 {
		t.Errorf("nothing changed, and yet: %v", ms)
	}
}
