package action_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/action"
	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const (
	co2, pm, failing = "air-co2-high/office-air/co2_ppm", "air-pm2_5-high/office-air/pm2_5_ugm3", "source-failing/weather/home"
	channel, ts      = "C1", "1795437300.000100"
)

// rig is a house in which three alerts fire at noon, two of them told in one post.
type rig struct {
	*testing.T
	st    *store.Store
	house *alert.House
}

func newRig(t *testing.T) *rig {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hearth.db")
	st, err := sqlite.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	r := &rig{t, st, &alert.House{Destinations: []string{alert.ToSlack}, Mode: alert.Send}}
	r.observe(co2, alert.Bad, noon)
	r.observe(pm, alert.Bad, noon)
	r.observe(failing, alert.Bad, noon)
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, key := range []string{co2, failing} {
		if _, err := db.Exec(`insert into alert_posts (key, episode, destination, channel, ts, posted) values (?, 1, 'slack', ?, ?, 0)`, key, channel, ts); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// observe lets a rule see something.
func (r *rig) observe(key string, verdict alert.Verdict, at time.Time) {
	r.Helper()
	o := alert.Observation{Key: key, Spec: alert.Spec{Rule: "r", Title: "Bad air", Severity: alert.Warning}, Subject: alert.Subject{Device: "office-air", Name: "Desk"}, Verdict: verdict, At: at}
	if key == failing {
		o.Spec, o.Subject = alert.Spec{Rule: "source-failing", Severity: alert.Warning}, alert.Subject{Function: "weather", Target: "home"}
	}
	err := r.st.MoveAlerts(r.Context(), []string{key}, func(before map[string]alert.State) ([]alert.State, []alert.Message) {
		return r.house.Move(before, []alert.Observation{o}, at)
	})
	if err != nil {
		r.Fatal(err)
	}
}

// do acts a minute after at, and does it twice, as a click that comes again does.
func (r *rig) do(a action.Action) (action.Answer, error) {
	r.Helper()
	if a.By == "" {
		a.By = "anna"
	}
	first, err := action.Apply(r.Context(), r.st, r.house, a, a.At.Add(time.Minute))
	rows := r.rows()
	again, errAgain := action.Apply(r.Context(), r.st, r.house, a, a.At.Add(2*time.Minute))
	if first.Note != again.Note || len(first.Alerts) != len(again.Alerts) || (err == nil) != (errAgain == nil) || rows != r.rows() {
		r.Errorf("%+v again: %+v, %v and then %+v, %v; %s then %s", a, first, err, again, errAgain, rows, r.rows())
	}
	return first, err
}

// rows says what the store has: acknowledged alerts, ends and edits.
func (r *rig) rows() string {
	r.Helper()
	var out []string
	states, err := r.st.Alerts(r.Context(), 100)
	until, e := r.st.UntilDates(r.Context(), noon)
	due, e2 := r.st.Due(r.Context(), noon.Add(100*time.Hour), 100)
	if err := errors.Join(err, e, e2); err != nil {
		r.Fatal(err)
	}
	for _, s := range states {
		if !s.Acked.IsZero() {
			out = append(out, "acked "+s.Key+" by "+s.AckedBy+" "+s.Acked.Format("15:04"))
		}
	}
	for _, u := range until {
		out = append(out, u.Kind+" "+u.Subject+" "+u.Until.Format("15:04"))
	}
	for _, m := range due {
		if m.What == alert.Edited {
			out = append(out, "edit "+m.Alert.Key+": "+m.Text)
		}
	}
	return strings.Join(out, "\n")
}

func (r *rig) is(want ...string) {
	r.Helper()
	if got := r.rows(); got != strings.Join(want, "\n") {
		r.Errorf("the store has\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

var slackPost = action.Post{Channel: channel, TS: ts}

func at(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }

func TestEachActionOnOneAlert(t *testing.T) {
	ack, silence, morning := "Acknowledged by anna at 12:10: no more reminders until it resolves", "Silenced until 13:10 by anna", "Silenced until 07:00 on 24 November by anna"
	for _, tc := range []struct {
		do   action.Do
		of   time.Duration
		note string
		rows string
	}{
		{action.Ack, 0, ack, "acked " + co2 + " by anna 12:10\nedit " + co2 + ": " + ack},
		{action.Silence, 0, silence, "silence " + co2 + " 13:10\nedit " + co2 + ": " + silence},
		{action.Silence, 3 * time.Hour, "Silenced until 15:10 by anna", "silence " + co2 + " 15:10\nedit " + co2 + ": Silenced until 15:10 by anna"},
		{action.Morning, 0, morning, "silence " + co2 + " 07:00\nedit " + co2 + ": " + morning},
		{action.Maintenance, 0, "In maintenance until 14:10 by anna", "maintenance device/office-air 14:10\nedit " + co2 + ": In maintenance until 14:10 by anna"},
	} {
		t.Run(string(tc.do)+tc.of.String(), func(t *testing.T) {
			r := newRig(t)
			answer, err := r.do(action.Action{Do: tc.do, Alert: co2, Post: slackPost, At: at(10), For: tc.of})
			if err != nil || answer.Note != tc.note || len(answer.Alerts) != 1 || answer.Alerts[0].Key != co2 {
				t.Errorf("%+v, %v, want %s", answer, err, tc.note)
			}
			r.is(strings.Split(tc.rows, "\n")...)
		})
	}
}

func TestTheEndOfEachAction(t *testing.T) {
	r := newRig(t)
	for i, do := range []action.Do{action.Ack, action.Silence, action.Maintenance, action.Unack, action.Unsilence, action.EndMaintenance} {
		if _, err := r.do(action.Action{Do: do, Alert: co2, At: at(10 + i)}); err != nil {
			t.Fatal(do, err)
		}
	}
	dates, err := r.st.UntilDates(t.Context(), at(16))
	states, e := r.st.AlertsOf(t.Context(), []string{co2})
	if s := states[co2]; err != nil || e != nil || len(dates) != 0 || !s.Acked.IsZero() || s.AckedBy != "" {
		t.Errorf("%+v %+v %v %v", dates, s, err, e)
	}
	for i, do := range []action.Do{action.Ack, action.Silence, action.Maintenance} { // the first clicks come again, late
		if _, err := action.Apply(t.Context(), r.st, r.house, action.Action{Do: do, Alert: co2, At: at(10 + i)}, at(20)); err != nil {
			t.Fatal(do, err)
		}
	}
	dates, err = r.st.UntilDates(t.Context(), at(16))
	states, e = r.st.AlertsOf(t.Context(), []string{co2})
	if s := states[co2]; err != nil || e != nil || len(dates) != 0 || !s.Acked.IsZero() {
		t.Errorf("after old clicks: %+v %+v %v %v", dates, s, err, e)
	}
}

func TestAnActionOnAPostAboutSeveral(t *testing.T) {
	r := newRig(t)
	answer, err := r.do(action.Action{Do: action.Ack, Alert: "*", Post: slackPost, At: at(1)})
	if err != nil || len(answer.Alerts) != 2 || answer.Alerts[0].Key != co2 || answer.Alerts[1].Key != failing {
		t.Errorf("%+v, %v", answer, err)
	}
	answer, err = r.do(action.Action{Do: action.Maintenance, Alert: "*", Post: slackPost, At: at(2)})
	if err != nil || len(answer.Alerts) != 1 || answer.Alerts[0].Key != co2 { // a source has no device
		t.Errorf("%+v, %v", answer, err)
	}
	if answer, err = r.do(action.Action{Do: action.Silence, Device: "desk", At: at(3)}); err != nil || len(answer.Alerts) != 2 || answer.Alerts[1].Key != pm {
		t.Errorf("%+v, %v", answer, err)
	}
	if err := r.st.ConfigureDevices(t.Context(), []store.DeviceSetting{{Device: "office-air", Kind: "edge", Room: "Office"}}, noon); err != nil {
		t.Fatal(err)
	}
	if answer, err = r.do(action.Action{Do: action.Maintenance, Subject: "room/office", At: at(4), For: time.Hour}); err != nil || answer.Note != "In maintenance until 13:04 by anna" {
		t.Errorf("%+v, %v", answer, err)
	}
}

// TestAClickIsAboutTheEpisodeOfItsPost: an alert that has resolved and fires again is not
// acknowledged by a click on the old post, nor by one that was made before it fired.
func TestAClickIsAboutTheEpisodeOfItsPost(t *testing.T) {
	r := newRig(t)
	r.observe(co2, alert.Good, at(5))
	for _, a := range []action.Action{{Post: slackPost, At: at(6)}, {At: at(6)}} {
		a.Do, a.Alert = action.Ack, co2
		if _, err := r.do(a); err == nil || !strings.Contains(err.Error(), "does not fire any more") {
			t.Errorf("%+v, resolved: %v", a, err)
		}
	}
	r.observe(co2, alert.Bad, at(30))
	for _, a := range []action.Action{{Post: slackPost, At: at(31)}, {At: at(29)}} {
		a.Do, a.Alert = action.Ack, co2
		if _, err := r.do(a); err == nil || !strings.Contains(err.Error(), "fired again") {
			t.Errorf("%+v, of the earlier episode: %v", a, err)
		}
	}
	r.is()
}

func TestWrongActionsAreRefused(t *testing.T) {
	r := newRig(t)
	for _, tc := range []struct {
		says string
		a    action.Action
	}{
		{`does not know the action "explode"`, action.Action{Do: "explode", Alert: co2, At: noon}},
		{"which alert", action.Action{Do: action.Ack, At: noon}},
		{`no alert "air/unknown"`, action.Action{Do: action.Ack, Alert: "air/unknown", At: noon}},
		{"which alerts this message was about", action.Action{Do: action.Ack, Alert: "*", Post: action.Post{Channel: "C1", TS: "1"}, At: noon}},
		{"which alerts this message was about", action.Action{Do: action.Ack, Alert: "*", At: noon}},
		{`Nothing fires for "boiler"`, action.Action{Do: action.Silence, Device: "boiler", At: noon}},
		{"is not about a device", action.Action{Do: action.Maintenance, Alert: failing, At: noon}},
		{"cannot be in maintenance", action.Action{Do: action.Maintenance, Subject: "house/x", At: noon}},
		{"cannot be in maintenance", action.Action{Do: action.Silence, Subject: "device/x", At: noon}},
		{`knows no device "x"`, action.Action{Do: action.Maintenance, Subject: "device/x", At: noon}},
		{`knows no room "attic"`, action.Action{Do: action.Maintenance, Subject: "room/attic", At: noon}},
		{"arrived too late", action.Action{Do: action.Silence, Alert: co2, At: noon.Add(-2 * time.Hour)}},
		{"90 days at most", action.Action{Do: action.Silence, Alert: co2, At: noon, For: 91 * 24 * time.Hour}},
		{"check the clock", action.Action{Do: action.Silence, Alert: co2, At: noon.Add(3 * time.Hour)}},
		{"check the clock", action.Action{Do: action.Silence, Alert: co2}},
	} {
		_, err := action.Apply(t.Context(), r.st, r.house, tc.a, noon.Add(time.Minute))
		if _, ok := errors.AsType[*action.Refusal](err); !ok || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%+v: %v, want %s", tc.a, err, tc.says)
		}
	}
	r.is()
	r.st.Close()
	_, err := action.Apply(t.Context(), r.st, r.house, action.Action{Do: action.Ack, Alert: co2, At: noon}, noon)
	if _, ok := errors.AsType[*action.Refusal](err); ok || err == nil {
		t.Errorf("without a store: %v", err)
	}
}

// TestWithoutSlackNothingIsEdited: the action itself counts.
func TestWithoutSlackNothingIsEdited(t *testing.T) {
	for name, change := range map[string]func(*alert.House){"observe": func(h *alert.House) { h.Mode = alert.Observe }, "no slack": func(h *alert.House) { h.Destinations = []string{alert.ToNtfy} }} {
		r := newRig(t)
		change(r.house)
		if answer, err := r.do(action.Action{Do: action.Ack, Alert: co2, At: at(1)}); err != nil || len(answer.Alerts) != 1 {
			t.Errorf("%s: %+v %v", name, answer, err)
		}
		r.is("acked " + co2 + " by anna 12:01")
	}
}
