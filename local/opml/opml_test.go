package opml

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/local/dotenv"
)

const list = `<?xml version="1.0" encoding="ISO-8859-1"?>
<!DOCTYPE opml>
<opml version="2.0"><head><title>my feeds</title></head><body>
<outline text="News" title="News">
  <outline text="Caf` + "\xe9" + `" type="rss" xmlUrl="https://a.example/feed" htmlUrl="https://a.example/"/>
  <outline text="deeper"><outline TEXT="Tom's; &quot;best&quot; blog, daily" XMLURL=" https://b.example/feed?a=1&amp;b=2,https://c.example/;x "/></outline>
  <outline text="Caf` + "\xe9" + `" type="rss" xmlUrl="https://A.example/feed"/>
</outline>
<outline text="Caf` + "\xe9" + `" xmlUrl="feed://d.example/it's here.xml"/>
<outline text="" xmlUrl="feed:http://www.e.example/rss"/>
<outline text="by url" type="rss" url="https://f.example/a,b?x=1&y=2,3"/>
<outline text="page" htmlUrl="https://g.example/"/>
<outline text="none" xmlUrl=""/>
<outline text="file" xmlUrl="file:///etc/passwd"/>
<outline text="link" type="link" url="https://h.example/"/>
</body></opml>`

func TestAListBecomesTheSettingFEEDS(t *testing.T) {
	l, err := Parse([]byte(list))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		"Café=https://a.example/feed", "Tom-s-best-blog-daily=https://b.example/feed?a=1&b=2%2Chttps://c.example/%3Bx", "Café-2=https://d.example/it%27s%20here.xml",
		"e-example=http://www.e.example/rss", "by-url=https://f.example/a%2Cb?x=1&y=2,3",
	}, "; ")
	if got := l.Setting(); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if vars, err := dotenv.Parse("FEEDS='" + want + "'\n"); err != nil || vars["FEEDS"] != want {
		t.Errorf("as a line of .env: %v, %v", vars, err)
	}
	wantOut := []string{`"Café" is in the list twice`, `"page" has no xmlUrl`, `"none" has an empty xmlUrl`, `"file" has an xmlUrl that is no web address`}
	if fmt.Sprint(l.LeftOut) != fmt.Sprint(wantOut) {
		t.Errorf("left out %q, want %q", l.LeftOut, wantOut)
	}
}

func TestWhatIsNoListIsRefused(t *testing.T) {
	for in, want := range map[string]string{
		"":                           "no OPML: it has no element",
		"plain text":                 "no OPML: it has no element",
		"<html><body></html>":        "no OPML: it begins with <html>",
		"<rss><channel/></rss>":      "no OPML: it begins with <rss>",
		list[:len(list)/2]:           "it ends half-way: export it again",
		"<opml><body></body></opml>": "a list without feeds",
		`<opml><outline text="x" xmlUrl="x"/></opml>`:                             `no feed that can be read: "x" has an xmlUrl that is no web address`,
		`<?xml version="1.0" encoding="x-odd"?><opml></opml>`:                     "no OPML: it is in an encoding that is not known",
		"<opml>\n<outline\x01/></opml>":                                           "no OPML: a mistake of its XML in line 2",
		"<opml>" + strings.Repeat(`<outline xmlUrl=""/>`, maxFeeds+1) + "</opml>": "more than 10000 feeds",
	} {
		if _, err := Parse([]byte(in)); err == nil || err.Error() != want {
			t.Errorf("%.60q: %v, want %s", in, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(list))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := Parse(b)
		if err != nil {
			return
		}
		names := map[string]bool{}
		for _, f := range l.Feeds {
			if names[f.Name] || strings.ContainsAny(f.Name+f.address, "; \t\r\n'\"`\x00") || !strings.HasPrefix(f.address, "http") {
				t.Errorf("%+v", f)
			}
			names[f.Name] = true
		}
		if _, err := dotenv.Parse("FEEDS='" + l.Setting() + "'\n"); err != nil {
			t.Errorf("%q: %v", l.Setting(), err)
		}
	})
}
