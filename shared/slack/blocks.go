package slack

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/hearth-home/hearth/shared/alert"
)

// Slack's limits of a message. https://docs.slack.dev/reference/block-kit/blocks
const (
	maxBlocks  = 50
	maxSection = 3000   // characters of a section's text
	maxField   = 2000   // of one of its fields
	maxText    = 30_000 // of a message's text: Slack cuts at 40,000
	maxOption  = 150    // of the value of a menu's option
	maxLabel   = 75     // of the text of a menu's option
)

// Shown is one notice as a message shows it.
type Shown struct {
	What       alert.What
	Alert      *alert.State // nil: Text is all
	Text       string       // the notice as plain text
	At         time.Time    // of the notice
	Then       time.Time    // that the link leads to; zero: At
	Points     []float64    // the latest values, the newest last
	Root       string       // what explains the alert: "Bridge offline: attic"
	Dependants []string     // names of the alerts that it explains
	Until      time.Time    // end of a silence or of maintenance; zero: none
	Note       string       // what a person has done
	Repeated   bool         // it is not known whether it was sent before
}

// Look is how messages look.
type Look struct {
	Page    string                // address of the page; "": no links
	Buttons bool                  // buttons and a menu below alerts that fire
	Redact  func(s string) string // removes secrets from every text
}

// Message returns the message that shows these notices: one in detail, several in short.
func (l Look) Message(all []Shown) Message {
	var texts []string
	for _, s := range all {
		texts = append(texts, clip(l.say(s.Text)+repeated(s), maxText/len(all)))
	}
	m := Message{Text: strings.Join(texts, "\n\n")}
	switch {
	case len(all) == 1 && all[0].Alert == nil:
		m.Blocks = l.news(all[0])
	case len(all) == 1:
		m.Blocks = l.one(all[0])
	default:
		m.Blocks = l.several(all)
	}
	return m
}

// news returns the blocks of a plain text.
func (l Look) news(s Shown) []slack.Block {
	var out []slack.Block
	text := ""
	for line := range strings.Lines(l.say(s.Text) + repeated(s)) {
		if utf8.RuneCountInString(text)+utf8.RuneCountInString(line) > maxSection && text != "" {
			out, text = append(out, section(text)), ""
		}
		text += line
	}
	return append(out, section(text))[:min(len(out)+1, maxBlocks)]
}

// one returns the blocks of one alert in detail.
func (l Look) one(s Shown) []slack.Block {
	a := s.Alert
	head := l.title(s)
	if a.Text != "" {
		head += "\n" + l.say(a.Text)
	}
	out := []slack.Block{section(head + repeated(s))}
	var fields []*slack.TextBlockObject
	for _, f := range l.fields(s) {
		fields = append(fields, slack.NewTextBlockObject(slack.MarkdownType, clip(f, maxField), false, false))
	}
	if len(fields) > 0 {
		out = append(out, slack.NewSectionBlock(nil, fields, nil))
	}
	if more := l.more(s); more != "" {
		out = append(out, section(more))
	}
	if line := l.context(s); line != "" {
		out = append(out, slack.NewContextBlock("", slack.NewTextBlockObject(slack.MarkdownType, clip(line, maxField), false, false)))
	}
	if l.Buttons && a.Open() {
		out = append(out, actions(a.Key, a.Acked.IsZero()))
	}
	return out
}

// several returns the blocks of several notices, each with a section.
func (l Look) several(all []Shown) []slack.Block {
	var open []*alert.State
	acked := true
	for i, s := range all {
		later := func(o Shown) bool { return o.Alert != nil && o.Alert.Key == s.Alert.Key }
		if s.Alert != nil && s.Alert.Open() && s.What != alert.Ended && !slices.ContainsFunc(all[i+1:], later) {
			open, acked = append(open, s.Alert), acked && !s.Alert.Acked.IsZero()
		}
	}
	out := []slack.Block{section(fmt.Sprintf("*%d messages*, %d alerts fire", len(all), len(open)))}
	for _, s := range all[:min(len(all), maxBlocks-5)] {
		if s.Alert == nil {
			out = append(out, section(l.say(s.Text)+repeated(s)))
			continue
		}
		text := l.title(s)
		if s.Alert.Text != "" {
			text += "\n" + l.say(s.Alert.Text)
		}
		if facts := l.facts(s); facts != "" {
			text += "\n" + facts
		}
		out = append(out, section(text+repeated(s)))
	}
	if line := l.link(all[0]); line != "" {
		out = append(out, slack.NewContextBlock("", slack.NewTextBlockObject(slack.MarkdownType, line, false, false)))
	}
	if !l.Buttons || len(open) == 0 {
		return out
	}
	if menu := l.menu(open); menu != nil {
		out = append(out, menu)
	}
	return append(out, actions("*", !acked))
}

// title returns what and where, with a sign of how it is: ":red_circle: *CO₂ is high* · Office air (Office)".
func (l Look) title(s Shown) string {
	a := s.Alert
	text := "*" + l.say(cmp.Or(a.Title, a.Rule)) + "*"
	if of := a.Label(); of != "" {
		text += " · " + l.say(of)
	}
	sign := map[alert.Severity]string{alert.Critical: ":red_circle:", alert.Info: ":large_blue_circle:"}[a.Severity]
	sign = cmp.Or(sign, ":large_orange_circle:")
	switch {
	case s.What == alert.Ended:
		return ":large_green_circle: Resolved: " + text
	case s.What == alert.Unwatched:
		return ":white_circle: No longer watched: " + text
	case s.What == alert.Flaps:
		return ":twisted_rightwards_arrows: Flapping: " + text
	case s.What == alert.Changed, s.What == alert.Reminder, s.What == alert.Repeat:
		return sign + " Still firing: " + text
	case a.Phase == alert.Unknown:
		return ":grey_question: No data, it fired last: " + text
	}
	return sign + " " + text
}

