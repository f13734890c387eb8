package slack

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/printable"
)

// spark draws values as a line of block characters.
func spark(values []float64) string {
	const blocks = "▁▂▃▄▅▆▇█"
	signs := []rune(blocks)
	low, high := slices.Min(values), slices.Max(values)
	var b strings.Builder
	for _, v := range values {
		i := 0
		if high > low {
			i = int((v - low) / (high - low) * float64(len(signs)-1))
		}
		b.WriteRune(signs[min(max(i, 0), len(signs)-1)])
	}
	return b.String()
}

// date returns a time that Slack shows in the reader's own zone.
// https://docs.slack.dev/messaging/formatting-message-text#date-formatting
func date(t time.Time) string {
	return fmt.Sprintf("<!date^%d^{date_short_pretty} {time}|%s>", t.Unix(), t.UTC().Format("15:04 UTC on 2 January"))
}

func (l Look) number(v float64, unit string) string { return l.say(alert.Number(v, unit)) }

// say returns a text without secrets, in which nothing is read as a link or a mention, or
// changes the order of what is shown.
func (l Look) say(text string) string { return escape(printable.Text(l.Redact(text))) }

// escape keeps text of an upstream from being read as a link or a mention.
var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace

// clip cuts a text to n characters, not within &amp; or <…>.
func clip(text string, n int) string {
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	cut := string([]rune(text)[:n-1])
	if i := strings.LastIndexByte(cut, '&'); i >= 0 && !strings.Contains(cut[i:], ";") {
		cut = cut[:i]
	}
	if i := strings.LastIndexByte(cut, '<'); i >= 0 && !strings.Contains(cut[i:], ">") {
		cut = cut[:i]
	}
	return cut + "…"
}

// clipBytes is clip with a number of bytes.
func clipBytes(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return clip(text, utf8.RuneCountInString(strings.ToValidUTF8(text[:n-len("…")], "")))
}

// PageAt returns the address of the page as it stood at a time, with an alert; the key "" is
// none.
func PageAt(page, alert string, at time.Time) string {
	address := page + "/?at=" + url.QueryEscape(at.UTC().Format(time.RFC3339))
	if alert != "" {
		address += "&alert=" + url.QueryEscape(alert)
	}
	return address
}
