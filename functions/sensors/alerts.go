package function

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/mqttbatch"
	"github.com/hearth-home/hearth/shared/rules"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	judgeEvery = 5 * time.Second // at most; each canary asks, once a minute
	maxCauses  = 1000            // of dead letters that are looked at
	newCauses  = 20              // of them that get an alert
	gapQuiet   = time.Hour       // without a further lost reading: then the alert about lost readings resolves
	cronLate   = 5 * time.Minute // after the last call of alert-devices: then the schedules have stopped
	canaryGap  = 3 * time.Minute // between two canaries: the function, or what is before it, was not there

	minuteFunction = "alert-devices" // it is called each minute
)

// canaries is since when canaries have come without a gap.
type canaries struct {
	mu          sync.Mutex
	since, last time.Time
}

// note notes a canary.
func (c *canaries) note(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if gap := now.Sub(c.last); c.last.IsZero() || gap > canaryGap || gap < 0 {
		c.since = now
	}
	c.last = now
}

// steady reports whether canaries have come for cronLate. While hearth starts, the last call
// of alert-devices is old although the schedules run.
func (c *canaries) steady(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.since.IsZero() && now.Sub(c.since) >= cronLate
}

// judge moves the alerts about hearth's own pipeline: dead letters, lost readings of edge
// nodes, and schedules that have stopped. Each follows from what the store has now, so that
// a process that dies before this leaves nothing out: the next canary judges again. The batch
// is stored already, so an error is logged.
func (s *sensors) judge(ctx context.Context, st *store.Store, in mqttbatch.Batch) {
	if in.House == nil || !due(&s.judged, in.Now, judgeEvery) {
		return
	}
	j := judge{st: st, in: in, redact: s.redact, steady: s.canaries.steady(in.Now)}
	for _, step := range []func(context.Context) error{j.load, j.deadLetters, j.lostReadings, j.schedules, j.move} {
		if err := step(ctx); err != nil {
			s.log.Warn("alerts", "function", "sensors", "err", err)
			return
		}
	}
}

// judge gathers what the rules about the pipeline see.
type judge struct {
	st     *store.Store
	in     mqttbatch.Batch
	redact func(string) string
	steady bool                   // canaries come
	active map[string]alert.State // of the rules that are judged here and are on, by key
	seen   []alert.Observation
	gone   []alert.State // active ones of what is not there any more
}

// load reads the active alerts.
func (j *judge) load(ctx context.Context) error {
	all, err := j.st.ActiveAlerts(ctx)
	j.active = map[string]alert.State{}
	for _, a := range all {
		if _, on := j.in.Rules.Spec(a.Rule, a.Device, ""); on && over[a.Rule] != "" {
			j.active[a.Key] = a
		}
	}
	return err
}

// see adds that the condition of a rule holds, unless the rule is off.
func (j *judge) see(rule, key string, o alert.Observation) {
	spec, on := j.in.Rules.Spec(rule, o.Device, "")
	if !on {
		return
	}
	o.Key, o.Spec, o.Verdict, o.At, o.Group = rule+"/"+key, spec, alert.Bad, j.in.Now, fmt.Sprintf("%s/%d", rule, j.in.Now.UnixMicro())
	j.seen = append(j.seen, o)
}

// deadLetters sees each cause that has dead letters. With very many causes, those with few
// letters get no alert of their own.
func (j *judge) deadLetters(ctx context.Context) error {
	causes, err := j.st.DeadCauses(ctx, maxCauses)
	for i, c := range causes {
		sum := sha256.Sum256([]byte(c.Reason))
		n, key := float64(c.Letters), c.Function+"/"+hex.EncodeToString(sum[:6])
		known, open := j.active[rules.DeadLetters+"/"+key]
		switch {
		case open:
		case i >= newCauses:
			continue
		default:
			if known.Sample, err = j.simulated(ctx, c); err != nil {
				return err
			}
		}
		j.see(rules.DeadLetters, key, alert.Observation{
			Subject: alert.Subject{Function: c.Function}, Sample: known.Sample, Value: &n, Text: fmt.Sprintf("%s: %s", counted(c.Letters, "message"), j.redact(c.Reason))})
	}
	return err
}

// simulated reports whether all dead letters of a cause are of one edge node whose sensors
// are simulated.
func (j *judge) simulated(ctx context.Context, c store.DeadCause) (bool, error) {
	first, last, err := j.st.DeadTopics(ctx, c)
	if err != nil {
		return false, err
	}
	rest, ok := strings.CutPrefix(first, "hearth/")
	name, _, below := strings.Cut(rest, "/")
	if !ok || !below || !strings.HasPrefix(last, "hearth/"+name+"/") {
		return false, nil
	}
	nodes, err := j.nodes(ctx, map[string]uint64{name: 1})
	return nodes[name].simulated, err
}

// lostReadings sees the edge nodes that have lost readings within gapQuiet.
func (j *judge) lostReadings(ctx context.Context) error {
	all, err := j.st.EdgeSeqs(ctx)
	if err != nil {
		return err
	}
	lost := map[string]uint64{}
	for _, e := range all {
		for _, span := range e.Lost {
			if j.in.Now.Sub(time.Unix(span.Since, 0)) < gapQuiet+holeTimeout {
				lost[e.Node] += span.To - span.From + 1
			}
		}
	}
	if len(lost) == 0 {
		return nil
	}
	nodes, err := j.nodes(ctx, lost)
	for node, n := range lost {
		value, subject := float64(n), alert.Subject{Name: node}
		subject.Device = nodes[node].device
		j.see(rules.SequenceGap, node, alert.Observation{Subject: subject, Sample: nodes[node].simulated, Value: &value, Text: counted(int(n), "reading") + " did not arrive."})
	}
	return err
}

// node is what the register says of an edge node.
type node struct {
	device    string
	simulated bool // its sensors are
}

// nodes returns what the register says of these edge nodes.
func (j *judge) nodes(ctx context.Context, of map[string]uint64) (map[string]node, error) {
	ids, err1 := j.st.DeviceIDs(ctx, false)
	devices, err2 := j.st.Devices(ctx)
	states, err3 := j.st.DeviceStates(ctx, "")
	out := map[string]node{}
	for _, id := range ids {
		if name, ok := strings.CutPrefix(id.Physical, nodePrefix); ok && of[name] > 0 {
			out[name] = node{device: id.Device}
		}
	}
	simulated := map[string]bool{}
	for _, s := range states {
		simulated[s.Device] = simulated[s.Device] || s.Metric == simulatedKey && s.Value == 1
	}
	for _, d := range devices {
		if name, ok := strings.CutPrefix(d.Publisher, "hearth/"); ok && simulated[d.ID] {
			n := out[name]
			n.simulated = true
			out[name] = n
		}
	}
	return out, errors.Join(err1, err2, err3)
}

// schedules sees that the function that is called each minute is not called any more.
func (j *judge) schedules(ctx context.Context) error {
	all, err := j.st.Functions(ctx)
	if err != nil {
		return err
	}
	key := rules.CronStopped + "/" + minuteFunction
	i := slices.IndexFunc(all, func(f store.Function) bool { return f.Name == minuteFunction })
	switch known, open := j.active[key]; {
	case i < 0:
		if open {
			j.gone = append(j.gone, known)
		}
		delete(j.active, key)
		return nil
	case j.in.Now.Sub(all[i].LastSeen) < cronLate:
		return nil
	case !j.steady: // perhaps hearth was off: an alert stays as it is
		delete(j.active, key)
		return nil
	}
	j.see(rules.CronStopped, minuteFunction, alert.Observation{
		Subject: alert.Subject{Function: minuteFunction}, LastOK: all[i].LastSeen, Text: fmt.Sprintf("%s was not called for %s.", minuteFunction, alert.Span(j.in.Now.Sub(all[i].LastSeen)))})
	return nil
}

// move changes the alerts: those that are seen, and those that are active and not seen any
// more, whose condition is over.
func (j *judge) move(ctx context.Context) error {
	for _, o := range j.seen {
		delete(j.active, o.Key)
	}
	for _, key := range slices.Sorted(maps.Keys(j.active)) {
		a := j.active[key]
		j.seen = append(j.seen, alert.Observation{Key: key, Spec: a.Spec, Subject: a.Subject, Verdict: alert.Good, At: j.in.Now, Sample: a.Sample, Text: over[a.Rule]})
	}
	for _, alerts := range []store.Alerts{store.Observed(j.in.House, j.seen, j.in.Now), store.Unwatched(j.in.House, j.gone, minuteFunction+" is not there any more.", "", j.in.Now)} {
		if err := j.st.MoveAlerts(ctx, alerts.Keys, alerts.Move); err != nil {
			return err
		}
	}
	return nil
}

// over says by rule that its condition is over.
var over = map[string]string{
	rules.DeadLetters: "There are no more of them.",
	rules.SequenceGap: "They came later, or no further reading was lost within an hour.",
	rules.CronStopped: minuteFunction + " is called again.",
}

// counted returns a number with its noun.
func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return alert.Number(float64(n), "") + " " + noun
}
