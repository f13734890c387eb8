package status

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/slack"
	"github.com/hearth-home/hearth/shared/store"
)

// queue adds messages to the outbox.
func (h fixture) queue(messages ...alert.Message) {
	h.t.Helper()
	h.ok(h.st.MoveAlerts(h.t.Context(), []string{"k"}, func(map[string]alert.State) ([]alert.State, []alert.Message) { return nil, messages }))
}

func TestTheOutboxSaysWhatBecameOfEachMessage(t *testing.T) {
	h := newFixture(t)
	m := func(key, to, text string, minutes int) alert.Message {
		return alert.Message{Key: key, Destination: to, Channel: alert.Climate, What: alert.Fired, Text: text, Created: now.Add(-time.Duration(minutes) * time.Minute)}
	}
	sample, edited, later := m("1", alert.ToPage, "CO₂ is high: Office\n"+nasty, 1), m("8", alert.ToSlack, "edited", 1), m("7", alert.ToNtfy, "later", 7)
	sample.Sample, edited.What, later.Due = true, alert.Edited, now.Add(time.Hour)
	h.queue(sample, m("2", alert.ToPage, "shown", 2), m("3", alert.ToSlack, "sent", 3), m("4", alert.ToSlack, "tried", 4), m("5", alert.ToSlack, "given up", 5), m("6", alert.ToNtfy, "waits", 6), later, edited)
	h.ok(h.st.Sent(t.Context(), []string{"3"}, nil, now.Add(-2*time.Minute)))
	h.ok(h.st.Postpone(t.Context(), []string{"4"}, "no answer by geheim", false, now.Add(time.Minute)))
	h.ok(h.st.Refuse(t.Context(), []string{"5"}, "msg_too_long", now))
	p := h.page()
	o := outbox{View: p.snapshot(t.Context())}
	h.ok(p.readOutbox(t.Context(), &o))
	var got []string
	for _, m := range o.Messages {
		title, _, _ := strings.Cut(string(m.Blocks[0].Text), "<br>")
		got = append(got, title+" | "+m.Fate)
	}
	want := []string{
		"CO₂ is high: Office | sample data: never leaves this machine", "shown | shown only: no destination is configured", "sent | sent to slack at 13:58",
		"tried | could not be sent to slack: no answer by [secret]; next try at 14:01", "given up | given up, to slack: msg_too_long", "waits | waits to be sent to ntfy", "later | will be sent to ntfy at 15:00",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	_, body := get(t, listen(t, p).URL+"/outbox")
	if !strings.Contains(body, "CO₂ is high: Office") || !strings.Contains(body, `<span class="badge sample">sample</span>`) || strings.Contains(body, "<script>alert") {
		t.Errorf("the page is\n%s", body)
	}
}

func TestTheOutboxSaysWhereMessagesGo(t *testing.T) {
	for want, house := range map[string]alert.House{
		"Nothing is sent from here: ALERTS_MODE is observe.":                                                         {Mode: alert.Observe, Destinations: []string{alert.ToSlack}},
		"Nothing is sent from here: neither Slack nor ntfy nor a webhook is configured.":                             {Mode: alert.Show},
		"Messages about your own data are sent to slack and ntfy. Those about sample data never leave this machine.": {Mode: alert.Show, Destinations: []string{alert.ToSlack, alert.ToNtfy}},
	} {
		h := newFixture(t)
		p := h.page()
		p.House = func(context.Context, *store.Store, time.Time) (*alert.House, error) { return &house, nil }
		if _, body := get(t, listen(t, p).URL+"/outbox"); !strings.Contains(body, want) || !strings.Contains(body, "Nothing has been told yet.") {
			t.Errorf("the page lacks %q\n%s", want, body)
		}
	}
}

// TestALinkOfAMessageShowsWhatTheAlertWasThen: the page shows now, and says so.
func TestALinkOfAMessageShowsWhatTheAlertWasThen(t *testing.T) {
	h := newFixture(t)
	was, is := co2(alert.Warning, "office", "Office", 1612, now.Add(-3*time.Hour)), co2(alert.Warning, "office", "Office", 2412, now.Add(-3*time.Hour))
	h.raise(is)
	told := now.Add(-2*time.Hour + 300*time.Millisecond)
	h.queue(alert.Message{Key: was.Key + "#1@slack", Destination: alert.ToSlack, Alert: &was, Text: "x", Created: told},
		alert.Message{Key: was.Key + "#2@slack", Destination: alert.ToSlack, Alert: &is, Text: "y", Created: now.Add(-time.Hour)})
	srv := listen(t, h.page())
	link, err := url.Parse(slack.PageAt(srv.URL, was.Key, told))
	h.ok(err)
	_, body := get(t, srv.URL+"/status?"+link.RawQuery)
	for _, want := range []string{"This page shows now. At 12:00 it was: <b>CO₂ is high</b> · Office air (Office)", "1,612 ppm</span> above 1,500 ppm", "2,412 ppm"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s\n%s", want, body)
		}
	}
	for query, known := range map[string]bool{"?at=2026-11-23T12:00:00Z&alert=x": false, "?at=2026-11-23T12:00:00Z": false, "?at=yesterday&alert=x": true, "": true} {
		if _, body := get(t, srv.URL+"/status"+query); strings.Contains(body, "is no longer known") == known {
			t.Errorf("%q: %v", query, !known)
		}
	}
}

