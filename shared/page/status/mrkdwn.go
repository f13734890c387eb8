package status

import (
	"html/template"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hearth-home/hearth/shared/config"
)

const maxStyled = 1000 // bytes between two signs of a style; a longer text has none

// emoji are the names of signs that messages use, as markup. The circles are drawn: not every
// machine has a font with coloured ones.
var emoji = map[string]string{
	"red_circle": sign("red"), "large_orange_circle": sign("orange"), "large_blue_circle": sign("blue"), "large_green_circle": sign("green"), "white_circle": sign("white"), "twisted_rightwards_arrows": "🔀",
	"grey_question": "❔", "eyes": "👀", "no_bell": "🔕", "bell": "🔔", "white_check_mark": "✅", "warning": "⚠️", "x": "❌",
}

func sign(color string) string { return `<span class="sign ` + color + `">●</span>` }

// namedSign is a sign by its name, as Slack writes it.
var namedSign = regexp.MustCompile(`^:([a-z_]{1,40}):`)

// slackDate is a time in Slack's text.
var slackDate = regexp.MustCompile(`^!date\^(\d{1,12})\^`)

// styles are the tags of Slack's styles.
var styles = map[byte]string{'*': "b", '_': "i", '~': "s", '`': "code"}

// mrkdwn draws Slack's text as markup.
// https://docs.slack.dev/messaging/formatting-message-text
type mrkdwn struct {
	when func(time.Time) string
}

// draw returns the markup of a text.
func (m mrkdwn) draw(text string) template.HTML {
	var out strings.Builder
	for i, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		if i > 0 {
			out.WriteString("<br>")
		}
		m.line(&out, line)
	}
	return template.HTML(out.String())
}

// line draws a line, or a part of it within a style.
func (m mrkdwn) line(out *strings.Builder, s string) {
	plain := 0 // where the text begins that is not drawn yet
	flush := func(to int) {
		out.WriteString(template.HTMLEscapeString(unescape(s[plain:to])))
	}
	for i := 0; i < len(s); {
		markup, n := m.special(s, i)
		if n == 0 {
			i++
			continue
		}
		flush(i)
		out.WriteString(markup)
		i += n
		plain = i
	}
	flush(len(s))
}

// special returns the markup of what begins at s[i] and is no plain text, and how many bytes
// that is; 0: it is plain text.
func (m mrkdwn) special(s string, i int) (markup string, n int) {
	switch c := s[i]; c {
	case ':':
		if found := namedSign.FindStringSubmatch(s[i:]); found != nil && emoji[found[1]] != "" {
			return emoji[found[1]], len(found[0])
		}
	case '<':
		if end := strings.IndexByte(s[i:], '>'); end > 0 {
			return m.reference(s[i+1 : i+end]), end + 1
		}
	case '*', '_', '~', '`':
		end := closing(s, i)
		if end < 0 {
			return "", 0
		}
		inner := s[i+1 : end]
		var b strings.Builder
		b.WriteString("<" + styles[c] + ">")
		if c == '`' {
			b.WriteString(template.HTMLEscapeString(unescape(inner)))
		} else {
			m.line(&b, inner)
		}
		b.WriteString("</" + styles[c] + ">")
		return b.String(), end + 1 - i
	}
	return "", 0
}

// closing returns where the style that begins at s[i] ends; -1: none begins there. A sign
// within a word is none.
func closing(s string, i int) int {
	if before, _ := utf8.DecodeLastRuneInString(s[:i]); i > 0 && inWord(before) {
		return -1
	}
	for j := i + 1; j < len(s) && j-i <= maxStyled; j++ {
		if s[j] != s[i] {
			continue
		}
		after, _ := utf8.DecodeRuneInString(s[j+1:])
		if j == i+1 || s[i+1] == ' ' || s[j-1] == ' ' || j+1 < len(s) && inWord(after) {
			return -1
		}
		return j
	}
	return -1
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// reference draws what stands between < and >: a link, a time, or a mention, which is only
// written.
func (m mrkdwn) reference(s string) string {
	if found := slackDate.FindStringSubmatch(s); found != nil {
		unix, err := strconv.ParseInt(found[1], 10, 64)
		if err == nil {
			return template.HTMLEscapeString(m.when(time.Unix(unix, 0)))
		}
	}
	address, label, ok := strings.Cut(s, "|")
	if !ok {
		label = address
	}
	label = template.HTMLEscapeString(unescape(label))
	link := config.Link(unescape(address))
	if link == "" {
		return label
	}
	return `<a href="` + template.HTMLEscapeString(link) + `" rel="noopener noreferrer nofollow">` + label + "</a>"
}

// unescape returns a text without Slack's escapes.
var unescape = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace
