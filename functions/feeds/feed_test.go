package function

import (
	"fmt"
	"strings"
	"testing"
)

func TestEntriesThatShareAnIDAreToldApart(t *testing.T) {
	entries := func(body string) (ids []string, warnings string) {
		items, w, err := decodeFeed(answer("", "<rss><channel><title>t</title>"+body+"</channel></rss>"), watch{})
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range items {
			ids = append(ids, i.ID)
		}
		return ids, strings.Join(w, "; ")
	}
	item := func(guid, link, title, date string) string {
		return fmt.Sprintf("<item><guid>%s</guid><link>https://e.org/%s</link><title>%s</title><pubDate>%s</pubDate></item>", guid, link, title, date)
	}
	one := item("x", "1", "A", "Mon, 23 Nov 2026 09:00:00 GMT")
	for name, c := range map[string]struct {
		body string
		want int
		warn bool
	}{
		"different ids":             {one + item("y", "1", "A", ""), 2, false},
		"one id":                    {one + item("x", "2", "A", "") + item("x", "3", "A", ""), 3, true},
		"one id and link":           {one + item("x", "1", "B", ""), 2, true},
		"one id, link and title":    {one + item("x", "1", "A", "Mon, 23 Nov 2026 10:00:00 GMT"), 2, true},
		"no id, one link":           {item("", "1", "A", "") + item("", "1", "B", ""), 2, true},
		"the same entry twice":      {one + one, 1, false},
		"the same entry and others": {one + one + item("y", "2", "B", ""), 2, false},
		"only texts":                {"<item><description>one</description></item><item><description>two</description></item><item><description>one</description></item>", 2, false},
		"one title, other texts":    {"<item><title>A</title><description>one</description></item><item><title>A</title><description>two</description></item>", 2, true},
		"one link, only texts":      {"<item><link>https://e.org/</link><description>one</description></item><item><link>https://e.org/</link><description>two</description></item>", 2, true},
		"one id, only texts":        {"<item><guid>x</guid><description>one</description></item><item><guid>x</guid><description>two</description></item>", 2, true},
		"two texts of one entry":    {"<item><guid>x</guid><title>A</title><description>one</description></item><item><guid>x</guid><title>A</title><description>one, two</description></item>", 1, false},
		"neither id nor link":       {"<item><title>A</title></item><item><title>B</title></item>", 2, false},
	} {
		ids, warning := entries(c.body)
		if len(ids) != c.want || (warning != "") != c.warn {
			t.Errorf("%s: %q, %q; want %d ids, warning %v", name, ids, warning, c.want, c.warn)
		}
		seen := map[string]bool{}
		for _, id := range ids {
			if seen[id] {
				t.Errorf("%s: the id %q twice", name, id)
			}
			seen[id] = true
		}
	}
	before, _ := entries(one + item("x", "2", "B", ""))
	after, _ := entries(item("x", "3", "C", "") + item("x", "2", "B", "") + one)
	if before[0] != after[2] || before[1] != after[1] {
		t.Errorf("ids change with the order: %q, then %q", before, after)
	}
}

func TestAnEntryKeepsItsIDWhenItsSiteMovesToHTTPS(t *testing.T) {
	for _, entry := range []string{
		"<item><title>A</title><link>http://e.org/1</link></item>",
		"<item><title>A</title><guid>http://e.org/1</guid><link>http://e.org/1</link></item>",
		"<item><title>A</title><guid>tag:e.org,2026:1</guid><link>http://e.org/1</link></item>",
	} {
		var ids []string
		for _, body := range []string{entry, strings.ReplaceAll(entry, "http://", "https://")} {
			items, _, err := decodeFeed(answer("", "<rss><channel>"+body+"</channel></rss>"), watch{})
			if err != nil || len(items) != 1 {
				t.Fatal(items, err)
			}
			ids = append(ids, items[0].ID)
		}
		if ids[0] != ids[1] {
			t.Errorf("%s: the id was %q and is %q", entry, ids[0], ids[1])
		}
	}
}

func TestEachEntryWithoutAnIDIsCountedOnce(t *testing.T) {
	item := func(title, date string) string {
		return "<item><guid>x</guid><link>https://e.org/</link><title>" + title + "</title><pubDate>" + date + "</pubDate></item>"
	}
	_, warnings, err := decodeFeed(answer("", "<rss><channel>"+item("A", "2026-11-20")+item("A", "2026-11-21")+item("B", "2026-11-22")+"</channel></rss>"), watch{})
	if err != nil || len(warnings) != 1 || !strings.HasPrefix(warnings[0], "3 entries ") {
		t.Errorf("%q, %v; want 3 entries", warnings, err)
	}
}

func TestOfManyEntriesTheNewestAreListed(t *testing.T) {
	var b strings.Builder
	for n := range maxEntries + 100 { // the oldest first
		fmt.Fprintf(&b, "<item><guid>%d</guid><title>entry %[1]d</title><pubDate>%s</pubDate></item>", n, morning.AddDate(0, 0, n-maxEntries-100).Format("Mon, 02 Jan 2006 15:04:05 GMT"))
	}
	feed := answer("", "<rss><channel><title>t</title>"+b.String()+"</channel></rss>")
	items, warnings, err := decodeFeed(feed, watch{})
	if err != nil || len(items) != maxEntries || items[0].ID != "599" || items[len(items)-1].ID != "100" || fmt.Sprint(warnings) != "[600 entries of the feed match: the 500 newest are listed]" {
		t.Errorf("%d items from %q to %q, %q, %v", len(items), items[0].ID, items[len(items)-1].ID, warnings, err)
	}
	items, warnings, err = decodeFeed(feed, one(t, "x=https://x match='entry \\d\\d?$'", false))
	if err != nil || len(items) != 100 || warnings != nil {
		t.Errorf("of those that match: %d, %q, %v", len(items), warnings, err)
	}
}
