package notify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	sdk "github.com/slack-go/slack"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/slack"
)

// Tested is how a test message to one destination ended.
type Tested struct {
	To  string // "Slack's channel #hearth (pipelines, devices)"
	Err error  // says which secret or setting is wrong
}

// Test sends one message, marked as a test, to each destination, and in Slack to each room.
func (s *Sender) Test(ctx context.Context) (out []Tested) {
	for _, d := range s.Destinations() {
		if d == alert.ToSlack {
			out = append(out, s.testSlack(ctx)...)
			continue
		}
		m := alert.Message{Key: "test", Destination: d, What: alert.News, Text: "Test message of hearth\nMessages are sent here.", Created: s.env.Now()}
		t := Tested{To: map[string]string{alert.ToNtfy: "ntfy, topic " + string(s.config.Ntfy.Topic), alert.ToWebhook: "the webhook"}[d]}
		if err := s.push(ctx, []alert.Message{m}); err != nil {
			t.Err = s.redacted(fmt.Errorf("%w: check %s", err, map[string]string{alert.ToNtfy: "NTFY_URL, NTFY_TOPIC and the secret ntfy-token", alert.ToWebhook: "the secret " + s.config.Webhook.Name()}[d]))
		}
		out = append(out, t)
	}
	return out
}

func (s *Sender) testSlack(ctx context.Context) (out []Tested) {
	if err := s.slack.Check(ctx); err != nil {
		name := s.config.Slack.Webhooks.Name()
		if s.slack.Bot() {
			name = s.config.Slack.Token.Name()
		}
		out = append(out, Tested{"Slack", s.redacted(fmt.Errorf("the secret %s is wrong: %w", name, err))})
		if s.slack.Bot() {
			return out
		}
	}
	kinds := map[string][]string{}
	var rooms []string
	for _, c := range alert.Channels {
		room, _ := s.slack.Room(c) // Check says what is wrong
		if room == "" {
			out = append(out, Tested{"Slack, " + string(c), errNowhere})
			continue
		}
		if kinds[room] == nil {
			rooms = append(rooms, room)
		}
		kinds[room] = append(kinds[room], string(c))
	}
	for _, room := range rooms {
		about := strings.Join(kinds[room], ", ")
		to := "Slack's webhook for " + about
		if s.slack.Bot() {
			to = "Slack's channel " + room + " (" + about + ")"
		}
		_, err := s.slack.Post(ctx, room, s.look().Message([]slack.Shown{{Text: ":test_tube: Test message of hearth\nMessages about " + about + " are sent here."}}))
		if err != nil {
			err = s.redacted(fmt.Errorf("%w: %s", err, s.advice(err)))
		}
		out = append(out, Tested{to, err})
	}
	return out
}

// advice returns what to do about an error of Slack.
func (s *Sender) advice(err error) string {
	if e, ok := errors.AsType[sdk.SlackErrorResponse](err); ok {
		switch e.Err {
		case "channel_not_found":
			return "check SLACK_CHANNEL and SLACK_CHANNELS; a private channel must have invited the bot"
		case "not_in_channel":
			return "invite the bot there: /invite @hearth"
		}
		return "check the secret " + s.config.Slack.Token.Name()
	}
	if e, ok := errors.AsType[sdk.StatusCodeError](err); ok && e.Code/100 == 4 && e.Code != http.StatusTooManyRequests {
		return "its address in the secret " + s.config.Slack.Webhooks.Name() + " is wrong or was revoked"
	}
	return "Slack could not be reached or was busy: try again"
}
