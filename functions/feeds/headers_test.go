package function

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/sourcetest"
)

func TestHeadersOfASecretAreSentToTheirTargetsOwnHost(t *testing.T) {
	const token, cookie, login = "t0k3n-of-the-feed", "c00kie-value", "aG9tZTpodW50ZXItMjI=" // home:hunter-22
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := fmt.Sprint(r.Header); strings.Contains(got, token) || strings.Contains(got, cookie) {
			t.Errorf("another host received %s", got)
		}
		fmt.Fprint(w, rss("other"))
	}))
	defer other.Close()
	got := map[string]http.Header{}
	answer := func(w http.ResponseWriter, r *http.Request) {
		if got[r.URL.Path] = r.Header.Clone(); r.URL.Path == "/away" {
			http.Redirect(w, r, other.URL, http.StatusFound)
			return
		}
		all := fmt.Sprint(r.Header, " hunter-22")
		if r.URL.Path == "/page" {
			fmt.Fprintf(w, "<html><body>in stock %s</body></html>", all)
			return
		}
		fmt.Fprint(w, rss("it-has-"+strings.ReplaceAll(all, " ", "-")))
	}
	h := sourcetest.Start(t, morning, New, sourcetest.Vars{
		"FEEDS": "a=http://upstream/a; 'my feed'=http://upstream/b; away=http://upstream/away; open=http://upstream/open",
		"PAGES": "shop=http://upstream/page pattern='.*stock.*'",
	}, sourcetest.Secrets{
		"slack-webhooks": "http://slack/services/T000/B000/s3cr3thook",
		"feed-headers":   "a=Authorization: Bearer " + token + "; away=Authorization: Bearer " + token + "\nmy feed=Authorization: Basic " + login + "\nmy feed=User-Agent: reader 1.0\nshop=\"Cookie: session=" + cookie + "; theme=dark\"",
	}, answer)
	a, w := h.Post("show=true")
	for path, want := range map[string]string{"/a": "Bearer " + token, "/b": "Basic " + login, "/away": "Bearer " + token, "/open": "", "/page": ""} {
		if v := got[path].Get("Authorization"); v != want {
			t.Errorf("%s received %q, want %q", path, v, want)
		}
	}
	if v := got["/page"].Get("Cookie"); v != "session="+cookie+"; theme=dark" || got["/a"].Get("Cookie") != "" || got["/b"].Get("User-Agent") != "reader 1.0" {
		t.Errorf("cookie %q, all %v", v, got)
	}
	if len(a.Items) != 5 || len(a.Warnings) != 4 { // the feeds have no dates
		t.Errorf("answer %s", w.Body)
	}
	h.Log.WriteString(w.Body.String() + strings.Join(h.Messages, "\n") + fmt.Sprint(h.Items()))
	for _, part := range []string{token, cookie, login, "hunter-22"} {
		if i := strings.Index(h.Log.String(), part); i >= 0 {
			t.Errorf("%s is in %s", part, h.Log.String()[max(0, i-100):i+50])
		}
	}
	h.Secret("feed-headers", "a=Authorization: Bearer another-token") // without a restart
	if h.Post(""); got["/a"].Get("Authorization") != "Bearer another-token" {
		t.Errorf("after a change: %v", got["/a"])
	}
}

func TestAMistakeInTheHeadersIsSaidWithoutThem(t *testing.T) {
	for value, want := range map[string]string{
		"":                                "map[] map[] []",
		"f=X-Key: s3cr3t":                 "map[f:map[X-Key:[s3cr3t]]] map[] []",
		"f=X-Key:s3cr3t; f=x-other: t: u": "map[f:map[X-Key:[s3cr3t] X-Other:[t: u]]] map[] []",
		"f='Cookie: a=s3cr3t; b=c'":       "map[f:map[Cookie:[a=s3cr3t; b=c]]] map[] []",
		"f=Cookie: a=s3cr3t; b=s3cr3t":    "map[f:map[Cookie:[a=s3cr3t]]] map[] [a part of the secret feed-headers is not name=Header: value; a value with a semicolon stands in quotes]",
		"g=X-Key: s3cr3t":                 "map[] map[] [the secret feed-headers has a header for a name that is neither in FEEDS nor in PAGES]",
		"X-Key: s3cr3t":                   "map[] map[] [a part of the secret feed-headers is not name=Header: value; a value with a semicolon stands in quotes]",
		"f='X-Key: s3cr3t":                "map[] map[] [the secret feed-headers is not read: a quote is not closed]",
		"f=X Key: s3cr3t":                 "map[] map[] [a part of the secret feed-headers is not name=Header: value; a value with a semicolon stands in quotes]",
		"f=X(Key): s3cr3t":                "map[] map[f:a header in the secret feed-headers cannot be sent] []",
		"f=X-Key: s3cr3t\x01":             "map[] map[f:a header in the secret feed-headers cannot be sent] []",
		"f=Host: s3cr3t":                  "map[] map[f:a header in the secret feed-headers cannot be sent] []",
		"f=X-Key:":                        "map[] map[f:a header in the secret feed-headers cannot be sent] []",
	} {
		folder := secret.InMemory(map[string]string{"feed-headers": value}, nil)
		h := readHeaders(folder.Get("feed-headers"), folder, map[string]watch{"f": {}})
		if got := fmt.Sprint(h.of, h.wrong, h.warnings); got != want {
			t.Errorf("%q: %s, want %s", value, got, want)
		}
	}
}

