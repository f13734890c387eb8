package function

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/sourcetest"
)

// The address of a feed may have a login and a token, which its publisher repeats.
func TestTheSecretsOfAnAddressAppearNowhere(t *testing.T) {
	const token, password = `t0k/en+"<é>%&x`, "hunter/22"
	inJSON, _ := json.Marshal(token) // never fails: it is a string
	echoes := []string{token, url.QueryEscape(token), url.PathEscape(token), html.EscapeString(token), string(inJSON), password, url.PathEscape(password), "hunter%252F22"}
	answer := func(w http.ResponseWriter, r *http.Request) {
		user, p, _ := r.BasicAuth()
		if r.URL.Query().Get("token") != token || user != "home" || p != password {
			t.Errorf("the upstream received %s of %s", r.URL, r.Header.Get("Authorization"))
		}
		all := strings.Join(append(echoes, r.URL.String(), r.Header.Get("Authorization")), " ")
		switch {
		case strings.HasPrefix(r.URL.Path, "/401"):
			http.Error(w, all, http.StatusUnauthorized)
		case strings.HasPrefix(r.URL.Path, "/redirect"):
			http.Redirect(w, r, "http://["+url.QueryEscape(token)+"]:x/"+url.QueryEscape(token), http.StatusFound)
		case strings.HasPrefix(r.URL.Path, "/html"):
			fmt.Fprintf(w, "<html><title>no feed at %s</title></html>", html.EscapeString(token))
		case strings.HasPrefix(r.URL.Path, "/json"):
			fmt.Fprintf(w, `{"error":{"message":%q}}`, "no feed for "+password)
		case strings.HasPrefix(r.URL.Path, "/page"):
			fmt.Fprintf(w, "<html><title>%s</title><body>in stock %[1]s</body></html>", html.EscapeString(all))
		default:
			fmt.Fprint(w, `<rss version="2.0"><channel><title>x</title>`)
			for i, e := range append(echoes, "fine") {
				e = html.EscapeString(e)
				fmt.Fprintf(w, `<item><guid>%d %s</guid><title>%[1]d %[2]s</title><description>&lt;p&gt;said %[2]s&lt;/p&gt;</description><link>https://a.example/%[1]d?id=%[1]d&amp;of=%[3]s</link></item>`, i, e, html.EscapeString(url.QueryEscape(html.UnescapeString(e))))
			}
			fmt.Fprint(w, `<item><guid>relative</guid><title>relative</title><link>#top</link></item></channel></rss>`)
		}
	}
	address := func(path string) string {
		return "http://upstream" + path + "?list=new&token=" + url.QueryEscape(token)
	}
	var feeds []string
	for _, path := range []string{"/feed", "/401", "/redirect", "/html", "/json"} {
		feeds = append(feeds, path[1:]+"="+address(path))
	}
	h := sourcetest.Start(t, morning, New, sourcetest.Vars{}, sourcetest.Secrets{"slack-webhooks": "http://slack/services/T000/B000/s3cr3thook"}, answer)
	login := strings.Replace(h.Upstream.URL, "http://", "http://home:"+url.PathEscape(password)+"@", 1)
	h.Vars["FEEDS"] = strings.ReplaceAll(strings.Join(feeds, ";"), "http://upstream", login)
	h.Vars["PAGES"] = strings.ReplaceAll("page="+address("/page")+" pattern=.*stock.*", "http://upstream", login)
	h.Build(New)
	a, w := h.Post("show=true")
	if a.Status != "partial" || len(a.Items) != len(echoes)+3 {
		t.Errorf("answer: %s", w.Body)
	}
	h.Log.WriteString(w.Body.String() + strings.Join(h.Messages, "\n") + fmt.Sprint(h.Items()))
	said := h.Log.String()
	for _, part := range []string{"t0k", "hunter", "en%2B", "aG9tZTpodW50ZXI", "aHVudGVy"} {
		if i := strings.Index(said, part); i >= 0 {
			t.Errorf("%s is in …%s…", part, said[max(0, i-200):min(len(said), i+100)])
		}
	}
	var links []string
	for _, i := range h.Items() {
		links = append(links, strings.Replace(i.URL, h.Upstream.URL, "http://upstream", 1))
	}
	for _, want := range []string{"https://a.example/0", "https://a.example/8?id=8&of=fine", "http://upstream/feed#top", "http://upstream/page"} {
		if !strings.Contains(" "+strings.Join(links, " ")+" ", " "+want+" ") {
			t.Errorf("links %q lack %s", links, want)
		}
	}
}

func TestAMistakeInAnAddressDoesNotShowIt(t *testing.T) {
	for _, setting := range []string{
		"home:hunter-22@a.example/feed", "a.example/feed?token=hunter-22", "//home:hunter-22@a.example/feed=x", "a=home:hunter-22@a.example", "a=https://a.example/?token=x hunter-22",
		"a=https://home:hunter-22@a.example,https://b.example", "https://home:hunter-22@a.example https://b.example", "a=https://home:hunter-22@a.example/%zz", "a=https://home:hun/ter-22@a.example/x",
		"https://hunter-22@a.example match=(", "a=https://a.example/?token=hunter-22; a=https://a.example/?token=hunter-22",
	} {
		all, names, err := Config{Feeds: setting}.watches()
		text := fmt.Sprint(names, err)
		for _, w := range all {
			text += fmt.Sprint(" ", w.name, " ", w.err)
		}
		if strings.Contains(text, "hunter-22") || strings.Contains(text, "ter-22") {
			t.Errorf("%s: %s", setting, text)
		}
	}
}
