// Package action carries out what a person decides about an alert: acknowledge it, silence
// it, put its device into maintenance, and the end of each. A button in Slack, the command
// /hearth and the page use it.
//
// An action counts from the time at which the person acted, not from when it arrives. So it
// can come twice, late or after a newer one, and changes nothing then.
package action

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/store"
)

// Do is what a person decides.
type Do string

// What a person may decide about an alert.
const (
	Ack            Do = "ack"            // no more reminders, until it resolves
	Unack          Do = "unack"          // withdraws Ack
	Silence        Do = "silence"        // no messages for Action.For
	Morning        Do = "morning"        // no messages until the next end of quiet hours, else 07:00
	Unsilence      Do = "unsilence"      // ends Silence and Morning
	Maintenance    Do = "maintenance"    // no messages about the alert's device, and what depends on it, for Action.For
	EndMaintenance Do = "endmaintenance" // ends Maintenance
)

// all is the Alert of an action on all alerts of a post.
const all = "*"

const (
	silenceTime     = time.Hour
	maintenanceTime = 2 * time.Hour
	maxTime         = 90 * 24 * time.Hour
	maxTargets      = 500 // alerts of one action
)

// Action is what a person does. One of Alert, Device and Subject names what it is about.
type Action struct {
	Do      Do
	Alert   string        // key of an alert; *: the alerts of Post
	Device  string        // id or name of a device: its alerts that fire
	Subject string        // of Maintenance and EndMaintenance: device/ID, room/NAME in lower case, node/ID or bridge/ID
	Post    Post          // the message in Slack with the button; zero: none
	By      string        // the person's name
	At      time.Time     // when the person acted
	For     time.Duration // of Silence (zero: 1 h) and Maintenance (zero: 2 h)
}

// Post is a message in Slack.
type Post struct{ Channel, TS string }

// Answer is what has become of an action.
type Answer struct {
	Note   string        // what was done, one line for a person: "Acknowledged by anna at 14:05"
	Alerts []alert.State // that it was about, as they are now, in the order of their keys
}

// Refusal is the error of an action that cannot be carried out, now or later. Its text tells
// the person why.
type Refusal struct{ text string }

func (r *Refusal) Error() string { return r.text }

func refuse(format string, args ...any) error { return &Refusal{fmt.Sprintf(format, args...)} }

// Apply carries out an action: it writes it to the store, and queues the messages that draw
// the posts about its alerts again. It returns a *Refusal for a wrong action or one about
// something that hearth does not know. After any other error call it again.
func Apply(ctx context.Context, st *store.Store, h *alert.House, a Action, now time.Time) (Answer, error) {
	if err := a.check(now); err != nil {
		return Answer{}, err
	}
	found, episodes, err := a.find(ctx, st)
	if err != nil {
		return Answer{}, err
	}
	if a.Do == Ack || a.Do == Unack {
		return a.acknowledge(ctx, st, h, found, episodes)
	}
	until, err := a.until(h, now)
	if err != nil {
		return Answer{}, err
	}
	kind, subjects := a.subjects(found)
	if len(subjects) == 0 {
		return Answer{}, refuse("%s is not about a device: silence it instead.", titles(found))
	}
	for _, subject := range subjects {
		err := st.SetUntil(ctx, store.UntilDate{Kind: kind, Subject: subject, Until: until, Set: a.At})
		if errors.Is(err, store.ErrFull) {
			return Answer{}, refuse("There are too many silences already: end some first.")
		}
		if err != nil {
			return Answer{}, err
		}
	}
	return a.edit(ctx, st, h, found, a.note(h, until, now))
}

// check returns a Refusal if the action is wrong in itself.
func (a Action) check(now time.Time) error {
	maintenance := a.Do == Maintenance || a.Do == EndMaintenance
	switch {
	case !slices.Contains([]Do{Ack, Unack, Silence, Morning, Unsilence, Maintenance, EndMaintenance}, a.Do):
		return refuse("hearth does not know the action %q.", a.Do)
	case a.Alert == "" && a.Device == "" && a.Subject == "":
		return refuse("The action does not say which alert it is about.")
	case a.Subject != "" && (!maintenance || !validSubject(a.Subject)):
		return refuse("%q cannot be in maintenance: write device/ID, room/NAME, node/ID or bridge/ID.", a.Subject)
	case a.At.IsZero() || a.At.After(now.Add(time.Hour)):
		return refuse("The time of the action is missing or lies ahead: check the clock of the Slack connector.")
	case a.For < 0 || a.For > maxTime:
		return refuse("A silence lasts 90 days at most.")
	}
	return nil
}

