package function

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/sourcetest"
)

// rss returns a feed; each entry is an id, and a date after a space or none.
func rss(entries ...string) string {
	var b strings.Builder
	b.WriteString(`<rss version="2.0"><channel><title>x</title>`)
	for _, e := range entries {
		id, date, _ := strings.Cut(e, " ")
		if date != "" {
			date = "<pubDate>" + date + "</pubDate>"
		}
		fmt.Fprintf(&b, "<item><guid isPermaLink=\"false\">%s</guid><title>%[1]s</title>%s</item>", id, date)
	}
	return b.String() + "</channel></rss>"
}

// titles returns the entries that were told since its last call.
func titles(h *sourcetest.Fixture) string {
	var out []string
	for _, m := range strings.Split(newMessages(h), "|") {
		_, title, _ := strings.Cut(strings.TrimSpace(m), ": ")
		out = append(out, title)
	}
	return strings.Join(out, " ")
}

func TestAnEntryWithoutADateIsToldWhenItIsFirstSeen(t *testing.T) {
	s := site{}
	h := start(t, s, "f=http://upstream/feed", "")
	for i, step := range []struct{ body, want string }{
		{"404", ""},
		{rss("a", "b soon"), ""}, // the feed is new
		{rss("a", "b soon"), ""},
		{rss("c", "d next week", "a", "b soon"), "c d"},
		{rss("c", "d next week", "a", "b soon"), ""},
		{rss("a"), ""},
		{"500", ""},
		{rss("c", "d next week", "a"), ""}, // on the feed again
		{rss("e Mon, 23 Nov 2026 08:00:00 GMT", "g Fri, 20 Nov 2026 08:00:00 GMT", "c"), "e"},
		{rss("h 0000-00-00 00:00:00", "e Mon, 23 Nov 2026 08:00:00 GMT", "c"), "h"},
	} {
		s["/feed"] = step.body
		h.Later(time.Hour / 4)
		h.Build(New) // another replica
		h.Post("")
		h.Messages = slices.DeleteFunc(h.Messages, func(m string) bool { return strings.Contains(m, "Fetching fails") })
		if got := titles(h); got != step.want {
			t.Errorf("run %d told %q, want %q", i, got, step.want)
		}
	}
}

// The feed is known though no entry of it matched before.
func TestTheFirstEntryThatMatchesIsTold(t *testing.T) {
	s := site{"/feed": rss("tea")}
	h := start(t, s, "f=http://upstream/feed match=coffee", "")
	post(t, h, 200)
	s["/feed"] = rss("coffee", "tea")
	h.Later(time.Hour)
	post(t, h, 200)
	if got := titles(h); got != "coffee" {
		t.Errorf("told %q", got)
	}
}

func TestAFeedWithoutDatesWarns(t *testing.T) {
	for body, want := range map[string]int{
		rss("a", "b soon"):                      1,
		rss("a", "b Mon, 23 Nov 2026 08:00:00"): 0,
		rss("a 2026"):                           0,
		rss("a Wed, 1 Dec 2027 08:00:00 GMT"):   0,
		rss():                                   0,
	} {
		h := start(t, site{"/feed": body}, "f=http://upstream/feed", "")
		a := post(t, h, 200)
		if len(a.Warnings) != want || want > 0 && !strings.Contains(a.Warnings[0], "f: its entries have no date that can be read") || a.Status != "ok" {
			t.Errorf("%s: %s, %q", body, a.Status, a.Warnings)
		}
	}
}

