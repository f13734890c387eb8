package function

import (
	"strings"
	"testing"
)

// TestTheCostOfAFeedIsLimited: what costs nothing is not counted.
func TestTheCostOfAFeedIsLimited(t *testing.T) {
	many := func(s string, n int) string { return strings.Repeat(s, n) }
	for name, tt := range map[string]struct {
		body string
		want error
	}{
		"as deep as allowed":           {many("<a>", maxDepth-1) + many("</a>", maxDepth-1), nil},
		"too deep":                     {many("<a>", maxDepth), errDeep},
		"too deep, with attributes":    {many(`<a b="/>">`, maxDepth), errDeep},
		"too deep, JSON":               {many(`{"a":`, maxDepth+1), errDeep},
		"too deep, JSON behind a mark": {"\ufeff " + many("[", maxDepth+1), errDeep},
		"empty elements":               {many(`<a b='>' />`, maxDepth+1), nil},
		"in a comment":                 {"<!--" + many("<a>", maxDepth+1) + "-->", nil},
		"in CDATA":                     {"<a><![CDATA[" + many("<a b=1>", maxParts) + "]]></a>", nil},
		"instructions":                 {many("<?a <b> ?>", maxDepth+1), nil},
		"in a JSON string":             {`{"a":"` + many(`[,\"{`, maxParts) + `"}`, nil},
		"elements":                     {many("<a></a>", maxParts+1), errParts},
		"attributes":                   {"<a " + many(`b="" `, maxParts) + ">", errParts},
		"attributes in single quotes":  {"<a " + many(`b='"' `, maxParts) + ">", errParts},
		"JSON values":                  {"[" + many("1,", maxParts) + "1]", errParts},
		"open at the end":              {"<a><b c='", nil},
		"nothing":                      {"", nil},
	} {
		body := tt.body
		if !strings.ContainsAny(body[:min(len(body), 5)], "{[") {
			body = "<rss>" + body // limits hold within a feed
		}
		if _, _, err := readFeed(answer("", body)); err != tt.want && (tt.want != nil || err == errDeep || err == errParts) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

func TestAPageThatCostsTooMuchIsRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		body string
		ok   bool
	}{
		"tags":                  {strings.Repeat("<b>", maxTags+1), false},
		"end tags":              {strings.Repeat("</b>", maxTags+1), false},
		"comments":              {strings.Repeat("<!>", maxTags+1), false},
		"tags in a script":      {"<script>" + strings.Repeat("if (a<b) {}", maxTags+1) + "</script>", true},
		"many words":            {strings.Repeat("a ", maxTags+1), true},
		"a page of 50,000 tags": {strings.Repeat("<p class='a b c'>x", 50_000), true},
	} {
		if err := checkPage(strings.NewReader(tt.body)); (err == nil) != tt.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
