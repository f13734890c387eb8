package alert

import (
	"fmt"
	"slices"
	"time"
)

// The destinations of messages.
const (
	ToSlack   = "slack"
	ToNtfy    = "ntfy"
	ToWebhook = "webhook"
	ToPage    = "page" // only shown in the outbox on the page: it never leaves the machine
)

// Message is a row of the outbox: one notice for one destination. The outbox takes one
// Message per Key, so a rerun sends nothing twice.
type Message struct {
	Key         string // "feeds/rpilocator/<guid>", with @ and the destination
	Destination string
	Channel     Channel
	What        What
	Alert       *State // of a notice about an alert; nil: Text is all
	Group       string // unsent messages of a group, destination and channel are sent as one
	Text        string // the whole message as plain text
	Sample      bool   // of sample data: it never leaves the machine
	Created     time.Time
	Due         time.Time // not before; zero: at once

	// What its delivery has done so far.
	Tries     int       // how often sending it has failed
	Attempted time.Time // when sending it began, and it is not known how that ended; zero: it has not
	Step      int       // the steps that are done: of a resolve 1 is the edit of the post
}

// News returns the messages with a text that is about no alert, one for each destination:
// of an item of a source, a reminder of the user, a digest. The outbox takes each key once.
func (h *House) News(key string, channel Channel, text string, sample bool, now time.Time) []Message {
	if h.Mode == Observe {
		return nil
	}
	var out []Message
	for _, d := range h.destinations(sample) {
		out = append(out, Message{Key: key + "@" + d, Destination: d, Channel: channel, What: News, Text: text, Sample: sample, Created: now})
	}
	return out
}

// Messages returns the messages of a notice, one for each destination.
func (h *House) Messages(n Notice) []Message {
	var out []Message
	for _, d := range h.destinations(n.Alert.Sample) {
		if n.What == Repeat && d == ToSlack {
			continue
		}
		state := n.Alert
		out = append(out, Message{Key: n.Key + "@" + d, Destination: d, Channel: n.Alert.Channel, What: n.What, Alert: &state,
			Group: n.group, Text: h.Text(n), Sample: n.Alert.Sample, Created: n.At})
	}
	return out
}

// Edit returns the message that draws the post about an alert in Slack again, after a person
// has done something at the time at; note says what. It tells nobody anything. An alert that
// is not open, or of which nobody was told, has none.
func (h *House) Edit(s State, note string, at time.Time) []Message {
	if h.Mode == Observe || !s.Open() || s.Told == "" || !slices.Contains(h.destinations(s.Sample), ToSlack) {
		return nil
	}
	return []Message{{Key: fmt.Sprintf("%s#%d/edit/%d@%s", s.Key, s.Notices, at.UnixMicro(), ToSlack), Destination: ToSlack, Channel: s.Channel,
		What: Edited, Alert: &s, Text: note, Created: at}}
}
