package alert

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// told returns what messages say, in order.
func told(messages []Message) (out []What) {
	for _, m := range messages {
		out = append(out, m.What)
	}
	return out
}

// moved keeps what Move and Look returned, as the store does.
type moved map[string]State

func (m moved) move(h *House, now time.Time, observations ...Observation) []Message {
	changed, messages := h.Move(m, observations, now)
	for _, s := range changed {
		m[s.Key] = s
	}
	return messages
}

func (m moved) look(h *House, now time.Time) []Message {
	var states []State
	for _, s := range m {
		if s.Active() {
			states = append(states, s)
		}
	}
	changed, messages := h.Look(states, func(*State) bool { return true }, now)
	for _, s := range changed {
		m[s.Key] = s
	}
	return messages
}

func seen(key string, v Verdict, at time.Time) Observation {
	return Observation{Key: key, Spec: Spec{Rule: "rule", Severity: Warning}, Verdict: v, At: at}
}

// TestOneMessageForARootWithFiftyDependants: whatever the order in which they are found,
// the root is told when it fires and when it is over, and what depends on it never.
func TestOneMessageForARootWithFiftyDependants(t *testing.T) {
	const root = "bridge-offline/bridge"
	for seed := range uint64(20) {
		h, states, now := &House{Destinations: []string{ToSlack}}, moved{}, t0
		all := func(v Verdict) []Observation {
			out := []Observation{seen(root, v, now)}
			for i := range 50 {
				o := seen(fmt.Sprintf("silent/%d", i), v, now)
				o.Roots = []string{root}
				out = append(out, o)
			}
			rand.New(rand.NewPCG(seed, 0)).Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
			return out
		}
		messages := states.move(h, now, all(Bad)...)
		for range 120 {
			now = now.Add(time.Minute)
			h.Roots = map[string]bool{root: true}
			messages = append(messages, states.look(h, now)...)
		}
		states.move(h, now, seen(root, Good, now)) // it comes back first, the others within the grace time
		h.Roots = nil
		for range 9 {
			now = now.Add(time.Minute)
			messages = append(messages, states.look(h, now)...)
		}
		messages = append(messages, states.move(h, now, all(Good)...)...)
		if len(messages) != 1 || messages[0].Alert.Key != root || states[root].Phase != Resolved || states[root].Told != "" {
			t.Fatalf("seed %d: %v", seed, told(messages))
		}
	}
}

func TestWhatDependsOnARootIsToldAfterTheGraceTime(t *testing.T) {
	const root = "bridge-offline/bridge"
	h, states := &House{Destinations: []string{ToSlack}, Roots: map[string]bool{root: true}}, moved{}
	o := seen("silent/a", Bad, t0)
	o.Roots, o.For = []string{root}, 5*time.Minute
	messages := states.move(h, t0, o) // still pending when the root is over
	h.Roots = nil
	for minute := range 11 {
		if len(messages) > 0 {
			t.Fatalf("told after %d min", minute)
		}
		messages = states.look(h, t0.Add(time.Duration(minute)*time.Minute))
	}
	if !slices.Equal(told(messages), []What{Fired}) {
		t.Errorf("after the grace time: %v", told(messages))
	}
}

