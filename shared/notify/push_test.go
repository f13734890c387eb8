package notify

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
)

func TestNtfyGetsAPriorityAndReplacesWhatItSaidBefore(t *testing.T) {
	f := start(t, map[string]string{"ntfy-token": "tk_1234567890"})
	f.config.Ntfy.URL, f.config.Ntfy.Topic, f.config.Page = f.push.URL, "home-4711", "https://hearth.lan"
	f.house = *f.sender().House()
	fire, clear := co2("office", alert.Bad, 1620, noon), co2("office", alert.Good, 800, noon.Add(time.Hour))
	fire.Severity, clear.Severity = alert.Critical, alert.Critical
	f.observe(fire)
	f.drain(time.Minute)
	f.later(6 * time.Minute)
	active, err := f.st.ActiveAlerts(t.Context())
	if err != nil || len(active) != 1 {
		t.Fatalf("%v, %v", active, err)
	}
	if err := f.st.MoveAlerts(t.Context(), []string{fire.Key}, func(map[string]alert.State) ([]alert.State, []alert.Message) {
		return f.house.Look(active, func(*alert.State) bool { return false }, f.now())
	}); err != nil {
		t.Fatal(err)
	}
	f.drain(time.Minute)
	f.later(time.Hour)
	f.observe(clear)
	f.drain(time.Minute)
	if len(f.pushed) != 3 {
		t.Fatalf("%q\n%s", f.pushed, f.log.String())
	}
	var ns []notification
	for _, p := range f.pushed {
		path, body, _ := strings.Cut(p, " Bearer tk_1234567890 ")
		var n notification
		if err := json.Unmarshal([]byte(body), &n); err != nil || path != "/" || n.Topic != "home-4711" || !strings.HasPrefix(n.Click, "https://hearth.lan/?at=2026-11-23T") {
			t.Errorf("%v: %s", err, p)
		}
		ns = append(ns, n)
	}
	if got := fmt.Sprint(ns[0].Priority, ns[1].Priority, ns[2].Priority, ns[0].Tags, ns[2].Tags); got != "4 5 2 [rotating_light] [green_circle]" {
		t.Errorf("priorities and tags: %s", got)
	}
	if ns[0].Sequence == "" || ns[0].Sequence != ns[2].Sequence || ns[1].Sequence != "" {
		t.Errorf("the end replaces the beginning, a repetition rings again: %+v", ns)
	}
	if ns[0].Title != "CO₂ is high: office air (office)" || !strings.Contains(ns[0].Message, "CO₂ is 1,620 ppm") {
		t.Errorf("%+v", ns[0])
	}
}

// TestADestinationThatFailsHoldsBackNoOther: the webhook cannot be reached for a while, and gets all in
// order then.
func TestADestinationThatFailsHoldsBackNoOther(t *testing.T) {
	f := start(t, map[string]string{"slack-token": "xoxb-1-2-3", "alert-webhook": "http://push/hook"})
	f.house = *f.sender().House()
	f.refuse = 503
	f.observe(co2("office", alert.Bad, 1620, noon))
	f.drain(time.Minute)
	f.observe(co2("office", alert.Good, 800, f.later(time.Hour)))
	f.drain(time.Minute)
	f.expect("Resolved", "Resolved") // Slack's: the post, edited, and the reply
	f.refuse, f.pushed = 0, nil
	f.later(time.Hour)
	f.drain(time.Minute)
	var whats []string
	for _, p := range f.pushed {
		var body posted
		if err := json.Unmarshal([]byte(strings.TrimPrefix(p, "/hook  ")), &body); err != nil || body.Version != 1 {
			t.Errorf("%v: %s", err, p)
		}
		for _, m := range body.Messages {
			whats = append(whats, string(m.What))
			if a := m.Alert; a.Key != "air-co2-high/office/co2_ppm" || a.Room != "office" || *a.Limit != 1500 || a.Unit != "ppm" || a.Severity != alert.Warning {
				t.Errorf("%+v", a)
			}
		}
	}
	if fmt.Sprint(whats) != "[fired resolved]" || len(f.left()) > 0 {
		t.Errorf("%v, %d left", whats, len(f.left()))
	}
}

func TestDirectNeedsNoStore(t *testing.T) {
	f := start(t, map[string]string{"slack-webhooks": "http://slack/services/x", "alert-webhook": "http://push/hook"})
	if err := f.sender().Direct(t.Context(), alert.Pipelines, "The store is down"); err != nil {
		t.Fatal(err)
	}
	f.expect("The store is down")
	f.refuse = 500
	f.later(time.Second)
	if err := f.sender().Direct(t.Context(), alert.Pipelines, "again"); err == nil || !strings.Contains(err.Error(), "webhook") || strings.Contains(err.Error(), "/hook\"") {
		t.Errorf("%v", err)
	}
	f.expect("The store is down", "again")
}
