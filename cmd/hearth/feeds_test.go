package main

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	feeds "github.com/hearth-home/hearth/functions/feeds"
	"github.com/hearth-home/hearth/local/dotenv"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
)

// TestTheLineOfAnOPMLFileIsASettingOfFeeds: also with names and addresses that have what
// separates in FEEDS.
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
	env := serve.Env{Env: config.Env{Vars: vars, Secrets: secret.InMemory(nil, nil), Now: time.Now, Log: slog.New(slog.DiscardHandler)}} // clock: nothing runs
	if _, err := feeds.New(env); err != nil {
		t.Errorf("feeds refuses it: %v", err)
	}
}
