package function

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/wire"
)

// outbox is a function whose messages are kept for the page.
type outbox struct {
	*batchtest.Served
	seen map[string]bool
}

// told returns the first two lines of the messages that were queued since the last call, sorted,
// with / in between.
func (o *outbox) told(t *testing.T) (out []string) {
	t.Helper()
	queued, err := o.Store.Outbox(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range queued {
		if o.seen[m.Key] {
			continue
		}
		o.seen[m.Key] = true
		lines := strings.Split(m.Text, "\n")
		out = append(out, strings.Join(lines[:min(2, len(lines))], " / "))
	}
	slices.Sort(out)
	return out
}

func watched(t *testing.T) *outbox {
	return &outbox{batchtest.Serve(t, New, batchtest.SQLite(t), "ALERTS_MODE", "show"), map[string]bool{}}
}

func canaryAt(after time.Duration) wire.Message {
	return message(after, "hearth/canary/main", fmt.Sprintf(`{"sent":%q,"n":1}`, noon.Add(after).Format(time.RFC3339Nano)))
}

// TestDeadLettersOfOneCauseAreOneAlert that resolves when none of them is left.
func TestDeadLettersOfOneCauseAreOneAlert(t *testing.T) {
	f := watched(t)
	dead := func(after time.Duration, id, reason string, gone bool) wire.Message {
		return message(after, "hearth/dead/"+id, fmt.Sprintf(`{"id":%q,"function":"zigbee","topic":"zigbee2mqtt/x","reason":%q,"first":"2026-11-23T11:00:00Z","last":"2026-11-23T11:00:00Z","count":1,"gone":%t}`, id, reason, gone))
	}
	for i, step := range []struct {
		ms   []wire.Message
		want string
	}{
		{[]wire.Message{dead(time.Minute, "a", "no device x", false), dead(time.Minute, "b", "no device x", false), dead(time.Minute, "c", "broken JSON", false)},
			"Messages could not be stored: zigbee / 1 message: broken JSON|Messages could not be stored: zigbee / 2 messages: no device x"},
		{[]wire.Message{dead(2*time.Minute, "d", "no device x", false)}, ""},
		{[]wire.Message{dead(3*time.Minute, "a", "no device x", true), dead(3*time.Minute, "b", "no device x", true)}, ""},
		{[]wire.Message{canaryAt(4 * time.Minute)}, ""},
		{[]wire.Message{dead(5*time.Minute, "d", "no device x", true)}, "Resolved: Messages could not be stored: zigbee / There are no more of them."},
		{[]wire.Message{dead(6*time.Minute, "a", "no device x", false)}, "Messages could not be stored: zigbee / 1 message: no device x"},
	} {
		f.Post(t, step.ms...)
		if got := strings.Join(f.told(t), "|"); got != step.want {
			t.Errorf("step %d: told %q, want %q", i, got, step.want)
		}
	}
}

// TestDeadLettersOfSimulatedSensorsAreOnlyShown: their alert is one of sample data, unless
// another device has dead letters of the same cause.
func TestDeadLettersOfSimulatedSensorsAreOnlyShown(t *testing.T) {
	for name, c := range map[string]struct {
		topics []string
		want   bool
	}{
		"simulated":  {[]string{"hearth/pi4/a", "hearth/pi4/b"}, true},
		"other_too":  {[]string{"hearth/pi4/a", "zigbee2mqtt/x"}, false},
		"other_node": {[]string{"hearth/pi4/a", "hearth/pi5/a"}, false},
		"other":      {[]string{"zigbee2mqtt/x"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := watched(t)
			f.Post(t, message(0, "hearth/pi4/status", `{"online":true,"boot":"b1","simulated":true}`),
				message(time.Second, "hearth/pi4/office-air", strings.Replace(string(edgeReading(1, time.Second, `"co2_ppm":612`).Payload), `"quality"`, `"sample":true,"quality"`, 1)))
			var ms []wire.Message
			for i, topic := range c.topics {
				ms = append(ms, message(time.Minute, fmt.Sprint("hearth/dead/", i), fmt.Sprintf(`{"id":"%d","function":"sensors","topic":%q,"reason":"no number","first":"2026-11-23T11:00:00Z","last":"2026-11-23T11:00:00Z","count":1}`, i, topic)))
			}
			f.Post(t, ms...)
			alerts, err := f.Store.ActiveAlerts(t.Context())
			if err != nil || len(alerts) != 1 || alerts[0].Sample != c.want {
				t.Errorf("%+v %v, want one with sample %t", alerts, err, c.want)
			}
		})
	}
}

// TestLostReadingsAreAnAlert that resolves when they come, or when no further one was lost
// for an hour.
func TestLostReadingsAreAnAlert(t *testing.T) {
	const fires, resolves = "Readings of an edge agent are lost: pi4 / 3 readings did not arrive.", "Resolved: Readings of an edge agent are lost: pi4 / They came later, or no further reading was lost within an hour."
	for name, c := range map[string]struct {
		then []wire.Message
		want string
	}{
		"they_come":    {[]wire.Message{edgeReading(2, time.Minute, `"co2_ppm":1`), edgeReading(3, 61*time.Second, `"co2_ppm":1`), edgeReading(4, 62*time.Second, `"co2_ppm":1`), canaryAt(15 * time.Minute)}, resolves},
		"one_comes":    {[]wire.Message{edgeReading(3, 61*time.Second, `"co2_ppm":1`), canaryAt(15 * time.Minute)}, ""},
		"a_quiet_hour": {[]wire.Message{canaryAt(90 * time.Minute)}, resolves},
	} {
		t.Run(name, func(t *testing.T) {
			f := watched(t)
			f.Post(t, edgeReading(1, 0, `"co2_ppm":612`), canaryAt(0))
			f.Post(t, edgeReading(5, time.Minute, `"co2_ppm":613`), canaryAt(time.Minute))
			if got := f.told(t); len(got) != 0 {
				t.Errorf("told %q while they may still come", got)
			}
			f.Post(t, edgeReading(6, 12*time.Minute, `"co2_ppm":613`)) // the hole is given up
			f.Post(t, canaryAt(12*time.Minute))
			if got := f.told(t); len(got) != 1 || got[0] != fires {
				t.Errorf("told %q, want %q", got, fires)
			}
			f.Post(t, c.then...)
			if got := strings.Join(f.told(t), "|"); got != c.want {
				t.Errorf("told %q, want %q", got, c.want)
			}
		})
	}
}

// TestSchedulesThatHaveStoppedAreAnAlert: the function that looks at alerts each minute is not
// there to say so. While hearth starts, and where there is no such function, that is none.
func TestSchedulesThatHaveStoppedAreAnAlert(t *testing.T) {
	f := watched(t)
	call := func(after time.Duration) {
		if err := f.Store.SaveFunction(t.Context(), store.Function{Name: "alert-devices", LastSeen: noon.Add(after)}); err != nil {
			t.Fatal(err)
		}
	}
	canaries := func(from, to time.Duration) string {
		for at := from; at <= to; at += time.Minute {
			f.Post(t, canaryAt(at))
		}
		return strings.Join(f.told(t), "|")
	}
	const fires, resolves = "The schedules have stopped: alert-devices / alert-devices was not called for 5 min.", "Resolved: The schedules have stopped: alert-devices / alert-devices is called again."
	for i, step := range []struct {
		called   time.Duration // of alert-devices; 0: not again
		from, to time.Duration // of canaries
		want     string
	}{
		{0, 0, 10 * time.Minute, ""}, // there never was one
		{10 * time.Minute, 11 * time.Minute, 14 * time.Minute, ""},
		{0, 15 * time.Minute, 30 * time.Minute, fires},
		{31 * time.Minute, 31 * time.Minute, 32 * time.Minute, resolves},
		{0, 5 * time.Hour, 5*time.Hour + 4*time.Minute, ""}, // hearth was off
		{5*time.Hour + 5*time.Minute, 5*time.Hour + 5*time.Minute, 5*time.Hour + 6*time.Minute, ""},
	} {
		if step.called > 0 {
			call(step.called)
		}
		if got := canaries(step.from, step.to); got != step.want {
			t.Errorf("step %d: told %q, want %q", i, got, step.want)
		}
	}
	f.Post(t, canaryAt(6*time.Hour)) // a gap, and then the alert stays as it is while it is not known
	canaries(6*time.Hour+time.Minute, 6*time.Hour+7*time.Minute)
	again := batchtest.Serve(t, New, f.Store, "ALERTS_MODE", "show") // another process
	again.Post(t, canaryAt(6*time.Hour+8*time.Minute))
	if active, err := f.Store.ActiveAlerts(t.Context()); err != nil || len(active) != 1 || !active[0].Open() {
		t.Errorf("%+v, %v; want the alert to stay", active, err)
	}
	if _, err := f.Store.ForgetFunction(t.Context(), "alert-devices"); err != nil {
		t.Fatal(err)
	}
	again.Post(t, canaryAt(6*time.Hour+9*time.Minute))
	if got := f.told(t); len(got) != 1 || !strings.HasPrefix(got[0], "No longer watched: The schedules have stopped") {
		t.Errorf("told %q after the function was removed", got)
	}
}

// TestTheStatusOfAUPSIsJudgedAsAWhole: a self-test is no power cut, wherever its word stands,
// and a number that cannot be right does not hide a flag.
func TestTheStatusOfAUPSIsJudgedAsAWhole(t *testing.T) {
	nut := `{"device":"rack","sensor":"nut","time":%q,"boot":"b","seq":%d,"fields":{"load_percent":%d,"on_battery":%d,"calibrating":0,"low_battery":%[4]d,"link_lost":0},"quality":%q,"reason":""}`
	for name, tc := range map[string]struct {
		topic    string
		payloads []string
		want     string
	}{
		"a self-test": {"ups/one", []string{`{"ups_status":"OL","load_percentage":18}`, `{"ups_status":"OB CAL DISCHRG","load_percentage":18}`, `{"ups_status":"OL CHRG","load_percentage":18}`}, ""},
		"a power cut after a self-test": {"ups/one", []string{`{"ups_status":"OB CAL","load_percentage":18}`, `{"ups_status":"OB","load_percentage":18}`},
			"On battery: ups/one / Since 12:01 (less than a minute)"},
		"too large a load": {"hearth/pi/rack", []string{fmt.Sprintf(nut, noon.Format(time.RFC3339), 1, 20, 0, "ok"), fmt.Sprintf(nut, noon.Add(time.Minute).Format(time.RFC3339), 2, 180, 1, "suspect")},
			"Battery low: rack / Since 12:01 (less than a minute)|On battery: rack / Since 12:01 (less than a minute)"},
	} {
		t.Run(name, func(t *testing.T) {
			f := watched(t)
			for i, p := range tc.payloads {
				if a := f.Post(t, message(time.Duration(i)*time.Minute, tc.topic, p)); len(a.Rejected) > 0 {
					t.Fatalf("%s: %+v", p, a.Rejected)
				}
			}
			if got := strings.Join(f.told(t), "|"); got != tc.want {
				t.Errorf("told %q, want %q", got, tc.want)
			}
		})
	}
}
