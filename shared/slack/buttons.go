package slack

import (
	"cmp"

	"github.com/slack-go/slack"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/printable"
)

// The buttons below an alert. connectors/slack understands them: their value is the alert's
// key, or * for all alerts of the post.
var buttons = []struct{ do, text string }{{"ack", "Acknowledge"}, {"silence", "Silence 1 h"}, {"morning", "Until morning"}, {"maintenance", "Maintenance"}}

func actions(value string, ack bool) slack.Block {
	var all []slack.BlockElement
	for _, b := range buttons {
		if b.do != "ack" || ack {
			all = append(all, slack.NewButtonBlockElement("hearth_"+b.do, value, slack.NewTextBlockObject(slack.PlainTextType, b.text, true, false)))
		}
	}
	return slack.NewActionBlock("", all...)
}

// menu returns a menu with the buttons of each alert; nil if Slack would refuse it.
func (l Look) menu(open []*alert.State) slack.Block {
	var options []*slack.OptionBlockObject
	for _, a := range open {
		for _, b := range buttons {
			value := b.do + "|" + a.Key
			if len(value) > maxOption || len(options) >= 100 || b.do == "ack" && !a.Acked.IsZero() {
				continue
			}
			label := clip(b.text+": "+printable.Line(l.Redact(cmp.Or(a.Label(), a.Title, a.Rule))), maxLabel)
			options = append(options, slack.NewOptionBlockObject(value, slack.NewTextBlockObject(slack.PlainTextType, label, true, false), nil))
		}
	}
	if len(options) == 0 {
		return nil
	}
	menu := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, slack.NewTextBlockObject(slack.PlainTextType, "One of them…", true, false), "hearth_one", options...)
	return slack.NewActionBlock("", menu)
}
