package local

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
	deadlines "github.com/hearth-home/hearth/functions/alert-deadlines"
	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/slack/slacktest"
)

const deadlinesStack = `
provider: {name: openfaas}
functions:
  alert-deadlines:
    lang: golang-middleware
    handler: ./functions/alert-deadlines
    image: deadlines:1
    secrets: [hearth-settings, alerts-token, database-url]
    environment: {exec_timeout: 20s}
`

// TestButtonsWorkInMakeUp: a click and a command come from Slack, and their answers go there.
func TestButtonsWorkInMakeUp(t *testing.T) {
	const token = "xapp-1-THEAPPTOKEN"
	slack := slacktest.NewSocket(t, token)
	root := t.TempDir()
	write(t, filepath.Join(root, "stack.yml"), deadlinesStack)
	r := launchWith(t, map[string]host.Builder{"alert-deadlines": deadlines.New}, root, "SLACK_APP_TOKEN="+token, "SLACK_URL="+slack.API())
	st, err := r.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	o := alert.Observation{Key: "store-slow/db", Spec: alert.Spec{Rule: "store-slow", Title: "The store is slow"}, Verdict: alert.Bad, At: r.now().Add(-time.Minute)}
	if err := st.MoveAlerts(t.Context(), []string{o.Key}, func(before map[string]alert.State) ([]alert.State, []alert.Message) {
		return (&alert.House{}).Move(before, []alert.Observation{o}, o.At)
	}); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		click slacktest.Click
		says  string
	}{
		{slacktest.Click{Text: "status", User: "anna"}, "The store is slow"},
		{slacktest.Click{ActionID: "hearth_ack", Value: o.Key, User: "anna"}, "Acknowledged by anna"},
	} {
		mqtttest.Until(t, "a connection", slack.Connected)
		sent, err := slack.Send(tc.click)
		if err != nil {
			t.Fatal(err)
		}
		mqtttest.Until(t, "the answer", func() bool { return len(slack.Replies(sent)) == 1 })
		if text := slack.Replies(sent)[0].Text; !strings.Contains(text, tc.says) {
			t.Errorf("%+v: %q, want %q", tc.click, text, tc.says)
		}
	}
	slack.SetToken("another")
	slack.Disconnect()
	mqtttest.Until(t, "the note on the page", func() bool {
		return strings.Contains(strings.Join(r.notes(), "\n"), "the buttons in Slack do not work")
	})
	r.stop()
	if strings.Contains(r.logs.String(), "THEAPPTOKEN") {
		t.Error(r.logs.String())
	}
}
