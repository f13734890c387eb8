package status

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/notify"
	"github.com/hearth-home/hearth/shared/printable"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	maxMessages = 60  // messages that the outbox shows, the newest
	maxDrawn    = 500 // messages that are kept as they were drawn
)

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
	Blocks  []drawing
	Fate    string // "sent to slack at 14:05"
	Warn    bool   // it could not be sent
	Sample  bool
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
	if err != nil {
		return err
	}
	preview, err := notify.NewPreviewer(ctx, st, house.URL, p.Redact, now)
	if err != nil {
		return err
	}
	zone := &alert.House{Zone: o.View.zone}
	for _, rows := range together(queued) {
		m, err := p.message(ctx, preview, rows, zone, now)
		if err != nil {
			return err
		}
		o.Messages = append(o.Messages, m)
	}
	return nil
}

// together returns messages that are sent as one side by side. Those that only draw a post
// again are left out.
func together(queued []store.Queued) (out [][]store.Queued) {
	for _, q := range queued {
		if q.What == alert.Edited {
			continue
		}
		i := slices.IndexFunc(out, func(o []store.Queued) bool {
			return q.Group != "" && o[0].Group == q.Group && o[0].Destination == q.Destination && o[0].Channel == q.Channel && o[0].Sample == q.Sample
		})
		if i < 0 {
			out = append(out, nil)
			i = len(out) - 1
		}
		out[i] = append(out[i], q)
	}
	return out
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

// message returns messages that are sent as one as a person reads them.
func (p *Page) message(ctx context.Context, preview *notify.Previewer, rows []store.Queued, house *alert.House, now time.Time) (message, error) {
	q := rows[0]
	m := message{ID: alertID(q.Key), Channel: q.Channel, At: q.Created, Sample: q.Sample}
	m.Fate, m.Warn = p.fate(q, house, now)
	key := fmt.Sprint(len(rows), q.Key)
	p.mu.Lock()
	blocks, known := p.drawn[key]
	p.mu.Unlock()
	if known {
		m.Blocks = blocks
		return m, nil
	}
	var all []alert.Message
	for _, r := range slices.Backward(rows) {
		all = append(all, r.Message)
	}
	b, err := json.Marshal(preview.Message(ctx, all).Blocks)
	if err != nil {
		return m, err
	}
	m.Blocks, err = mrkdwn{when: func(t time.Time) string { return house.When(t, q.Created) }}.drawBlocks(b)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.drawn) >= maxDrawn || p.drawn == nil {
		p.drawn = map[string][]drawing{}
	}
	p.drawn[key] = m.Blocks
	return m, err
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
