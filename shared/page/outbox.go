package page

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/printable"
	"github.com/hearth-home/hearth/shared/store"
)

const maxMessages = 100 // messages that the outbox shows, the newest

// outbox is the view of the outbox: what hearth tells, as it looks in Slack.
type outbox struct {
	View     *view
	Messages []message
	Error    string
	To       string // where messages go, in a sentence
}

// message is a message of the outbox as a person reads it.
type message struct {
	ID      string
	Channel alert.Channel
	At      time.Time
	Title   string
	Lines   []string
	Fate    string // "sent to slack at 14:05"
	Warn    bool   // it could not be sent
	Sample  bool
	Over    bool // it says that something is over
	Urgent  bool
}

// outbox answers with the page of the outbox.
func (p *Page) outbox(w http.ResponseWriter, r *http.Request) {
	o := outbox{View: p.snapshot(r.Context())}
	ctx, cancel := context.WithTimeout(r.Context(), deadline)
	defer cancel()
	if err := p.readOutbox(ctx, &o); err != nil {
		o.Error = p.Redact(err.Error())
	}
	write(w, "outbox.html", o)
}

// write answers with a page.
func write(w http.ResponseWriter, name string, data any) {
	var b bytes.Buffer
	if err := tmpl.ExecuteTemplate(&b, name, data); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write([]byte(printable.Text(b.String())))
}

func (p *Page) readOutbox(ctx context.Context, o *outbox) error {
	st, err := p.Open(ctx)
	if err != nil {
		return err
	}
	now := o.View.Now()
	house, err := p.house(ctx, st, now)
	if err != nil {
		return err
	}
	o.To = destinations(house)
	queued, err := st.Outbox(ctx, maxMessages)
	for _, q := range queued {
		if q.What != alert.Edited {
			o.Messages = append(o.Messages, p.message(q, &alert.House{Zone: o.View.zone}, now))
		}
	}
	return err
}

// destinations says where messages go.
func destinations(h *alert.House) string {
	var to []string
	for _, d := range h.Destinations {
		if d != alert.ToPage {
			to = append(to, d)
		}
	}
	switch {
	case h.Mode == alert.Observe:
		return "Nothing is sent from here: ALERTS_MODE is observe."
	case len(to) == 0:
		return "Nothing is sent from here: neither Slack nor ntfy nor a webhook is configured."
	}
	return "Messages about your own data are sent to " + strings.Join(to, " and ") + ". Those about sample data never leave this machine."
}

// message returns a message as a person reads it. Its text has a title and lines.
func (p *Page) message(q store.Queued, house *alert.House, now time.Time) message {
	title, rest, _ := strings.Cut(p.Redact(q.Text), "\n")
	m := message{ID: alertID(q.Key), Channel: q.Channel, At: q.Created, Title: title, Sample: q.Sample,
		Over: q.What == alert.Ended, Urgent: q.Alert != nil && q.Alert.Severity == alert.Critical && q.What != alert.Ended}
	if rest != "" {
		m.Lines = strings.Split(rest, "\n")
	}
	m.Fate, m.Warn = p.fate(q, house, now)
	return m
}

// fate says what has become of a message, and whether it could not be sent.
func (p *Page) fate(q store.Queued, house *alert.House, now time.Time) (string, bool) {
	switch {
	case q.Sample:
		return "sample data: never leaves this machine", false
	case q.Destination == alert.ToPage:
		return "shown only: no destination is configured", false
	case !q.Sent.IsZero() && q.Reason != "":
		return "given up, to " + q.Destination + ": " + p.Redact(q.Reason), true
	case !q.Sent.IsZero():
		return "sent to " + q.Destination + " at " + house.When(q.Sent, now), false
	case q.Tries > 0:
		return "could not be sent to " + q.Destination + ": " + p.Redact(q.Reason) + "; next try at " + house.When(q.Due, now), true
	case q.Due.After(now):
		return "will be sent to " + q.Destination + " at " + house.When(q.Due, now), false
	}
	return "waits to be sent to " + q.Destination, false
}

// then is an alert as it was when a message about it was made.
type then struct {
	View  *view
	Alert Alert
	At    time.Time
	Known bool // Alert is set
}

// alertThen returns the alert that a link in a message is about, as it was then: the
// address has at=, a time, and alert=, a key. nil: it names none, or none that is known.
func (p *Page) alertThen(r *http.Request, v *view) *then {
	at, key := parseAt(r.URL.Query().Get("at")), r.URL.Query().Get("alert")
	if at.IsZero() {
		return nil
	}
	t := &then{View: v, At: at}
	ctx, cancel := context.WithTimeout(r.Context(), deadline)
	defer cancel()
	st, err := p.Open(ctx)
	if err != nil || key == "" {
		return t
	}
	s, err := st.AlertAt(ctx, key, at.Add(time.Second)) // the link has whole seconds
	if err != nil || s == nil {
		return t
	}
	c := newCollector(p.Inputs)
	t.Alert, t.Known = c.line(s, &alert.House{Zone: v.zone}, at), true
	return t
}

// parseAt parses the time of a link, RFC 3339; zero: it is none.
func parseAt(text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || at.Year() < 2000 || at.Year() > 9999 {
		return time.Time{}
	}
	return at.UTC()
}
