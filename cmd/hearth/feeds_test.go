package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/local/dotenv"
)

// Also names and addresses that have what separates in FEEDS. That feeds takes the line, its
// own test says.
func TestTheLineOfAnOPMLFileIsASettingOfFeeds(t *testing.T) {
	name := filepath.Join(t.TempDir(), "list.opml")
	write(t, name, `<opml><body><outline text="a=b; c"><outline text="match=x, y" xmlUrl="https://a.example/?q=1,match=2,https://b.example/"/>
		<outline text="same" xmlUrl="https://c.example/a,b.xml"/><outline text="same" xmlUrl="https://c.example/;x"/><outline text="page" htmlUrl="https://d.example/"/></outline></body></opml>`)
	var out strings.Builder
	if err := importFeeds(&out, name); err != nil {
		t.Fatal(err)
	}
	vars, err := dotenv.Parse(out.String())
	if want := "match-x-y=https://a.example/?q=1%2Cmatch=2%2Chttps://b.example/; same=https://c.example/a,b.xml; same-2=https://c.example/%3Bx"; err != nil || vars["FEEDS"] != want {
		t.Errorf("%v, %v, want %s", vars, err, want)
	}
	if !strings.Contains(out.String(), "# 3 feeds of ") || !strings.Contains(out.String(), `# left out: "page" has no xmlUrl`) {
		t.Errorf("%s", &out)
	}
}
