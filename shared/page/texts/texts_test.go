package texts

import (
	"html/template"
	"regexp"
	"strings"
	"testing"
)

func TestATextHasItsArguments(t *testing.T) {
	for want, got := range map[string]string{
		"All well":                 Say("verdict.well"),
		"1 thing needs you":        Say("verdict.things", 1),
		"12 things need you":       Say("verdict.things", 12),
		"1 device well":            Say("house.well", "1"),
		"Pi 5 in stock at A":       Say("news.inStock", "Pi 5", "A"),
		"power.nothing":            Say("power.nothing", 1),
		"nothing":                  Say("nothing"),
		"":                         Say(""),
		"{2} in stock at {1}":      Say("news.inStock", "{2}", "{1}"),
		"a &lt;b&gt; less than":    string(HTML("power.less", "a <b>"))[:len("a &lt;b&gt; less than")],
		"<b>1</b> less than yes":   string(HTML("power.less", template.HTML("<b>1</b>")))[:len("<b>1</b> less than yes")],
		"&lt;b&gt;":                string(HTML("<b>")),
		"good":                     List("air.co2")[0],
		"air.nothing":              List("air.nothing")[0],
		"Gold":                     Part("symbols")["GLD"],
		"yesterday: most {1}":      Say("power.plotYesterday"), // too few arguments
		"yesterday: most 4 W at 5": Say("power.plotYesterday", "4 W at 5", "too many"),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestMarkupIsEscapedUnlessItIsMarkup(t *testing.T) {
	page := template.Must(template.New("").Funcs(Funcs).Parse(`<p title="{{say "power.since" .Text}}">{{say "power.since" .Text}} {{say "power.since" .Markup}} {{say "power.since" (bold .Text)}}</p>`))
	var b strings.Builder
	if err := page.Execute(&b, map[string]any{"Text": `"<i>`, "Markup": template.HTML("<i>")}); err != nil {
		t.Fatal(err)
	}
	if want := `<p title="since &#34;&lt;i&gt;">since &#34;&lt;i&gt; since <i> since <b>&#34;&lt;i&gt;</b></p>`; b.String() != want {
		t.Errorf("got  %s\nwant %s", b.String(), want)
	}
}

// TestTheFileIsWhole: each text of the file is there once and says something, and the places of
// its arguments are counted from 1 without a gap.
func TestTheFileIsWhole(t *testing.T) {
	for part, names := range all {
		for name, text := range names {
			if text.Many == "" && len(text.List) == 0 || strings.Contains(part, ".") {
				t.Errorf("%s.%s is empty", part, name)
			}
			if one, many := argumentsOf(text.One), argumentsOf(text.Many); one > max(many, 1) {
				t.Errorf("%s.%s: one has more arguments than many", part, name)
			}
			for n := range argumentsOf(text.Many) {
				if !strings.Contains(text.Many, "{"+string(rune('1'+n))+"}") {
					t.Errorf("%s.%s has no {%d}", part, name, n+1)
				}
			}
		}
	}
	keys := 0
	for _, names := range all {
		keys += 1 + len(names)
		for _, text := range names {
			if text.One != "" {
				keys += 2
			}
		}
	}
	if n := len(regexp.MustCompile(`"[^"]+":`).FindAll(english, -1)); n != keys {
		t.Errorf("the file has %d keys, of which %d are different", n, keys)
	}
}

// argumentsOf returns how many arguments a text has.
func argumentsOf(text string) (n int) {
	for _, place := range places.FindAllString(text, -1) {
		n = max(n, int(place[1]-'0'))
	}
	return n
}

func TestAScriptGetsTheTextsThatItUses(t *testing.T) {
	script := `x(say("plot.gaps", 2), say("plot.still")); unsay("plot.days"); say("plot.none")`
	if got, want := string(Script([]byte(script))), `Object.assign(texts, {"plot.gaps":{"one":"; 1 gap","many":"; {1} gaps"},"plot.still":"still"});`+"\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
