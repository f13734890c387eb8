package alert_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/alert/alerttest"
)

// modelled is one alert in a house, beside the reference.
type modelled struct {
	t      *rapid.T
	house  alert.House
	spec   alert.Spec
	state  alert.State
	ref    alerttest.Reference
	now    time.Time
	root   bool
	sent   []alert.Message // newest last
	sentAt []time.Time
	log    []string
}

var t0 = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const modelKey, modelRoot = "load-high/ups", "bridge-offline/bridge"

// TestEngineIsTheReference: whatever is observed and whatever keeps an alert from being
// told, the engine does what the reference does.
func TestEngineIsTheReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModelled(t)
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			m.step()
		}
		m.calm()
	})
}

func newModelled(t *rapid.T) *modelled {
	minutes := func(name string, of ...int) time.Duration {
		return time.Duration(rapid.SampledFrom(of).Draw(t, name)) * time.Minute
	}
	m := &modelled{t: t, now: t0}
	m.spec = alert.Spec{Rule: "load-high", Severity: rapid.SampledFrom([]alert.Severity{alert.Warning, alert.Warning, alert.Critical}).Draw(t, "severity"), Comfort: rapid.Bool().Draw(t, "comfort"),
		For: minutes("for", 0, 0, 3, 15), ClearFor: minutes("clear", 0, 0, 5), Remind: minutes("remind", 0, 60, 24*60)}
	m.ref = alerttest.Reference{For: m.spec.For, ClearFor: m.spec.ClearFor, Remind: m.spec.Remind, Critical: m.spec.Severity == alert.Critical, Comfort: m.spec.Comfort}
	m.house = alert.House{Destinations: []string{alert.ToNtfy}, Silences: map[string]time.Time{}, Maintenance: map[string]time.Time{}, Roots: map[string]bool{},
		QuietHours: []alert.QuietHours{{From: 22 * time.Hour, To: 7 * time.Hour}}}
	return m
}

// step draws one thing that happens, and then lets the engine look.
func (m *modelled) step() {
	t := m.t
	m.now = m.now.Add(time.Duration(rapid.SampledFrom([]int{1, 30, 60, 60, 300, 600, 3600, 4 * 3600}).Draw(t, "seconds")) * time.Second)
	switch what := rapid.SampledFrom([]string{"bad", "bad", "bad", "good", "good", "between", "no data", "tick", "tick", "tick", "stale tick", "silence", "maintenance",
		"root", "away", "mode", "ack", "unwatch"}).Draw(t, "what"); what {
	case "bad", "good", "between", "no data":
		v := map[string]alert.Verdict{"bad": alert.Bad, "good": alert.Good, "between": alert.Between, "no data": alert.NoData}[what]
		m.observe(v, m.now.Add(-time.Duration(rapid.SampledFrom([]int{0, 0, 1, 90}).Draw(t, "late"))*time.Second))
	case "silence":
		m.house.Silences[modelKey] = m.now.Add(time.Hour)
	case "maintenance":
		m.house.Maintenance["room/cellar"] = m.now.Add(2 * time.Hour)
	case "root":
		m.root = !m.root
		m.house.Roots[modelRoot] = m.root
	case "away":
		m.house.Away = !m.house.Away
	case "mode":
		m.house.Mode = map[alert.Mode]alert.Mode{alert.Send: alert.Observe, "": alert.Observe, alert.Observe: alert.Send}[m.house.Mode]
	case "ack":
		m.ref.Acked = m.ref.Acked || m.state.Open()
		m.state = m.state.Acknowledge("me", m.now)
	case "unwatch":
		m.ref.Unwatch()
		changed, messages := m.house.Unwatch([]alert.State{m.state}, "gone", m.now)
		if len(changed) > 0 {
			m.state = changed[0]
		}
		m.compare(what, messages)
	case "tick":
		m.ref.Elapse(m.now)
		m.look(what, true)
	default:
		m.look(what, false)
	}
}

func (m *modelled) observe(v alert.Verdict, at time.Time) {
	m.ref.Evidence(v, at)
	before := map[string]alert.State{}
	if m.state.Key != "" || !m.state.Seen.IsZero() {
		before[modelKey] = m.state
	}
	changed, messages := m.house.Move(before, []alert.Observation{{Key: modelKey, Spec: m.spec, Verdict: v, At: at,
		Subject: alert.Subject{Device: "ups", Room: "Cellar", Roots: []string{modelRoot}}}}, m.now)
	if v == alert.NoData && m.state.Open() && (len(changed) == 0 && m.state.Phase == alert.Firing && at.After(m.state.Seen) || len(changed) > 0 && !changed[0].Open()) {
		m.t.Fatalf("%s: missing data ended it, or is not known", m.now)
	}
	for _, s := range changed {
		m.state = s
	}
	if v != alert.NoData && at.After(m.state.Seen) {
		m.state.Seen = at // of an alert that is not kept; who evaluates readings keeps their order
	}
	m.compare(fmt.Sprintf("verdict %d, %s ago", v, m.now.Sub(at)), messages)
}

