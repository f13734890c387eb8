// Package backtest says which messages rules would have sent in a past span: it runs them
// and the alert engine over the stored readings, with a clock of its own. It writes
// nothing.
package backtest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/rules"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	tick   = time.Minute // between two looks at what is silent, frozen, or waits
	keepOf = 1000        // messages of which a Result has the text
)

// Rules are the rules that are run, and the house in which they hold: its zone and its
// quiet hours.
type Rules struct {
	House alert.House
	Rules *rules.Set
}

// Message is one that would have been sent.
type Message struct {
	At   time.Time  `json:"at"`
	Key  string     `json:"key"` // of the alert
	Rule string     `json:"rule"`
	What alert.What `json:"what"`
	Text string     `json:"text"` // as plain text, in several lines
}

// Result is what rules would have sent.
type Result struct {
	Messages []Message      `json:"messages"` // the first thousand, in order of time
	Sent     int            `json:"sent"`     // all of them; those of one digest are one
	Of       map[string]int `json:"of"`       // by rule, each message of a digest
}

// Progress is how far a run is.
type Progress struct {
	At       time.Time // up to which history is done
	Readings int       // so many were judged
}

// Run runs several sets of rules over the readings with from <= time < to. It calls show
// now and then. It holds some ten thousand readings in memory at most, and what it knows
// of each series.
func Run(ctx context.Context, st *store.Store, sets []Rules, from, to time.Time, show func(Progress)) ([]Result, error) {
	devices, err := st.Devices(ctx)
	if err != nil {
		return nil, err
	}
	var runs []*run
	for _, s := range sets {
		runs = append(runs, newRun(s, devices))
	}
	p := Progress{At: from}
	next := from.Truncate(tick).Add(tick)
	look := func(until time.Time) {
		for ; !next.After(until); next = next.Add(tick) {
			for _, r := range runs {
				r.look(next)
			}
		}
	}
	for rs, err := range inOrder(ctx, st, from, to) {
		if err != nil {
			return nil, fmt.Errorf("read the history: %w", err)
		}
		for i := range rs.readings {
			look(rs.readings[i].Time)
			for _, r := range runs {
				r.take(&rs.readings[i])
			}
		}
		p.At, p.Readings = rs.until, p.Readings+len(rs.readings)
		show(p)
	}
	look(to)
	var out []Result
	for _, r := range runs {
		out = append(out, r.result)
	}
	return out, nil
}

// NotReplayable returns those rules of a set that judge something else than stored
// readings, so that a run says nothing of them.
func NotReplayable(s *rules.Set) []string {
	return slices.DeleteFunc(s.Names(), s.JudgesReadings)
}

// run is one set of rules during a run.
type run struct {
	Rules
	result  Result
	devices map[string]*device
	states  map[string]alert.State // of the alerts that ever fired or wait
	active  map[string]bool
	digests map[string]bool // groups that are counted
}

func newRun(r Rules, devices []store.Device) *run {
	r.House.Destinations, r.House.Mode = []string{alert.ToSlack}, alert.Send
	out := &run{Rules: r, result: Result{Of: map[string]int{}}, devices: map[string]*device{}, states: map[string]alert.State{}, active: map[string]bool{}, digests: map[string]bool{}}
	for _, d := range devices {
		out.devices[d.ID] = out.newDevice(d)
	}
	return out
}

// observe moves one alert.
func (r *run) observe(o alert.Observation, now time.Time) {
	r.keep(r.House.Move(map[string]alert.State{o.Key: r.states[o.Key]}, []alert.Observation{o}, now))
}

// keep keeps states, and counts messages.
func (r *run) keep(changed []alert.State, messages []alert.Message) {
	for _, s := range changed {
		r.states[s.Key] = s
		if delete(r.active, s.Key); s.Active() {
			r.active[s.Key] = true
		}
	}
	for _, m := range messages {
		rule := m.Alert.Rule
		r.result.Of[rule]++
		if m.Group == "" || !r.digests[m.Group] {
			r.result.Sent++
		}
		if m.Group != "" {
			r.digests[m.Group] = true
		}
		if len(r.result.Messages) < keepOf {
			r.result.Messages = append(r.result.Messages, Message{m.Created, m.Alert.Key, rule, m.What, m.Text})
		}
	}
}

// look lets time pass: what is silent or frozen is found, and what waits may fire.
func (r *run) look(now time.Time) {
	for _, d := range r.devices {
		r.judgeStill(d, now)
	}
	if len(r.active) == 0 {
		return
	}
	var states []alert.State
	for _, key := range slices.Sorted(maps.Keys(r.active)) {
		s := r.states[key]
		if !r.comes(&s, now) && (s.Phase == alert.Firing || s.Phase == alert.Pending) {
			r.observe(alert.Observation{Key: key, Verdict: alert.NoData, At: now}, now)
		}
		states = append(states, r.states[key])
	}
	r.keep(r.House.Look(states, func(s *alert.State) bool { return r.comes(s, now) }, now))
}
