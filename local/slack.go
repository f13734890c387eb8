package local

import (
	"context"
	"crypto/rand"
	"path/filepath"

	"github.com/hearth-home/hearth/connectors/slack/relay"
	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/secret"
)

const (
	slackTokenSecret = "slack-app-token"
	alertsToken      = "alerts-token"
)

// usesSlack reports whether buttons and commands of Slack are received. A platform that only
// shows leaves them to the one that sends.
func (h *Installation) usesSlack() bool {
	return h.vars[host.Variable(slackTokenSecret)] != "" && !h.onlyShows()
}

// prepareSlack sets what the Slack connector needs, unless the user has: the token by which
// it calls the function alert-deadlines, another at each start, and that messages have
// buttons.
func (h *Installation) prepareSlack() {
	if !h.usesSlack() {
		return
	}
	for name, value := range map[string]string{host.Variable(alertsToken): rand.Text(), "SLACK_BUTTONS": "true"} {
		if h.vars[name] == "" {
			h.vars[name] = value
		}
	}
}

// slackPart runs the Slack connector, if there is an app-level token.
func (p *platform) slackPart() part {
	var stop context.CancelFunc
	done := make(chan error, 1)
	return part{"slack", func(ctx context.Context) error {
		if !p.usesSlack() {
			return nil
		}
		env := p.env
		env.Vars = map[string]string{"GATEWAY_URL": "http://" + p.server.Addr, "DATA_DIR": filepath.Join(p.dir, "slack")}
		if v := p.vars["SLACK_URL"]; v != "" {
			env.Vars["SLACK_URL"] = v
		}
		env.Secrets = secret.InMemory(map[string]string{slackTokenSecret: p.vars[host.Variable(slackTokenSecret)], alertsToken: p.vars[host.Variable(alertsToken)]}, nil)
		c, err := config.Parse[relay.Config](env)
		if err != nil {
			return err
		}
		r, err := relay.New(ctx, c, relay.Options{Log: p.log.With("function", "slack"), Now: p.now, Redact: p.secrets.Brief})
		if err != nil {
			return err
		}
		p.slack.Store(r)
		ctx, stop = context.WithCancel(context.WithoutCancel(ctx))
		go func() { done <- r.Run(ctx) }()
		return nil
	}, func(context.Context) error {
		if stop == nil {
			return nil
		}
		stop()
		return <-done
	}}
}
