package local

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/page/status"
	"github.com/hearth-home/hearth/shared/store"
)

// device returns a device of the page.
func (r *running) device(id string) (found status.Device) {
	for _, room := range r.status().Rooms {
		for _, d := range room.Devices {
			if d.ID == id {
				found = d
			}
		}
	}
	return found
}

func TestASimulatedSensorIsMadeToFailAndWorksAgain(t *testing.T) {
	r := launchMQTT(t, mqttRepository(t), "EDGE=")
	over := func() (over, shown bool) {
		d := r.device("rack-ups")
		for _, m := range append(d.Metrics, d.More...) {
			if m.Key == "load_percent" {
				return m.Warn, true
			}
		}
		return d.Main != nil && d.Main.Key == "load_percent" && d.Main.Warn, d.Main != nil
	}
	r.eventually("the UPS", func() bool { warn, ok := over(); return ok && !warn })
	if said, err := r.Fail(t.Context(), "rack-ups", "over"); err != nil || said != "rack-ups: over the limit, until it is switched off or hearth ends" {
		t.Errorf("%q, %v", said, err)
	}
	r.eventually("a load over the limit", func() bool {
		warn, _ := over()
		return warn && r.device("rack-ups").Fault == "over"
	})
	if said, err := r.Fail(t.Context(), "rack-ups", "off"); err != nil || said != "rack-ups works again" {
		t.Errorf("%q, %v", said, err)
	}
	r.eventually("a load within the limit", func() bool {
		warn, ok := over()
		return ok && !warn && r.device("rack-ups").Fault == ""
	})
	for _, wrong := range [][2]string{{"office-desk", "over"}, {"rack-ups", "upside-down"}} {
		if said, err := r.Fail(t.Context(), wrong[0], wrong[1]); err == nil || !strings.Contains(err.Error(), "there is no ") {
			t.Errorf("%s: %q, %v", wrong, said, err)
		}
	}
}

func TestWithoutSimulatedSensorsNoneIsMadeToFail(t *testing.T) {
	r := launchMQTT(t, mqttRepository(t), "EDGE=off")
	if said, err := r.Fail(t.Context(), "rack-ups", "over"); err == nil || err.Error() != "no simulated sensor runs here" {
		t.Errorf("%q, %v", said, err)
	}
	r.stop()
	if said, err := r.Fail(t.Context(), "rack-ups", "over"); err == nil || !strings.Contains(err.Error(), "hearth up does not run") {
		t.Errorf("%q, %v", said, err)
	}
}

// TestAFaultIsToldInTheOutboxAndNeverSent: the alert about a simulated sensor and its end are
// seen in the outbox. Slack, which is configured, gets nothing, though it gets what a real
// device causes.
func TestAFaultIsToldInTheOutboxAndNeverSent(t *testing.T) {
	root := mqttRepository(t)
	write(t, filepath.Join(root, "stack.yml"), strings.ReplaceAll(mqttStack, "[hearth-settings, database-url]", "[hearth-settings, database-url, slack-webhooks]"))
	write(t, filepath.Join(root, "hearth.yml"), "rules:\n  ups-load-high: {for: 0s, clear_for: 0s}\n  air-co2-high: {for: 0s}\n")
	slack, got := slackServer(t)
	r := launchMQTT(t, root, "EDGE=", "SLACK_WEBHOOKS="+slack+"/services/x")
	told := func(what alert.What) func() bool {
		return func() bool {
			return slices.ContainsFunc(r.outbox(), func(q store.Queued) bool { return q.What == what && q.Alert != nil && q.Alert.Device == "rack-ups" })
		}
	}
	for _, step := range []struct {
		fault string
		what  alert.What
	}{{"over", alert.Fired}, {"off", alert.Ended}} {
		if _, err := r.Fail(t.Context(), "rack-ups", step.fault); err != nil {
			t.Fatal(err)
		}
		r.eventually("the message "+string(step.what), told(step.what))
	}
	for _, q := range r.outbox() {
		if !q.Sample || q.Destination != alert.ToPage {
			t.Errorf("%+v", q)
		}
	}
	if _, body := r.call("GET", "/outbox"); strings.Count(body, "sample data: never leaves this machine") != 2 {
		t.Errorf("the outbox does not mark both messages\n%s", body)
	}
	if len(got) > 0 {
		t.Errorf("Slack got %s", <-got)
	}
	c := client(t, r.mqttURL)
	done(t, c.Publish("hearth/pi/shed-air", 1, false, `{"device":"shed-air","sensor":"scd4x","boot":"1","seq":1,"fields":{"co2_ppm":2100},"quality":"ok","time":"`+time.Now().UTC().Format(time.RFC3339Nano)+`"}`)) // clock: only a present value is judged
	c.Disconnect(50)
	if text := received(t, got); !strings.Contains(text, "shed-air") {
		t.Errorf("Slack got %s", text)
	}
}
