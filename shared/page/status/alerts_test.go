package status

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/store"
)

// co2 is an alert that fires.
func co2(severity alert.Severity, device, room string, value float64, since time.Time) alert.State {
	limit := 1500.0
	return alert.State{
		Key:     "air-co2-high/" + device,
		Spec:    alert.Spec{Rule: "air-co2-high", Channel: alert.Climate, Severity: severity, Title: "CO₂ is high", Next: "Open a window", For: 5 * time.Minute},
		Subject: alert.Subject{Device: device, Name: strings.ToUpper(device[:1]) + device[1:] + " air", Room: room}, Phase: alert.Firing,
		Value: &value, Limit: &limit, Worst: &value, Unit: "ppm", Since: since, Fired: since.Add(5 * time.Minute), Seen: since.Add(6 * time.Minute), Episode: 1, Told: alert.ToldFiring, ToldAt: since.Add(5 * time.Minute),
	}
}

// raise stores alerts as they are.
func (h fixture) raise(states ...alert.State) {
	h.t.Helper()
	var keys []string
	for _, s := range states {
		keys = append(keys, s.Key)
	}
	h.ok(h.st.MoveAlerts(h.t.Context(), keys, func(before map[string]alert.State) ([]alert.State, []alert.Message) {
		for i := range states {
			states[i].Version = before[states[i].Key].Version
		}
		return states, nil
	}))
}

func TestTheMostUrgentAlertStandsFirstInOneLine(t *testing.T) {
	h := newFixture(t)
	h.raise(co2(alert.Warning, "attic", "Attic", 1720, now.Add(-40*time.Minute)), co2(alert.Critical, "office", "Office", 2411.5, now.Add(-26*time.Minute)),
		co2(alert.Warning, "hall", "Hall", 1601, now.Add(-30*time.Minute)))
	d := h.data().Alerts
	var got []string
	for _, a := range d.Open {
		got = append(got, strings.Join([]string{a.Title, a.Where, a.Value, a.Limit, a.Next}, "|"))
	}
	want := []string{"CO₂ is high|Office air (Office)|2,411.5 ppm|above 1,500 ppm|Open a window", "CO₂ is high|Hall air (Hall)|1,601 ppm|above 1,500 ppm|Open a window", "CO₂ is high|Attic air (Attic)|1,720 ppm|above 1,500 ppm|Open a window"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	_, body := get(t, listen(t, h.page()).URL+"/status")
	if !strings.Contains(body, `<b>CO₂ is high</b> · Office air (Office) <span class="much">2,411.5 ppm</span> above 1,500 ppm <span class="since">since <time datetime="2026-11-23T13:34:00Z">13:34</time></span>`) {
		t.Errorf("the line is not on the page\n%s", body)
	}
}

func TestThePageSaysThatAllIsWell(t *testing.T) {
	h := newFixture(t)
	over := co2(alert.Warning, "office", "Office", 1712, now.Add(-3*time.Hour))
	over.Phase, over.Ended, over.Told = alert.Resolved, now.Add(-2*time.Hour), ""
	old := over
	old.Key, old.Ended = "air-co2-high/old", now.Add(-25*time.Hour)
	pending := co2(alert.Warning, "hall", "Hall", 1601, now.Add(-2*time.Minute))
	pending.Phase, pending.Told, pending.Episode = alert.Pending, "", 0
	h.raise(over, old, pending)
	_, body := get(t, listen(t, h.page()).URL+"/status")
	for _, want := range []string{"All well", "1 over in the last day", "CO₂ is high · Office air (Office): 11:00 to 12:00, 1 h 0 min, worst 1,712 ppm", "watched: <b>CO₂ is high</b> · Hall air (Hall)", "in 3 min"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s\n%s", want, body)
		}
	}
}