// over reports whether a notice says that an alert is over.
func over(s Shown) bool { return s.What == alert.Ended || s.What == alert.Unwatched }

// fields returns the facts of an alert, each with a name.
func (l Look) fields(s Shown) (out []string) {
	a := s.Alert
	add := func(name, value string) { out = append(out, "*"+name+"*\n"+value) }
	switch {
	case over(s) && !a.Since.IsZero() && !a.Ended.IsZero():
		add("Lasted", alert.Span(a.Ended.Sub(a.Since)))
		add("From, to", date(a.Since)+", "+date(a.Ended))
	case !a.Since.IsZero():
		add("Since", fmt.Sprintf("%s (%s)", date(a.Since), alert.Span(s.At.Sub(a.Since))))
	}
	if over(s) && a.Worst != nil {
		add("Worst", l.number(*a.Worst, a.Unit))
	}
	if a.Value != nil {
		value := l.number(*a.Value, a.Unit)
		if a.Limit != nil {
			side := "above"
			if a.Below {
				side = "below"
			}
			value += fmt.Sprintf(" (fires %s %s)", side, l.number(*a.Limit, a.Unit))
		}
		add("Value", value)
	}
	if !over(s) && !a.GoodAt.IsZero() {
		text := date(a.GoodAt)
		if a.Good != nil {
			text = l.number(*a.Good, a.Unit) + ", " + text
		}
		add("Last good", text)
	}
	if !over(s) && a.Phase == alert.Unknown {
		add("No data since", date(a.Stopped))
	}
	if len(s.Points) > 1 {
		add(fmt.Sprintf("Last %d values", len(s.Points)), fmt.Sprintf("`%s` %s to %s", spark(s.Points), l.number(slices.Min(s.Points), a.Unit), l.number(slices.Max(s.Points), a.Unit)))
	}
	return out
}

// facts returns the facts of an alert in one line.
func (l Look) facts(s Shown) string {
	a := s.Alert
	var out []string
	switch {
	case over(s) && !a.Since.IsZero() && !a.Ended.IsZero():
		out = append(out, "lasted "+alert.Span(a.Ended.Sub(a.Since)))
		if a.Worst != nil {
			out = append(out, "worst "+l.number(*a.Worst, a.Unit))
		}
	case !a.Since.IsZero():
		out = append(out, "since "+date(a.Since))
	}
	if !over(s) && !a.Acked.IsZero() {
		out = append(out, "acknowledged")
	}
	if !over(s) && !s.Until.IsZero() {
		out = append(out, "silent until "+date(s.Until))
	}
	if s.Note != "" && !over(s) {
		out = append(out, l.say(s.Note))
	}
	if n := len(s.Dependants); n > 0 {
		out = append(out, fmt.Sprintf("explains %d other alerts", n))
	}
	return strings.Join(out, " · ")
}

const maxNames = 10 // of the dependants that are named

// more returns what explains an alert, what it explains, and what to do.
func (l Look) more(s Shown) string {
	var lines []string
	if s.Root != "" {
		lines = append(lines, "*Probable cause* "+l.say(s.Root))
	}
	if n := len(s.Dependants); n > 0 {
		names := l.say(strings.Join(s.Dependants[:min(n, maxNames)], ", "))
		if n > maxNames {
			names += fmt.Sprintf(" and %d more", n-maxNames)
		}
		lines = append(lines, fmt.Sprintf("*It explains %d other alerts* %s", n, names))
	}
	if s.Alert.Next != "" && !over(s) {
		lines = append(lines, "*What to do* "+l.say(s.Alert.Next))
	}
	return strings.Join(lines, "\n")
}

// context returns what a person did, and a link.
func (l Look) context(s Shown) string {
	var parts []string
	if a := s.Alert; !over(s) && !a.Acked.IsZero() {
		text := ":eyes: acknowledged " + date(a.Acked)
		if a.AckedBy != "" {
			text += " by " + l.say(a.AckedBy)
		}
		parts = append(parts, text)
	}
	if !over(s) && !s.Until.IsZero() {
		parts = append(parts, ":no_bell: silent until "+date(s.Until))
	}
	if s.Note != "" && !over(s) {
		parts = append(parts, l.say(s.Note))
	}
	if link := l.link(s); link != "" {
		parts = append(parts, link)
	}
	return strings.Join(parts, " · ")
}

// link returns a link to the page as it stood at the time of a notice.
func (l Look) link(s Shown) string {
	if l.Page == "" {
		return ""
	}
	key := ""
	if s.Alert != nil {
		key = s.Alert.Key
	}
	return fmt.Sprintf("<%s|the page as it stood then>", escape(PageAt(l.Page, key, thenOr(s.Then, s.At))))
}

func thenOr(then, at time.Time) time.Time {
	if then.IsZero() {
		return at
	}
	return then
}

func section(text string) slack.Block {
	return slack.NewSectionBlock(slack.NewTextBlockObject(slack.MarkdownType, cmp.Or(clip(text, maxSection), " "), false, false), nil, nil)
}

func repeated(s Shown) string {
	if s.Repeated {
		return "\n_possibly repeated_"
	}
	return ""
}
