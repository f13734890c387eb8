package alert

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var t0 = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestAlertsOnceAndResolvesOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, now := TargetState{Target: "home"}, t0
		alertAfter := time.Duration(rapid.IntRange(0, 3).Draw(t, "alert after")) * time.Hour
		alerted, reported := false, []string(nil)
		for range rapid.IntRange(1, 30).Draw(t, "runs") {
			now = now.Add(time.Hour)
			cause := rapid.SampledFrom([]string{"", "access", "answer"}).Draw(t, "cause")
			reason := rapid.SampledFrom([]string{"", "answered 500", "no answer"}).Draw(t, "reason") + cause
			was := s.Failing
			after, c := next(s, Outcome{"home", reason, cause, alertAfter}, now)
			switch {
			case c == nil:
			case c.kind == changed && (!alerted || cause == "" || slices.Contains(reported, cause)):
				t.Fatalf("a cause was reported twice, or is none that the owner can mend: %+v after %q", c, reported)
			case c.kind == changed:
			case (c.kind == failing) == alerted:
				t.Fatalf("%s was reported twice", c.kind)
			case c.kind == failing && (reason == "" || now.Sub(after.Failing) < alertAfter):
				t.Fatalf("fired too early: %+v", c)
			case c.kind == working && reason != "":
				t.Fatal("resolved while the target fails")
			default:
				alerted = c.kind == failing
			}
			if c != nil && cause != "" {
				reported = append(reported, cause)
			}
			if reason == "" {
				reported = nil
			}
			if alerted && cause != "" && !slices.Contains(reported, cause) {
				t.Fatalf("%s was not reported", cause)
			}
			if reason != "" && !was.IsZero() && !after.Failing.Equal(was) {
				t.Fatal("the start of a failure changed")
			}
			if reason == "" && alerted {
				t.Fatal("the target works and the alert was not resolved")
			}
			if reason != "" && !alerted && now.Sub(after.Failing) >= alertAfter {
				t.Fatal("the target has failed for long enough and no alert fired")
			}
			if after.Target != "home" || (reason == "") != after.LastOK.Equal(now) || after.Reason != reason {
				t.Fatalf("%+v", after)
			}
			s = after
		}
	})
}

var stocks = Run{Function: "stocks", ID: "r1", Channel: "failures"}

func TestMessagesGroupTargets(t *testing.T) {
	since := t0.Add(-135 * time.Minute)
	before := map[string]TargetState{"DIA": {Target: "DIA", Failing: since, Alerted: true, Reason: "answered 500"}}
	states, ms := stocks.Targets(before, []Outcome{
		{Target: "SPY", Reason: "answered 500"}, {Target: "QQQ", Reason: "answered 500"}, {Target: "DIA"}, {Target: "X", Reason: "unknown symbol"}, {Target: "Y"},
		{Target: "Z", Reason: "no answer", AlertAfter: time.Minute},
	}, t0, t0)
	if len(ms) != 2 || ms[0].Key != "source/stocks/r1/failing" || ms[1].Key != "source/stocks/r1/working" || len(states) != 6 {
		t.Fatalf("%d messages: %+v; want one for the failing and one for the working targets", len(ms), ms)
	}
	for i, want := range []string{":red_circle: stocks is failing\nSPY, QQQ: answered 500\nX: unknown symbol",
		":large_green_circle: stocks works again\nDIA: works again after 2 h 15 min"} {
		if ms[i].Text != want || ms[i].Channel != "failures" || !ms[i].Created.Equal(t0) {
			t.Errorf("message %+v, want %q", ms[i], want)
		}
	}
	if _, ms := stocks.Targets(nil, nil, t0, t0); len(ms) != 0 {
		t.Errorf("messages without a change: %v", ms)
	}
}

