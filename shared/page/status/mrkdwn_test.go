package status

import (
	"html/template"
	"regexp"
	"strings"
	"testing"
	"time"
)

var slackText = mrkdwn{when: func(t time.Time) string { return t.UTC().Format("15:04") }}

func TestSlacksTextIsDrawn(t *testing.T) {
	for text, want := range map[string]string{
		"*CO₂ is high* · Office":                             "<b>CO₂ is high</b> · Office",
		":red_circle: *a _b_ c*\nnext":                       `<span class="sign red">●</span> <b>a <i>b</i> c</b><br>next`,
		":no_such_sign: 12:30:15":                            ":no_such_sign: 12:30:15",
		"a*b*c snake_case_name 2 * 3 * 4":                    "a*b*c snake_case_name 2 * 3 * 4",
		"`▁▂*x*` ~gone~":                                     "<code>▁▂*x*</code> <s>gone</s>",
		"&lt;b&gt; &amp;amp; <b>":                            "&lt;b&gt; &amp;amp; b",
		"<https://a.example/?x=1&amp;y=2|see it>":            `<a href="https://a.example/?x=1&amp;y=2" rel="noopener noreferrer nofollow">see it</a>`,
		"<javascript:alert(1)|see it>":                       "see it",
		"<!date^1795790400^{date_short_pretty} {time}|then>": "14:40",
		"<!here> <@U1|eva>":                                  "!here eva",
		"*":                                                  "*",
		"<":                                                  "&lt;",
		"":                                                   "",
	} {
		if got := slackText.draw(text); got != template.HTML(want) {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

var (
	tags  = regexp.MustCompile(`<span class="sign [a-z]+">●</span>|</?(b|i|s|code|a)(?: href="https?://[^"<>]*" rel="noopener noreferrer nofollow")?>|<br>`)
	angle = regexp.MustCompile(`[<>]`)
)

// FuzzMrkdwn: nothing foreign becomes markup, and what begins ends.
func FuzzMrkdwn(f *testing.F) {
	for _, s := range []string{"*a* _b_ `c` ~d~", "<https://x|*y*>", "*_~`", "&lt;script&gt;", "<!date^12^x|y>", ":x:", "*a _b* c_", nasty} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := string(slackText.draw(s))
		if rest := tags.ReplaceAllString(got, ""); angle.MatchString(rest) {
			t.Fatalf("%q: %s", s, got)
		}
		var open []string
		for _, m := range tags.FindAllStringSubmatch(got, -1) {
			switch name := m[1]; {
			case name == "":
			case !strings.HasPrefix(m[0], "</"):
				open = append(open, name)
			case len(open) == 0 || open[len(open)-1] != name:
				t.Fatalf("%q: %s", s, got)
			default:
				open = open[:len(open)-1]
			}
		}
		if len(open) != 0 {
			t.Fatalf("%q: %s", s, got)
		}
	})
}
