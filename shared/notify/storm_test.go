package notify

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/slack/slacktest"
)

// moody answers as a Slack does that has a bad day: 429 with Retry-After, 5xx, no answer and
// ok:false, after some of which it has accepted the message all the same.
func moody(r *rand.Rand) func(slacktest.Call) *slacktest.Answer {
	return func(c slacktest.Call) *slacktest.Answer {
		accept := r.IntN(2) == 0
		switch r.IntN(12) {
		case 0:
			return &slacktest.Answer{Status: 429, Header: map[string]string{"Retry-After": "3"}}
		case 1:
			return &slacktest.Answer{Status: 502, Body: "<html>", Accept: accept}
		case 2:
			return &slacktest.Answer{Drop: true, Accept: accept}
		case 3:
			if c.Method != "webhook" {
				return &slacktest.Answer{Body: `{"ok":false,"error":"internal_error"}`, Accept: accept}
			}
		}
		return nil
	}
}

// TestAStormOfTransitionsIsToldInOrderWithinTheLimits: 250 alerts fire and resolve within a
// minute. Each transition appears in a message, and for a bot in one only.
func TestAStormOfTransitionsIsToldInOrderWithinTheLimits(t *testing.T) {
	for name, secrets := range map[string]map[string]string{"bot": bot, "webhook": hook} {
		t.Run(name, func(t *testing.T) {
			f := start(t, secrets)
			seed := rand.Uint64()
			t.Log("seed", seed)
			f.slack.Answer = moody(rand.New(rand.NewPCG(seed, 0)))
			for second := range 60 {
				now := f.later(time.Second)
				for i := range 500 {
					if i*60/500 != second {
						continue
					}
					room, verdict := fmt.Sprintf("room%03d", i%250), alert.Bad
					if i >= 250 {
						verdict = alert.Good
					}
					f.observe(co2(room, verdict, 1600, now))
				}
				f.drainWithin(2*time.Second, now)
			}
			tries := 0
			for ; len(f.left()) > 0 && tries < 300; tries++ {
				f.later(5 * time.Minute)
				f.drain(20 * time.Second)
			}
			f.checkStorm(name, tries)
		})
	}
}

// drainWithin drains if the clock, which waiting advances, is not far ahead.
func (f *fixture) drainWithin(budget time.Duration, now time.Time) {
	if !f.now().After(now.Add(2 * time.Second)) {
		f.drain(budget)
	}
}

func (f *fixture) checkStorm(name string, tries int) {
	ms := f.slack.Messages()
	if left := f.left(); len(left) > 0 {
		f.t.Errorf("%d messages are left after %d tries:\n%s", len(left), tries, f.log.String()[max(0, f.log.Len()-1500):])
	}
	for _, broken := range f.slack.Broken() {
		f.t.Error(broken)
	}
	if len(ms) > 130 {
		f.t.Errorf("%d messages for 500 transitions", len(ms))
	}
	var all strings.Builder // a post that was edited shows more: its keys say what it told
	var keys []string
	for _, m := range ms {
		all.WriteString(m.Text + "\n")
		keys = append(keys, m.Keys...)
	}
	for i := range 250 {
		fired, ended := fmt.Sprintf("CO₂ is high: room%03d air", i), fmt.Sprintf("Resolved: CO₂ is high: room%03d air", i)
		if name == "webhook" {
			at := strings.Index(strings.ReplaceAll(all.String(), ended, strings.Repeat("x", len(ended))), fired)
			if end := strings.Index(all.String(), ended); at < 0 || end < at {
				f.t.Errorf("%s is at %d, its end at %d", fired, at, end)
			}
			continue
		}
		var told []int
		for j, k := range keys {
			if strings.HasPrefix(k, fmt.Sprintf("air-co2-high/room%03d/", i)) {
				told = append(told, j)
			}
		}
		if len(told) != 2 || keys[told[0]] == keys[told[1]] || count(keys, keys[told[0]]) != 1 {
			f.t.Errorf("%s is told in %v", fired, told)
		}
		if n, _ := ofAlert(keys[told[0]]); n == "" || !slices.IsSorted(told) {
			f.t.Errorf("%v", told)
		}
		_, first := ofAlert(keys[told[0]])
		_, second := ofAlert(keys[told[1]])
		if first >= second {
			f.t.Errorf("%s resolves before it fires", fired)
		}
	}
	for _, m := range ms { // in the end every post shows that all is over
		if m.Thread == "" && name == "bot" && !strings.Contains(m.Blocks, " 0 alerts fire") && !strings.Contains(m.Blocks, "Resolved: ") {
			f.t.Errorf("a post still shows an alert that fires: %.300s", m.Blocks)
		}
	}
}