func validSubject(s string) bool {
	kind, name, ok := strings.Cut(s, "/")
	return ok && name != "" && slices.Contains([]string{"device", "room", "node", "bridge"}, kind)
}

// find returns the alerts of the action in the order of their keys, and of those that are
// in its post the episode that the post is about.
func (a Action) find(ctx context.Context, st *store.Store) ([]alert.State, map[string]int64, error) {
	episodes := map[string]int64{}
	if a.Post != (Post{}) {
		var err error
		if episodes, err = st.AlertsOfPost(ctx, a.Post.Channel, a.Post.TS); err != nil {
			return nil, nil, err
		}
	}
	keys := []string{a.Alert}
	switch {
	case a.Subject != "":
		return nil, nil, a.findSubject(ctx, st)
	case a.Device != "":
		found, err := a.ofDevice(ctx, st)
		return found, nil, err
	case a.Alert == all:
		if keys = slices.Sorted(maps.Keys(episodes)); len(keys) == 0 {
			return nil, nil, refuse("hearth no longer knows which alerts this message was about.")
		}
	}
	states, err := st.AlertsOf(ctx, keys[:min(len(keys), maxTargets)])
	if err != nil {
		return nil, nil, err
	}
	found := slices.SortedFunc(maps.Values(states), func(a, b alert.State) int { return strings.Compare(a.Key, b.Key) })
	if len(found) == 0 {
		return nil, nil, refuse("There is no alert %q (any more). /hearth status lists what fires.", strings.Join(keys, ", "))
	}
	return found, episodes, nil
}

// findSubject returns a Refusal if the register has nothing of which maintenance could be.
func (a Action) findSubject(ctx context.Context, st *store.Store) error {
	if a.Do == EndMaintenance {
		return nil
	}
	devices, err := st.Devices(ctx)
	if err != nil {
		return err
	}
	kind, name, _ := strings.Cut(a.Subject, "/")
	for _, d := range devices {
		if kind == "room" && strings.ToLower(d.Room) == name || kind != "room" && d.ID == name {
			return nil
		}
	}
	return refuse("hearth knows no %s %q.", kind, name)
}

// ofDevice returns the alerts of a device that fire.
func (a Action) ofDevice(ctx context.Context, st *store.Store) (found []alert.State, err error) {
	active, err := st.ActiveAlerts(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range active {
		if s.Open() && s.Device != "" && (s.Device == a.Device || strings.EqualFold(s.Name, a.Device)) {
			found = append(found, s)
		}
	}
	if len(found) == 0 {
		return nil, refuse("Nothing fires for %q, and it is no alert. /hearth status lists what fires.", a.Device)
	}
	return found, nil
}

// until returns when a silence or maintenance ends, from the time at which the person acted.
func (a Action) until(h *alert.House, now time.Time) (time.Time, error) {
	until := a.At // the end of one
	switch a.Do {
	case Silence:
		until = a.At.Add(positive(a.For, silenceTime))
	case Morning:
		until = h.Morning(a.At)
	case Maintenance:
		until = a.At.Add(positive(a.For, maintenanceTime))
	default:
		return until, nil
	}
	if !until.After(now) {
		return until, refuse("That was until %s, which has passed: the click arrived too late.", h.When(until, now))
	}
	return until, nil
}

func positive(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}

// subjects returns the kind and the subjects of the dates that the action sets. An alert
// that is not about a device has none of maintenance.
func (a Action) subjects(found []alert.State) (kind string, subjects []string) {
	if a.Do != Maintenance && a.Do != EndMaintenance {
		for _, s := range found {
			subjects = append(subjects, s.Key)
		}
		return store.Silence, subjects
	}
	if a.Subject != "" {
		return store.Maintenance, []string{a.Subject}
	}
	for _, s := range found {
		if s.Device != "" && !slices.Contains(subjects, "device/"+s.Device) {
			subjects = append(subjects, "device/"+s.Device)
		}
	}
	return store.Maintenance, subjects
}
