package glance

import (
	"cmp"
	"html/template"
	"slices"
	"strconv"
	"strings"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/page/status"
	"github.com/hearth-home/hearth/shared/page/texts"
)

const (
	maxLines = 6   // of the verdict
	maxText  = 140 // characters of an alert that is a text
	maxValue = 30  // bytes of a text that stands out, as a value does
)

// Why something is not counted.
const acknowledged, silenced, maintained = "acknowledged", "silenced", "maintained"

// Verdict is what the page says first.
type Verdict struct {
	Heading string   // "All well", "4 things need you"
	Count   int      // of what needs a person
	Lines   []Need   // the gravest first, at most 6
	More    int      // how many are not in Lines
	Aside   string   // "2 acknowledged"; "": none
	Class   string   // "critical", "warning" or "info": the gravest of all; "well": none; "unknown": that cannot be read; "nothing": nothing is known of the time
	Acks    []string // the keys of all alerts that are counted
	Errors  []string // what cannot be read
	Notes   []string // what a person should know about hearth itself
}

// Verdict says what needs a person.
func (s Snapshot) Verdict() Verdict {
	guest := s.Guest()
	v := Verdict{Errors: s.problems(guest), Class: "well", Heading: texts.Say("verdict.well")}
	if !guest {
		v.Notes = s.Status.Notes
	}
	aside := map[string]int{}
	v.Count = s.more
	for _, n := range s.Needs {
		if n.aside != "" {
			aside[n.aside]++
			continue
		}
		v.Count++
		if n.Alert != "" && !guest {
			v.Acks = append(v.Acks, n.Alert)
		}
		if len(v.Lines) < maxLines {
			v.Lines = append(v.Lines, n)
		}
	}
	v.More = v.Count - len(v.Lines)
	v.Aside = asideText(aside)
	switch {
	case v.Count > 0:
		v.Heading = texts.Say("verdict.things", v.Count)
	case len(v.Errors) > 0:
		v.Heading, v.Class = texts.Say("verdict.unknown"), "unknown"
	case s.Nothing:
		v.Heading, v.Class = texts.Say("verdict.nothing"), "nothing"
	}
	if len(v.Lines) > 0 {
		v.Class = string(v.Lines[0].Severity)
	}
	return v
}

// Keys returns Acks, one a line.
func (v Verdict) Keys() string { return strings.Join(v.Acks, "\n") }

// problems returns what could not be read.
func (s Snapshot) problems(guest bool) []string {
	out := slices.Clone(s.Errors)
	if s.unknown {
		out = append(out, texts.Say("verdict.noAlerts"))
	}
	if guest {
		return out
	}
	for _, e := range s.Status.Errors {
		if !slices.Contains(out, e) {
			out = append(out, e)
		}
	}
	return out
}

// more returns how many open alerts are not listed in Status. Guests are not told of these:
// they may be about what guests do not see.
func (w *world) more() int {
	if w.Guest {
		return 0
	}
	return w.Status.Alerts.More
}

// asideText says how many are not counted, and why.
func asideText(of map[string]int) string {
	var out []string
	if n := of[acknowledged]; n > 0 {
		out = append(out, texts.Say("verdict.acknowledged", n))
	}
	if n := of[silenced]; n > 0 {
		out = append(out, texts.Say("verdict.silenced", n))
	}
	if n := of[maintained]; n > 0 {
		out = append(out, texts.Say("verdict.maintained", n))
	}
	return strings.Join(out, ", ")
}

// gravity orders the severities, the gravest first.
var gravity = map[alert.Severity]int{alert.Critical: 0, alert.Warning: 1, alert.Info: 2}

// needs adds the open alerts to what tiles need, and sorts them: the gravest first, of
// these the newest.
func (w *world) needs(of []Need) []Need {
	for i := range of {
		if of[i].Acked {
			of[i].aside = acknowledged
		}
	}
	for _, a := range w.Status.Alerts.Open {
		if !w.Guest || a.Device != "" && slices.Contains(guestChannels, a.Channel) {
			of = append(of, w.needOf(a))
		}
	}
	slices.SortStableFunc(of, func(a, b Need) int {
		return cmp.Or(cmp.Compare(gravity[a.Severity], gravity[b.Severity]), b.Since.Compare(a.Since))
	})
	return of
}