// TestEachChangeInABatchIsTold: an alarm that comes and goes within one call is no less
// of an alarm.
func TestEachChangeInABatchIsTold(t *testing.T) {
	h, states := &House{Destinations: []string{ToSlack}}, moved{}
	messages := states.move(h, t0, seen("smoke/a", Bad, t0), seen("smoke/a", Good, t0.Add(time.Second)), seen("smoke/a", Bad, t0.Add(2*time.Second)))
	if got, want := told(messages), []What{Fired, Ended, Fired}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestKeysAreNotUsedAgain: the outbox keeps a sent message for 90 days, the store an alert
// that is over for a week. An alert that comes back in between is told.
func TestKeysAreNotUsedAgain(t *testing.T) {
	h, keys := &House{Destinations: []string{ToSlack}}, map[string]bool{}
	for week := range 5 {
		states, now := moved{}, t0.AddDate(0, 0, 8*week)
		for _, m := range append(states.move(h, now, seen("a", Bad, now), seen("a", Good, now.Add(1))), states.move(h, now, seen("a", Bad, now.Add(2)))...) {
			if keys[m.Key] {
				t.Errorf("week %d: %s again", week, m.Key)
			}
			keys[m.Key] = true
		}
	}
}

// TestWhatIsOverIsNotKeptForEachReading: a reading within the limits writes nothing.
func TestWhatIsOverIsNotKeptForEachReading(t *testing.T) {
	h, states := &House{Destinations: []string{ToSlack}}, moved{}
	for i, c := range []struct {
		v    Verdict
		want int
	}{{Good, 0}, {NoData, 0}, {Bad, 1}, {Good, 1}, {Good, 0}, {Between, 0}} {
		at := t0.Add(time.Duration(i) * time.Minute)
		changed, _ := h.Move(states, []Observation{seen("a", c.v, at)}, at)
		if len(changed) != c.want {
			t.Errorf("step %d: %d changed, want %d", i, len(changed), c.want)
		}
		for _, s := range changed {
			states[s.Key] = s
		}
	}
}

// TestANight: what happens in quiet hours to an alert that was told before.
func TestANight(t *testing.T) {
	evening := time.Date(2026, 11, 23, 21, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		verdicts []Verdict // each hour from 23:00
		want     []What    // at 07:00
	}{
		"ends":                         {[]Verdict{Good}, []What{Ended}},
		"ends and fires again":         {[]Verdict{Good, Bad}, nil},
		"ends, fires again and ends":   {[]Verdict{Good, Bad, Good}, []What{Ended}},
		"goes on":                      {[]Verdict{Bad, Bad}, nil},
		"its data stops":               {[]Verdict{NoData}, nil},
		"ends and its data then stops": {[]Verdict{Good, NoData}, []What{Ended}},
	} {
		h := &House{Destinations: []string{ToSlack}, QuietHours: []QuietHours{{From: 22 * time.Hour, To: 7 * time.Hour}}}
		states := moved{}
		if got := states.move(h, evening, seen("a", Bad, evening)); len(got) != 1 {
			t.Fatal(told(got))
		}
		for i, v := range c.verdicts {
			at := evening.Add(time.Duration(2+i) * time.Hour)
			if got := states.move(h, at, seen("a", v, at)); len(got) > 0 {
				t.Errorf("%s: told in the night: %v", name, told(got))
			}
		}
		if got := told(states.look(h, evening.Add(10*time.Hour))); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestTheDigestOfTheMorningIsOneMessage(t *testing.T) {
	h := &House{Destinations: []string{ToSlack}, QuietHours: []QuietHours{{From: 22 * time.Hour, To: 7 * time.Hour}}}
	states, night := moved{}, time.Date(2026, 11, 23, 23, 0, 0, 0, time.UTC)
	for i := range 5 {
		at := night.Add(time.Duration(i) * time.Minute)
		states.move(h, at, seen(fmt.Sprint(i), Bad, at))
	}
	states.move(h, night.Add(time.Hour), seen("3", Good, night.Add(time.Hour)))
	messages := states.look(h, night.Add(8*time.Hour))
	if len(messages) != 4 || slices.ContainsFunc(messages, func(m Message) bool { return m.Group != "morning/2026-11-24" || m.What != Fired }) {
		t.Errorf("%+v", messages)
	}
}

func TestAnAlertThatBecomesCriticalIsToldAgain(t *testing.T) {
	h, states := &House{Destinations: []string{ToSlack}}, moved{}
	worse := seen("motion/hall", Bad, t0.Add(time.Minute))
	worse.Severity = Critical
	again := worse
	again.At = t0.Add(2 * time.Minute)
	messages := states.move(h, t0.Add(3*time.Minute), seen("motion/hall", Bad, t0), worse, again)
	if got, want := told(messages), []What{Fired, Changed}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestRepetitionsGoToTheSecondChannel: every five minutes until somebody acknowledges it,
// not to Slack, and not for sample data.
func TestRepetitionsGoToTheSecondChannel(t *testing.T) {
	for _, sample := range []bool{false, true} {
		h, states := &House{Destinations: []string{ToSlack, ToNtfy}}, moved{}
		o := seen("smoke/a", Bad, t0)
		o.Severity, o.Sample = Critical, sample
		states.move(h, t0, o)
		var repeats []string
		for minute := 1; minute <= 30; minute++ {
			for _, m := range states.look(h, t0.Add(time.Duration(minute)*time.Minute)) {
				repeats = append(repeats, fmt.Sprintf("%s %d %s", m.What, minute, m.Destination))
			}
			if minute == 17 {
				states[o.Key] = states[o.Key].Acknowledge("me", t0)
			}
		}
		want := []string{"repeat 5 ntfy", "repeat 10 ntfy", "repeat 15 ntfy"}
		if sample {
			want = nil
		}
		if !slices.Equal(repeats, want) {
			t.Errorf("sample %v: %v, want %v", sample, repeats, want)
		}
	}
}

// TestARestartTellsNothing: states that were told are told no more by being read again.
func TestARestartTellsNothing(t *testing.T) {
	h, states := &House{Destinations: []string{ToSlack, ToNtfy}}, moved{}
	for i := range 200 {
		states.move(h, t0, seen(fmt.Sprint(i), Bad, t0))
	}
	messages := states.look(h, t0.Add(time.Minute))
	for i := range 200 {
		at := t0.Add(2 * time.Minute)
		messages = append(messages, states.move(h, at, seen(fmt.Sprint(i), Bad, at))...)
	}
	if len(messages) > 0 {
		t.Errorf("told %d times", len(messages))
	}
}