func (m *modelled) look(what string, fresh bool) {
	changed, messages := m.house.Look([]alert.State{m.state}, func(*alert.State) bool { return fresh }, m.now)
	for _, s := range changed {
		m.state = s
	}
	m.compare(what, messages)
	if changed, again := m.house.Look([]alert.State{m.state}, func(*alert.State) bool { return fresh }, m.now); len(changed)+len(again) > 0 {
		m.t.Fatalf("%s: a second look at the same time changes it: %+v", m.now, again)
	}
}

// compare compares the engine's messages and state with the reference's, and with what
// holds of any messages.
func (m *modelled) compare(what string, messages []alert.Message) {
	m.log = append(m.log, fmt.Sprintf("%s %s -> %s, told %q", m.now.Format("2 15:04:05"), what, m.state.Phase, m.state.Told))
	night := !m.house.QuietUntil(m.now).IsZero()
	muted := m.house.Silences[modelKey].After(m.now) || m.house.Maintenance["room/cellar"].After(m.now)
	told, digest := m.ref.Tell(alerttest.Around{Off: m.house.Mode == alert.Observe, Muted: muted, Night: night, Root: m.root, Away: m.house.Away, Repeat: true}, m.now)
	var got alert.What
	if len(messages) > 0 {
		got = messages[0].What
	}
	if len(messages) > 1 || got != told || digest != (got != "" && messages[0].Group != "") {
		m.fail("told %q, want %q (digest: %v)", got, told, digest)
	}
	if m.state.Open() != m.ref.Open || (m.state.Phase == alert.Unknown) != m.ref.Unknown || m.state.Flapping.IsZero() == m.ref.Flapping || m.state.Told != m.ref.Known {
		m.fail("phase %s, told %q, flapping %v; want %+v", m.state.Phase, m.state.Told, m.state.Flapping, m.ref)
	}
	for _, msg := range messages {
		m.check(msg, night)
	}
}

// check checks a message against what holds of all messages.
func (m *modelled) check(msg alert.Message, night bool) {
	if slices.ContainsFunc(m.sent, func(s alert.Message) bool { return s.Key == msg.Key }) {
		m.fail("two messages have the key %s", msg.Key)
	}
	if night && m.spec.Severity != alert.Critical {
		m.fail("told %s in quiet hours", msg.What)
	}
	last := alert.Ended // what a person knows, by the messages before
	hour := 0
	for i, s := range m.sent {
		if s.What != alert.Reminder && s.What != alert.Repeat && s.What != alert.Changed {
			last = s.What
		}
		if s.What != alert.Repeat && m.now.Sub(m.sentAt[i]) < time.Hour {
			hour++
		}
	}
	over := last == alert.Ended || last == alert.Unwatched
	switch msg.What {
	case alert.Fired, alert.Flaps:
		if last == msg.What {
			m.fail("told %s twice in a row", msg.What)
		}
	case alert.Ended, alert.Unwatched, alert.Reminder, alert.Repeat, alert.Changed:
		if over {
			m.fail("told %s of an alert that was not told, or whose end was told", msg.What)
		}
	}
	if hour > 10 {
		m.fail("%d messages in an hour", hour)
	}
	if msg.What == alert.Fired && !m.state.Open() {
		m.fail("told that it fires, when it does not")
	}
	m.sent, m.sentAt = append(m.sent, msg), append(m.sentAt, m.now)
}

// calm ends all that keeps the alert from being told, and a day later, at noon, a person
// must know what is true.
func (m *modelled) calm() {
	m.house.Away, m.root, m.house.Mode = false, false, alert.Send
	m.house.Roots[modelRoot] = false
	m.now = m.now.Truncate(24 * time.Hour).Add(36 * time.Hour)
	for range 4 { // grace, calm
		m.now = m.now.Add(time.Hour)
		m.look("calm", false)
	}
	want := alert.Told("")
	if m.state.Open() {
		want = alert.ToldFiring
	}
	if m.state.Told != want && m.state.Phase != alert.Pending {
		m.fail("a person knows %q, want %q", m.state.Told, want)
	}
}

func (m *modelled) fail(format string, args ...any) {
	for _, line := range m.log {
		m.t.Log(line)
	}
	m.t.Fatalf("%s: "+format, append([]any{m.now.Format("2 15:04:05")}, args...)...)
}