// It is 09:41 on 23 November 2026.
func TestADateSaysWhenAnEntryIsOld(t *testing.T) {
	for date, want := range map[string][2]bool{ // told in the feed's first run, and in a later one
		"Mon, 23 Nov 2026 08:00:00 GMT": {true, true},
		"Sun, 22 Nov 2026 21:42:00 GMT": {true, true},
		"Sun, 22 Nov 2026 21:40:00 GMT": {false, false},
		"Mon, 23 Nov 2026 19:00:00 GMT": {true, true}, // a zone that is wrong
		"23 Nov 2026":                   {true, true},
		"22. November 2026":             {true, true}, // until 12:00 on the 23rd
		"2026-11-21":                    {false, false},
		"Nov. 2026":                     {false, true}, // some time this month
		"2026":                          {false, true},
		"Oct. 2026":                     {false, false},
		"2025":                          {false, false},
		"5 Mar 2027 10:00":              {false, true}, // a date that lies ahead is not that of the publication
		"2062-11-23":                    {false, true},
		"1970-01-01T00:00:00Z":          {false, true},
		"":                              {false, true},
	} {
		for later := range 2 {
			s := site{"/feed": rss()}
			h := start(t, s, "f=http://upstream/feed", "")
			if later == 1 {
				post(t, h, 200)
			}
			for range 2 {
				s["/feed"] = rss("a " + date)
				post(t, h, 200)
				h.Later(time.Minute)
			}
			wanted := ""
			if want[later] {
				wanted = "a"
			}
			if got := titles(h); got != wanted {
				t.Errorf("%q in run %d told %q, want %q", date, later, got, wanted)
			}
		}
	}
}

func TestTheOrderOfDayAndMonthIsThatOfTheFeed(t *testing.T) {
	for order, want := range map[string]string{"11/23/2026 07:00": "2026-11-12", "23/11/2026 07:00": "2026-12-11", "11/11/2026": "2026-12-11"} {
		h := start(t, site{"/feed": rss("a 11/12/2026", "b "+order)}, "f=http://upstream/feed", "")
		post(t, h, 200)
		for _, i := range h.Items() {
			if i.ID == "a" && !strings.HasPrefix(i.Attributes[published], want) {
				t.Errorf("beside %s: %v %v, want %s", order, i.At, i.Attributes, want)
			}
		}
	}
}

func FuzzDate(f *testing.F) {
	for line := range strings.Lines(read(f, "dates.tsv")) {
		s, _, _ := strings.Cut(line, "\t")
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, d := range []dates{{}, {monthFirst: true}, datesOf([]string{s})} {
			if got, ok := d.parse(s); ok && (got.end.Before(got.at) || got.at.Year() > 10_000 || got.at.Location() != time.UTC) {
				t.Errorf("%q: %+v", s, got)
			}
		}
	})
}

// renamedFeed returns a feed whose entries have new ids with each serial number, and a date
// or none. The second entry leaves and comes with the number.
func renamedFeed(serial int, date string) string {
	return fmt.Sprintf(`<rss version="2.0"><channel><title>x</title><item><guid isPermaLink="false">a-%d</guid><title>a</title><link>https://e.org/a</link>%s</item>`+
		`<item><guid isPermaLink="false">b</guid><title>b</title><link>https://e.org/b</link></item></channel></rss>`, serial, date)
}

func TestAnEntryThatOnlyGetsANewIDIsNoNews(t *testing.T) {
	stamp := func(d time.Duration) string { return "<pubDate>" + morning.Add(d).Format(time.RFC1123Z) + "</pubDate>" }
	for name, c := range map[string]struct {
		date func(run int) string
		want string
	}{
		"without a date":          {func(int) string { return "" }, ""},
		"with one date":           {func(int) string { return stamp(0) }, "a https://e.org/a"},
		"dated anew in each run":  {func(run int) string { return stamp(time.Duration(run) * time.Hour) }, "a https://e.org/a"},
		"published again, hourly": {func(run int) string { return stamp(time.Duration(run) * 3 * time.Hour) }, "a https://e.org/a a https://e.org/a a https://e.org/a a https://e.org/a"},
	} {
		s := site{}
		h := start(t, s, "f=http://upstream/feed", "")
		for run := range 4 {
			s["/feed"] = renamedFeed(run, c.date(run))
			h.Build(New)
			h.Post("")
			h.Later(time.Hour)
			if c.want != "" && strings.Count(c.want, "org") > 1 {
				h.Later(2 * time.Hour)
			}
		}
		if got := strings.Join(strings.Fields(titles(h)), " "); got != c.want {
			t.Errorf("%s: told %q, want %q", name, got, c.want)
		}
	}
}