func TestAPageThatNamesItsFeedIsFollowed(t *testing.T) {
	const rssLink = `<link rel="alternate" type="application/rss+xml" href="/feed">`
	private := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a host in a private network was asked") }))
	defer private.Close()
	for head, want := range map[string]string{
		rssLink: "a",
		`<link rel="stylesheet" href="/x.css"><LINK REL='Alternate home' TYPE='application/atom+xml; charset=utf-8' HREF='feed'>`:             "a",
		`<link rel="alternate" type="application/rss+xml" title="Comments" href="/comments/feed">` + rssLink:                                  "a",
		`<base href="/deep/"><link rel="alternate" type="application/feed+json" href="../feed?format=json">`:                                  "a",
		`<link rel="alternate" hreflang="de" href="/de"><link rel="alternate" type="application/json" href="/wp-json/x">` + rssLink:           "a",
		`<link rel="alternate" type="application/rss+xml" href="">` + `<link rel="alternate" type="application/rss+xml" href="javascript:x">`: "a web page instead of a feed",
		`<link rel="alternate" type="application/rss+xml" href="/page">`:                                                                      "a web page instead of a feed",
		`<link rel="alternate" type="application/rss+xml" href="/other">`:                                                                     "a web page that names the feed http://upstream/other: a web page instead of a feed",
		`<link rel="alternate" type="application/rss+xml" href="/gone">`:                                                                      "answered 404",
		`<link rel="alternate" type="application/rss+xml" href="` + private.URL + `/feed">`:                                                   "not a public address",
		"": "or watch the page with PAGES",
	} {
		s := site{"/page": "<!doctype html><html><head><title>x</title>" + head + "</head><body>text</body></html>", "/feed": rss("a Mon, 23 Nov 2026 08:00:00 GMT"), "/gone": "404",
			"/other": "<!doctype html><html><head>" + rssLink + "</head><body></body></html>"}
		h := start(t, s, "f=http://upstream/page", "")
		a, w := h.Post("")
		said := strings.ReplaceAll(w.Body.String(), h.Upstream.URL, "http://upstream")
		if want != "a" {
			if w.Code != 502 || !strings.Contains(said, want) {
				t.Errorf("%s: %d %s, want %q", head, w.Code, said, want)
			}
			continue
		}
		if got := titles(h); got != want || len(a.Warnings) != 1 || !strings.Contains(said, "write http://upstream/feed") {
			t.Errorf("%s: told %q, %s", head, got, said)
		}
	}
}

// The header goes to the feed as well, which is on the page's host.
func TestTheFeedThatAPageNamesGetsItsHeaders(t *testing.T) {
	keys := map[string]string{}
	h := sourcetest.Start(t, morning, New, sourcetest.Vars{}, sourcetest.Secrets{"feed-headers": "f=X-Key: k3y-of-f"}, func(w http.ResponseWriter, r *http.Request) {
		user, _, _ := r.BasicAuth()
		if keys[r.URL.Path] = r.Header.Get("X-Key") + " " + user; r.URL.Path == "/feed" {
			fmt.Fprint(w, rss("a"))
			return
		}
		fmt.Fprint(w, `<html><head><link rel="alternate" type="application/rss+xml" href="/feed"></head></html>`)
	})
	u, _ := url.Parse(h.Upstream.URL)
	u.User = url.User("me")
	h.Vars["FEEDS"] = "f=" + u.String()
	h.Build(New)
	post(t, h, 200)
	if want := "map[/:k3y-of-f me /feed:k3y-of-f me]"; fmt.Sprint(keys) != want {
		t.Errorf("received %v, want %s", keys, want)
	}
}

func FuzzPageLinks(f *testing.F) {
	f.Add([]byte(`<html><base href="/a/"><link rel="alternate" type="application/rss+xml" href="x">`), "text/html; charset=utf-8")
	f.Fuzz(func(t *testing.T, body []byte, kind string) {
		a := answer(kind, string(body))
		u := feedOf(a)
		if u == nil {
			return
		}
		if _, err := config.URL(u.String()); err != nil || u.User != nil {
			t.Errorf("%s: %v", u, err)
		}
	})
}
