package function

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/action"
	"github.com/hearth-home/hearth/shared/printable"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	actionTime  = 10 * time.Second // for a click, without sending
	actionSend  = 2 * time.Second  // for sending after the answer
	maxAction   = 64 << 10         // bytes of a click
	maxReply    = 16 << 10         // bytes of a text: Slack takes 20 KiB
	kindButton  = "button"
	kindCommand = "command"
)

// click is a button or a command, as connectors/slack sends it.
type click struct {
	ID       string    `json:"id"`   // Slack's
	Kind     string    `json:"kind"` // button or command
	ActionID string    `json:"action_id,omitempty"`
	Value    string    `json:"value,omitempty"` // of a button: an alert's key, or *; of the menu: ack|KEY
	Command  string    `json:"command,omitempty"`
	Text     string    `json:"text,omitempty"` // behind the command
	Channel  string    `json:"channel,omitempty"`
	TS       string    `json:"ts,omitempty"` // Slack's id of the message with the button
	User     string    `json:"user,omitempty"`
	At       time.Time `json:"at"`
}

// reply is what the connector answers to Slack.
type reply struct {
	Text    string `json:"text"`
	Blocks  any    `json:"blocks,omitempty"`
	Replace bool   `json:"replace"` // the message with the button becomes this; else only the user sees it
}

// serveAction carries out a click. It answers 200 with what the user is told, also that it
// was refused; 401 without the token; 400 if it is no click; 503 if it is to come again.
func (f *function) serveAction(w http.ResponseWriter, r *http.Request) {
	if !f.authorized(r) {
		http.Error(w, "the token is missing or wrong", http.StatusUnauthorized)
		return
	}
	var k click
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxAction)).Decode(&k); err != nil || k.Kind != kindButton && k.Kind != kindCommand {
		http.Error(w, "this is neither a button nor a command", http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), actionTime) // it goes on when the connector is killed
	defer cancel()
	st, err := f.env.Open(ctx)
	var a reply
	if err == nil {
		a, err = f.act(ctx, st, k)
	}
	if refusal, ok := errors.AsType[*action.Refusal](err); ok {
		a, err = reply{Text: escape(refusal.Error())}, nil
	}
	log := f.env.Log.With("function", name, "id", k.ID, "action", k.ActionID+k.Command)
	if err != nil {
		log.Warn("action", "err", err)
		http.Error(w, f.env.Secrets.Brief(err.Error(), 300), http.StatusServiceUnavailable)
		return
	}
	log.Info("action")
	a.Text = printable.Text(f.env.Secrets.Brief(a.Text, maxReply))
	f.respond(w, a)
	f.sender.Drain(context.WithoutCancel(r.Context()), st, actionSend, f.env.Now, f.env.Log)
}

// authorized compares the token in constant time. Without one in the secret nothing is.
func (f *function) authorized(r *http.Request) bool {
	token := f.Token.Reveal()
	given, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	a, b := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && bearer && token != ""
}

// respond sends the whole answer, so that the connector has it before the outbox is sent.
func (f *function) respond(w http.ResponseWriter, a reply) {
	body, err := json.Marshal(a)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body) // an error means that the connector has gone: it asks again
	_ = http.NewResponseController(w).Flush()
}

// act carries out a button or a command.
func (f *function) act(ctx context.Context, st *store.Store, k click) (reply, error) {
	now := f.env.Now()
	h, _, err := f.loader.Load(ctx, st, now)
	if err != nil {
		return reply{}, err
	}
	if k.Kind == kindCommand {
		return f.command(ctx, st, h, k, now)
	}
	a, ok := parseButton(k)
	if !ok {
		return reply{Text: "hearth does not know this button: the message may be older or newer than hearth is."}, nil
	}
	done, err := action.Apply(ctx, st, h, a, now)
	if err != nil {
		return reply{}, err
	}
	return f.redraw(ctx, st, k, done, now)
}

// parseButton returns the action of a button: hearth_ack with an alert's key, or with * for
// all alerts of the message; or hearth_one with ack|KEY.
func parseButton(k click) (action.Action, bool) {
	do, ours := strings.CutPrefix(k.ActionID, "hearth_")
	key := k.Value
	if do == "one" {
		do, key, ours = strings.Cut(k.Value, "|")
	}
	return action.Action{Do: action.Do(do), Alert: key, Post: action.Post{Channel: k.Channel, TS: k.TS}, By: k.User, At: k.At}, ours && key != ""
}

// redraw returns the message with the button as it is to show now. If hearth did not post it,
// or has forgotten that, only the user is told what was done.
func (f *function) redraw(ctx context.Context, st *store.Store, k click, done action.Answer, now time.Time) (reply, error) {
	about, err := st.AlertsOfPost(ctx, k.Channel, k.TS)
	if err != nil {
		return reply{}, err
	}
	if len(about) == 0 {
		return reply{Text: escape(done.Note)}, nil
	}
	m, err := f.sender.Shows(ctx, st, k.Channel, k.TS, now)
	if err != nil {
		return reply{}, err
	}
	return reply{Text: m.Text, Blocks: m.Blocks, Replace: true}, nil
}
