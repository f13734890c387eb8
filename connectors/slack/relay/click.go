package relay

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// Kinds of a click.
const (
	button  = "button"
	command = "command"
)

const (
	maxField = 2000     // bytes of each text of a click; Slack's own limit of a value
	prefix   = "hearth" // of the buttons that are ours, and of the command
)

// click is a button or a command, as it is in the spool and as the function gets it, which
// gets no Reply.
type click struct {
	ID       string    `json:"id"`   // Slack's: of two clicks with the same id one is carried out
	Kind     string    `json:"kind"` // button or command
	ActionID string    `json:"action_id,omitempty"`
	Value    string    `json:"value,omitempty"`   // of a button; of a menu that of its option
	Command  string    `json:"command,omitempty"` // "/hearth"
	Text     string    `json:"text,omitempty"`    // behind the command
	Channel  string    `json:"channel,omitempty"` // Slack's id
	TS       string    `json:"ts,omitempty"`      // Slack's id of the message with the button
	User     string    `json:"user,omitempty"`    // name
	At       time.Time `json:"at"`                // when it arrived
	Envelope string    `json:"envelope,omitempty"`
	Reply    string    `json:"reply,omitempty"` // Slack's response_url: whoever has it can write there
}

// encode returns the record of a click.
func (c click) encode() []byte {
	b, _ := json.Marshal(c) // never fails: strings and a time that is this century's
	return b
}

func decode(record []byte) (c click, err error) {
	if err = json.Unmarshal(record, &c); err == nil && (c.ID == "" || c.Kind == "") {
		err = errors.New("it has no id")
	}
	return c, err
}

// clicks returns what an event of the socket asks for: nothing, if it is not about hearth,
// such as a click on a link.
func clicks(e socketmode.Event, at time.Time) ([]click, error) {
	if e.Request == nil {
		return nil, nil
	}
	envelope := e.Request.EnvelopeID
	switch data := e.Data.(type) {
	case slack.SlashCommand:
		c := click{ID: cmp.Or(data.TriggerID, envelope), Kind: command, Command: data.Command, Text: data.Text, Channel: data.ChannelID,
			User: cmp.Or(data.UserName, data.UserID), At: at.UTC(), Envelope: envelope, Reply: data.ResponseURL}
		return valid(c)
	case slack.InteractionCallback:
		return buttons(data, envelope, at)
	}
	return nil, nil
}

// buttons returns the clicks on our buttons.
func buttons(data slack.InteractionCallback, envelope string, at time.Time) (out []click, err error) {
	if data.Type != slack.InteractionTypeBlockActions {
		return nil, nil
	}
	for i, a := range data.ActionCallback.BlockActions {
		if a == nil || !strings.HasPrefix(a.ActionID, prefix+"_") {
			continue
		}
		c := click{ID: cmp.Or(data.TriggerID, envelope), Kind: button, ActionID: a.ActionID, Value: cmp.Or(a.SelectedOption.Value, a.Value),
			Channel: cmp.Or(data.Channel.ID, data.Container.ChannelID), TS: cmp.Or(data.Message.Timestamp, data.Container.MessageTs),
			User: cmp.Or(data.User.Name, data.User.ID), At: at.UTC(), Envelope: envelope, Reply: data.ResponseURL}
		if i > 0 && c.ID != "" {
			c.ID += fmt.Sprintf("/%d", i)
		}
		one, e := valid(c)
		out, err = append(out, one...), errors.Join(err, e)
	}
	return out, err
}

// valid returns the click, if it has an id and its texts have a usual length.
func valid(c click) ([]click, error) {
	if c.ID == "" {
		return nil, errors.New("it has neither trigger_id nor envelope_id")
	}
	for _, s := range []string{c.ID, c.ActionID, c.Value, c.Command, c.Text, c.Channel, c.TS, c.User, c.Envelope, c.Reply} {
		if len(s) > maxField {
			return nil, fmt.Errorf("one of its texts has %d bytes, at most %d are taken", len(s), maxField)
		}
	}
	return []click{c}, nil
}