func TestALineSaysWhatKeepsAnAlertFromBeingTold(t *testing.T) {
	h := newFixture(t)
	since := now.Add(-time.Hour)
	root := alert.State{Key: "broker-silent", Spec: alert.Spec{Rule: "broker-silent", Severity: alert.Critical, Title: "The broker is silent"}, Phase: alert.Firing, Since: since, Text: "geheim"}
	acked, silenced, care, unknown, held, below := co2(alert.Warning, "a", "", 1600, since), co2(alert.Warning, "b", "", 1600, since), co2(alert.Warning, "c", "Cellar", 1600, since),
		co2(alert.Warning, "d", "", 1600, since), co2(alert.Warning, "e", "", 1600, since), co2(alert.Warning, "f", "", 1600, since)
	acked.Acked, acked.AckedBy = now.Add(-10*time.Minute), "eva"
	unknown.Phase, unknown.Stopped = alert.Unknown, now.Add(-20*time.Minute)
	held.Told = ""
	below.Root = root.Key
	h.raise(root, acked, silenced, care, unknown, held, below)
	p := h.page()
	p.House = func(context.Context, *store.Store, time.Time) (*alert.House, error) {
		return &alert.House{QuietHours: []alert.QuietHours{{From: 13 * time.Hour, To: 15 * time.Hour}}, Mode: alert.Send, Destinations: []string{alert.ToSlack},
			Silences: map[string]time.Time{silenced.Key: now.Add(30 * time.Minute)}, Maintenance: map[string]time.Time{"room/cellar": now.Add(2 * time.Hour)}}, nil
	}
	got := map[string]string{}
	d := p.snapshot(t.Context()).data.Alerts
	for _, a := range d.Open {
		got[a.Key] = strings.Join(a.Marks, ", ")
	}
	want := map[string]string{"broker-silent": "", acked.Key: "acknowledged by eva at 13:50", silenced.Key: "silenced until 14:30", care.Key: "in maintenance until 16:00", unknown.Key: "no data since 13:40", held.Key: "told in the morning, 15:00"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if first := d.Open[0]; first.Key != root.Key || len(first.Below) != 1 || first.Below[0].Key != below.Key || first.Text != "[secret]" {
		t.Errorf("the root is %+v", first)
	}
}

// TestAButtonActsOnTheAlertThatThePageShows: a click from the page is done, and the next
// look shows what it did. One with mistakes is not.
func TestAButtonActsOnTheAlertThatThePageShows(t *testing.T) {
	h := newFixture(t)
	office := co2(alert.Warning, "office", "Office", 1612, now.Add(-time.Hour))
	h.raise(office)
	p := h.page()
	p.House = houseOf
	post := func(form string) (int, string) { return post(p, "/alerts", form) }
	shown := func() Alert { return p.snapshot(t.Context()).data.Alerts.Open[0] }
	key := "key=" + url.QueryEscape(office.Key)
	for form, want := range map[string]int{"": 400, "do=ack": 400, key: 400, "do=ack&do=ack&" + key: 400, "do=ack&" + key + "&for=9h": 400, "do=eat&" + key: 404, "do=ack&key=x": 404, "do=unack&" + key: 404} {
		if code, text := post(form); code != want {
			t.Errorf("%q: %d %s, want %d", form, code, text, want)
		}
	}
	if a := shown(); a.Acked || a.Silenced || a.Maintained {
		t.Fatalf("refused clicks did something: %+v", a)
	}
	for _, c := range []struct{ do, said, mark string }{
		{"ack", "Acknowledged at 14:00: no more reminders until it resolves", "acknowledged at 14:00"},
		{"silence", "Silenced until 15:00", "silenced until 15:00"},
		{"unsilence", "No longer silenced", ""},
		{"morning", "Silenced until 07:00 on 24 November", "silenced until 07:00 on 24 November"},
		{"unsilence", "No longer silenced", ""},
		{"maintenance", "In maintenance until 16:00", "in maintenance until 16:00"},
		{"endmaintenance", "No longer in maintenance", ""},
	} {
		if code, text := post("do=" + c.do + "&" + key); code != http.StatusOK || text != c.said+"\n" {
			t.Errorf("%s: %d %s", c.do, code, text)
		}
		if got, want := strings.Join(shown().Marks, ", "), strings.TrimSuffix("acknowledged at 14:00, "+strings.TrimPrefix(c.mark, "acknowledged at 14:00"), ", "); got != want {
			t.Errorf("after %s: %q, want %q", c.do, got, want)
		}
	}
}

func TestAnAlertWithoutADeviceHasNoMaintenance(t *testing.T) {
	var got []string
	for _, b := range buttons(Alert{Key: "k"}) {
		got = append(got, b.Label)
	}
	if diff := cmp.Diff([]string{"Acknowledge", "Silence 1 h", "Until morning"}, got); diff != "" {
		t.Error(diff)
	}
}