// guestChannels are the channels whose alerts guests see, if they are of a device: others are
// about accounts and programs of the house.
var guestChannels = []alert.Channel{alert.Devices, alert.Climate, alert.Security}

// needOf returns an alert as a line.
func (w *world) needOf(a status.Alert) Need {
	n := Need{Severity: a.Severity, What: a.Title, Alert: a.Key, Since: a.Since, Sample: a.Sample, Link: "status#" + a.ID}
	if where := short(a.Where); where != "" {
		n.What += ": " + where
	}
	var rest []template.HTML
	if a.Value != "" {
		n.Value = w.quantity(a.Value, true)
		side, limit, _ := strings.Cut(a.Limit, " ")
		rest = append(rest, escaped(side)+" "+w.quantity(limit, false))
	} else if text := cut(firstSentence(a.Text), maxText); len(text) > maxValue {
		rest = append(rest, escaped(text))
	} else {
		n.Value = escaped(text)
	}
	if !a.Since.IsZero() {
		rest = append(rest, texts.HTML("verdict.since", w.since(a)))
	}
	line := join(rest, " ")
	if a.Phase == alert.Unknown && len(a.Marks) > 0 {
		line = join([]template.HTML{line, escaped(a.Marks[0])}, ", ")
	}
	if n.Link = w.linkOf(a); a.Link == "" {
		line = join([]template.HTML{line, escaped(firstSentence(a.Next))}, " · ")
	}
	if len(a.Below) > 0 {
		line = join([]template.HTML{line, texts.HTML("verdict.because", len(a.Below))}, " · ")
	}
	n.Rest = line
	switch {
	case a.Acked:
		n.Acked, n.aside = true, acknowledged
	case a.Silenced:
		n.aside = silenced
	case a.Maintained:
		n.aside = maintained
	}
	return n
}

// firstSentence returns the beginning of an alert's text: what follows says why, and how far
// messages came.
func firstSentence(text string) string {
	text, _, _ = strings.Cut(text, "\n")
	text, _, _ = strings.Cut(text, ". ")
	return strings.TrimSuffix(text, ".")
}

// short leaves a device's room out where its name begins with it: "Office air (Office)".
func short(where string) string {
	name, room, ok := strings.Cut(where, " (")
	if ok && strings.HasPrefix(name, strings.TrimSuffix(room, ")")) {
		return name
	}
	return where
}

// linkOf returns where an alert can be dealt with.
func (w *world) linkOf(a status.Alert) string {
	if w.Guest {
		return ""
	}
	return cmp.Or(a.Link, "status#"+a.ID)
}

// since writes when an alert began: the time of today, or the day.
func (w *world) since(a status.Alert) template.HTML {
	if a.Since.In(w.Zone).YearDay() == w.Now.In(w.Zone).YearDay() && w.Now.Sub(a.Since).Hours() < 24 {
		return w.at(a.Since, clock)
	}
	return w.at(a.Since, date)
}

// quantity writes a number with its unit as alert.Number does, in the locale and the units of the
// house: "1,412 ppm". unit: with its unit.
func (w *world) quantity(s string, unit bool) template.HTML {
	end := strings.IndexFunc(s, func(r rune) bool { return !strings.ContainsRune("-0123456789,.", r) })
	if end < 0 {
		end = len(s)
	}
	digits := strings.ReplaceAll(s[:end], ",", "")
	v, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		return escaped(s)
	}
	_, behind, _ := strings.Cut(digits, ".")
	sign := strings.TrimSpace(s[end:])
	shown, of := w.convert(v, sign)
	out := num(shown, len(behind))
	switch {
	case unit && of != sign:
		out += escaped(" " + of)
	case unit:
		out += escaped(s[end:])
	}
	return out
}

// join joins what is not empty.
func join(parts []template.HTML, by template.HTML) (out template.HTML) {
	for _, p := range parts {
		if p != "" && out != "" {
			out += by
		}
		out += p
	}
	return out
}

func escaped(s string) template.HTML { return template.HTML(template.HTMLEscapeString(s)) }

// cut shortens a text to n characters.
func cut(s string, n int) string {
	if rs := []rune(s); len(rs) > n {
		return strings.TrimSpace(string(rs[:n-1])) + "…"
	}
	return s
}