func TestAlertsThatCannotBeReadAreNotCalledWell(t *testing.T) {
	h := newFixture(t)
	p := h.page()
	p.House = func(context.Context, *store.Store, time.Time) (*alert.House, error) {
		return nil, context.DeadlineExceeded
	}
	if _, body := get(t, listen(t, p).URL+"/status"); strings.Contains(body, "All well") || !strings.Contains(body, "Not known: the alerts cannot be read") {
		t.Errorf("%s", body)
	}
}

// TestAnAlertIsDrawnAsInSlack: its facts, its inert buttons, and what explains it. Messages
// of a group are one.
func TestAnAlertIsDrawnAsInSlack(t *testing.T) {
	h := newFixture(t)
	root := alert.State{Key: "broker-silent", Spec: alert.Spec{Rule: "broker-silent", Severity: alert.Critical, Title: "The broker is silent"}, Phase: alert.Firing, Since: now.Add(-time.Hour)}
	office, hall := co2(alert.Warning, "office", nasty, 1612, now.Add(-40*time.Minute)), co2(alert.Warning, "hall", "Hall", 1712, now.Add(-40*time.Minute))
	office.Root = root.Key
	h.raise(root, office)
	m := func(a alert.State, group string, minutes int) alert.Message {
		return alert.Message{Key: a.Key + "#1@page", Destination: alert.ToPage, Channel: alert.Climate, What: alert.Fired, Alert: &a, Group: group, Text: "x", Sample: true, Created: now.Add(-time.Duration(minutes) * time.Minute)}
	}
	shed := co2(alert.Warning, "shed", "Shed", 1812, now.Add(-40*time.Minute))
	h.queue(m(office, "", 1), m(hall, "morning", 2), m(shed, "morning", 3))
	p := h.page()
	o := outbox{View: p.snapshot(t.Context())}
	h.ok(p.readOutbox(t.Context(), &o))
	if len(o.Messages) != 2 {
		t.Fatalf("%+v", o.Messages)
	}
	var kinds []string
	for _, b := range o.Messages[0].Blocks {
		kinds = append(kinds, b.Kind)
	}
	if diff := cmp.Diff([]string{"section", "fields", "section", "actions"}, kinds); diff != "" {
		t.Error(diff)
	}
	_, body := get(t, listen(t, p).URL+"/outbox")
	for _, want := range []string{
		`<span class="sign orange">●</span> <b>CO₂ is high</b> · Office air (&lt;script&gt;`, "<b>Value</b><br>1,612 ppm (fires above 1,500 ppm)", "<b>Since</b><br>13:20", "<b>Probable cause</b> The broker is silent",
		"<span>Acknowledge</span> <span>Silence 1 h</span>", "<b>2 messages</b>, 2 alerts fire", "Shed air", "One of them…",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the outbox lacks %s\n%s", want, body)
		}
	}
	if strings.Contains(body, "<button") || strings.Contains(body, "<script>alert") {
		t.Errorf("it has a button or foreign markup\n%s", body)
	}
}