func TestAMuteRunSendsNothingAndKeepsTheStates(t *testing.T) {
	mute := stocks
	mute.Mute = true
	before := map[string]TargetState{"SPY": {Failing: t0, Alerted: true}, "QQQ": {Failing: t0, Alerted: true}}
	states, ms := mute.Targets(before, []Outcome{{Target: "SPY", Reason: "no answer"}, {Target: "QQQ"}, {Target: "X", Reason: "no answer"}}, t0, t0)
	if len(ms) != 0 {
		t.Errorf("a mute run has messages: %v", ms)
	}
	for i, alerted := range []bool{true, false, false} { // alerted before the mute run; works now; started to fail in the mute run
		if states[i].Alerted != alerted {
			t.Errorf("%+v", states[i])
		}
	}
	later, ms := stocks.Targets(map[string]TargetState{"X": states[2]}, []Outcome{{Target: "X", Reason: "no answer"}}, t0.Add(time.Hour), t0.Add(time.Hour))
	if len(ms) != 1 || !later[0].Failing.Equal(t0) {
		t.Errorf("the first run that is not mute: %v, %+v; want one message", ms, later)
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		29 * time.Second: "less than a minute", 30 * time.Second: "1 min", 59*time.Minute + 29*time.Second: "59 min", 59*time.Minute + 30*time.Second: "1 h 0 min",
		47*time.Hour + 59*time.Minute: "47 h 59 min", 48 * time.Hour: "2 days", 71 * time.Hour: "2 days",
	} {
		if got := Span(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}

func TestAFailingMessageDoesNotSayThatTheTargetWorks(t *testing.T) {
	_, ms := stocks.Targets(nil, []Outcome{{Target: "A", Reason: "x"}}, t0, t0)
	if len(ms) != 1 || strings.Contains(ms[0].Text, "works again") {
		t.Errorf("%v", ms)
	}
}

// The owner cannot mend what an upstream does not answer. If it answers again, and refuses the
// key, the owner is told, once.
func TestACauseThatTheOwnerCanMendIsReportedOnce(t *testing.T) {
	states := map[string]TargetState{}
	var got []string
	for i, o := range []Outcome{
		{Reason: "connection refused"}, {Reason: "connection refused, port 2"}, {Reason: "answered 503"},
		{Reason: "answered 401: request 1", Cause: "access"}, {Reason: "answered 401: request 2", Cause: "access"}, {Reason: "answered 403", Cause: "access"},
		{Reason: "connection refused"}, {Reason: "answered 401", Cause: "access"}, {Reason: "connection refused"},
		{Reason: "no JSON", Cause: "other"}, {Reason: "answered 401", Cause: "access"}, {Reason: "no JSON", Cause: "other"},
		{},
		{Reason: "answered 401", Cause: "access"}, {Reason: "connection refused"}, {Reason: "answered 401", Cause: "access"},
	} {
		o.Target = "home"
		at := t0.Add(time.Duration(i) * time.Hour)
		after, ms := stocks.Targets(states, []Outcome{o}, at, at)
		for _, m := range ms {
			_, kind, _ := strings.Cut(m.Key, "r1/")
			_, reason, _ := strings.Cut(m.Text, "home: ")
			got = append(got, kind+": "+reason)
		}
		states["home"] = after[0]
	}
	want := "failing: connection refused|changed: answered 401: request 1|changed: no JSON|working: works again after 12 h 0 min|failing: answered 401"
	if strings.Join(got, "|") != want {
		t.Errorf("%s\nwant %s", strings.Join(got, "|"), want)
	}
}

func TestAMuteRunLeavesACauseToBeReported(t *testing.T) {
	mute := stocks
	mute.Mute = true
	before := map[string]TargetState{"SPY": {Failing: t0, Alerted: true}}
	states, _ := mute.Targets(before, []Outcome{{Target: "SPY", Reason: "answered 401", Cause: "access"}}, t0, t0)
	_, ms := stocks.Targets(map[string]TargetState{"SPY": states[0]}, []Outcome{{Target: "SPY", Reason: "answered 401", Cause: "access"}}, t0, t0)
	if len(ms) != 1 || ms[0].Text != ":red_circle: stocks is still failing, now for another reason\nSPY: answered 401" {
		t.Errorf("%+v", ms)
	}
}
