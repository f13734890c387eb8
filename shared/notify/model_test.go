package notify

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/alert/alerttest"
	"github.com/hearth-home/hearth/shared/slack/slacktest"
)

// TestEachFiringIsToldOnce: alerts fire and resolve while senders are killed at any call,
// Slack has bad days and cannot be reached for hours. In the end Slack has each message once and in
// order, as the reference says; by a webhook, one that may have been sent is repeated, marked,
// and only then. CHAOS_SEEDS says how many seeds are run.
func TestEachFiringIsToldOnce(t *testing.T) {
	seeds := 3
	if n, err := strconv.Atoi(os.Getenv("CHAOS_SEEDS")); err == nil {
		seeds = 5 * n
	}
	for name, secrets := range map[string]map[string]string{"bot": bot, "webhook": hook} {
		for seed := range seeds {
			t.Run(fmt.Sprint(name, " ", seed), func(t *testing.T) {
				m := &modelled{fixture: start(t, secrets), r: rand.New(rand.NewPCG(uint64(seed), 5)), bad: make([]bool, 3), told: map[string][]alert.What{}, want: map[string][]alert.What{}}
				for range m.bad {
					m.refs = append(m.refs, &alerttest.Reference{})
				}
				for range 80 {
					m.step()
				}
				m.finish()
				for key := range m.want {
					if !slices.Equal(m.told[key], m.want[key]) {
						t.Errorf("%s: queued %v, want %v", key, m.told[key], m.want[key])
					}
				}
				if name == "bot" {
					m.checkPosts()
				} else {
					m.checkHook()
				}
			})
		}
	}
}

// modelled is a fixture beside the reference.
type modelled struct {
	*fixture
	r      *rand.Rand
	refs   []*alerttest.Reference
	bad    []bool
	keys   []string                // of all notices that were queued, in order
	told   map[string][]alert.What // what was queued, by alert
	want   map[string][]alert.What
	unsure int  // how often it cannot be known whether Slack has a message
	away   bool // Slack does not answer
}

func (m *modelled) step() {
	now := m.later(time.Duration(1+m.r.IntN(900)) * time.Second)
	switch n := m.r.IntN(12); {
	case n < 5:
		i := m.r.IntN(len(m.bad))
		m.bad[i] = !m.bad[i]
		v := alert.Good
		if m.bad[i] {
			v = alert.Bad
		}
		o := co2(fmt.Sprint("room", i), v, 1620, now)
		m.refs[i].Evidence(v, now)
		if told, _ := m.refs[i].Tell(alerttest.Around{}, now); told != "" {
			m.want[o.Key] = append(m.want[o.Key], told)
		}
		m.move(o, now)
	case n < 6:
		m.away = !m.away
	default:
		m.send(n > 9)
	}
}

// move moves an alert and notes which notices are queued.
func (m *modelled) move(o alert.Observation, now time.Time) {
	var queued []alert.Message
	if err := m.st.MoveAlerts(m.t.Context(), []string{o.Key}, func(before map[string]alert.State) ([]alert.State, []alert.Message) {
		changed, messages := m.house.Move(before, []alert.Observation{o}, now)
		queued = messages
		return changed, messages
	}); err != nil {
		m.t.Fatal(err)
	}
	for _, q := range queued {
		m.told[o.Key] = append(m.told[o.Key], q.What)
		m.keys = append(m.keys, q.Key)
	}
}

// send lets a sender send for a while, which may be killed at any call of Slack.
func (m *modelled) send(killed bool) {
	at := m.r.IntN(4) // the call at which it dies
	bad := moody(m.r)
	m.slack.Answer = func(c slacktest.Call) *slacktest.Answer {
		if m.away {
			return &slacktest.Answer{Status: 503, Body: "<html>"}
		}
		if killed {
			if at--; at < 0 {
				m.mu.Lock()
				m.dead = true
				m.mu.Unlock()
			}
		}
		a := bad(c)
		if a != nil && a.Accept || killed && at < 0 {
			m.unsure++
		}
		return a
	}
	m.slack.Now = func() time.Time {
		m.mu.Lock()
		defer m.mu.Unlock()
		return m.clock
	}
	defer func() {
		if v := recover(); v != nil && v != "killed" {
			panic(v)
		}
		m.dead = false
	}()
	m.sender().Drain(m.t.Context(), m.st, 20*time.Second, m.now, slog.New(slog.NewTextHandler(&m.log, nil)))
}

// finish lets Slack answer as usual, until all is sent.
func (m *modelled) finish() {
	m.slack.Answer = nil
	for range 200 {
		if len(m.left()) == 0 {
			return
		}
		m.later(5 * time.Minute)
		m.drain(20 * time.Second)
	}
	m.t.Errorf("%d messages are left:\n%s", len(m.left()), m.log.String())
}

// checkPosts checks that each notice has one post, and those of an alert are in order.
func (m *modelled) checkPosts() {
	posts := map[string][]string{}
	n := 0
	for _, post := range m.slack.Messages() {
		for _, key := range post.Keys {
			of, _, _ := strings.Cut(key, "#")
			posts[of] = append(posts[of], key)
			n++
		}
	}
	if n != len(m.keys) {
		m.t.Errorf("%d notices are posted, want %d", n, len(m.keys))
	}
	want := map[string][]string{}
	for _, key := range m.keys {
		of, _, _ := strings.Cut(key, "#")
		want[of] = append(want[of], key)
	}
	for of := range want {
		if !slices.Equal(posts[of], want[of]) {
			m.t.Errorf("%s: posted\n%v, want\n%v", of, posts[of], want[of])
		}
	}
}

// checkHook checks that each notice is posted, and again only where that was not known,
// and then marked.
func (m *modelled) checkHook() {
	more := 0
	for i := range m.bad {
		title := fmt.Sprintf("CO₂ is high: room%d air", i)
		key := co2(fmt.Sprint("room", i), alert.Good, 0, noon).Key
		var all, plain [3]int // of fired, resolved, flapping; those that are not marked
		for _, post := range m.slack.Messages() {
			e, f := strings.Count(post.Text, "Resolved: "+title), strings.Count(post.Text, "Flapping: "+title)
			for j, n := range []int{strings.Count(post.Text, title) - e - f, e, f} {
				if all[j] += n; !strings.Contains(post.Text, "possibly repeated") {
					plain[j] += n
				}
			}
		}
		for j, what := range []alert.What{alert.Fired, alert.Ended, alert.Flaps} {
			want := 0
			for _, w := range m.told[key] {
				if w == what {
					want++
				}
			}
			if all[j] < want || plain[j] > want {
				m.t.Errorf("%s %s: posted %d times, %d of them unmarked, want %d", title, what, all[j], plain[j], want)
			}
			more += all[j] - want
		}
	}
	if more > m.unsure*postLimit {
		m.t.Errorf("%d notices are repeated, though only %d calls were lost", more, m.unsure)
	}
}
