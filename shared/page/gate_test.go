package page

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/page/base"
	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/secret"
)

const (
	readToken  = "the-token-of-readers"
	writeToken = "the-token-of-writers"
)

// posts are the addresses of all actions.
var posts = []string{"/dead", "/alerts", "/run", "/maintenance", "/forget", "/faults", "/", "/anything"}

// guarded returns a page of a house with a device and tokens of these values.
func guarded(t *testing.T, read, write string) (*pagetest.House, *Page) {
	t.Helper()
	h := pagetest.New(t, now)
	h.Device("edge", "Desk", "", pagetest.State("temperature_celsius", 21.4), pagetest.State("co2_ppm", 612))
	folder := secret.InMemory(map[string]string{"page-token": read, "page-write-token": write}, nil)
	gates := Tokens{Read: folder.Get("page-token"), Write: folder.Get("page-write-token")}
	p := pageOfHouse(h, "")
	p.MayRead, p.MayWrite = gates.MayRead, gates.MayWrite
	return h, p
}

// request sends a request with these headers, names and values in turn.
func request(p *Page, method, target, body string, header ...string) *httptest.ResponseRecorder {
	r, w := httptest.NewRequest(method, "http://hearth.test"+target, strings.NewReader(body)), httptest.NewRecorder()
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	p.ServeHTTP(w, r)
	return w
}

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

func TestNothingIsWrittenWithoutTheToken(t *testing.T) {
	h, p := guarded(t, "", writeToken)
	form := url.Values{"device": {"desk"}, "sure": {"yes"}}.Encode()
	for _, path := range posts {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch, "BREW"} {
			for _, header := range [][]string{nil, bearer(""), bearer("wrong"), bearer(writeToken + "x"), bearer(writeToken[1:]), {"Authorization", writeToken}, {"Authorization", "Basic " + writeToken}, {"Cookie", "token=" + writeToken}} {
				if w := request(p, method, path+"?token="+writeToken, form, header...); w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), "page-write-token") {
					t.Errorf("%s %s with %s: %d %s", method, path, header, w.Code, w.Body)
				}
			}
		}
	}
	if all, err := h.Store.Devices(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("%v, %v", all, err)
	}
	if w := request(p, http.MethodPost, "/forget", form, bearer(writeToken)...); w.Code != http.StatusOK {
		t.Errorf("with the token: %d %s", w.Code, w.Body)
	}
	if all, err := h.Store.Devices(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("%v, %v", all, err)
	}
}

// TestWithoutASecretNobodyWrites: a token is not the same as no token.
func TestWithoutASecretNobodyWrites(t *testing.T) {
	_, p := guarded(t, readToken, "")
	for _, header := range [][]string{nil, bearer(""), bearer(readToken), bearer("x")} {
		if w := request(p, http.MethodPost, "/forget", "device=desk&sure=yes", header...); w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "page-write-token is empty") {
			t.Errorf("%s: %d %s", header, w.Code, w.Body)
		}
	}
}

func TestAnotherSiteWritesNothing(t *testing.T) {
	_, p := guarded(t, "", writeToken)
	for site, want := range map[string]int{"cross-site": 403, "same-site": 403, "same-origin": 200, "none": 200, "": 200} {
		header := append(bearer(writeToken), "Origin", "http://192.168.1.5:8080") // the gateway's, which the function cannot know
		if site != "" {
			header = append(header, "Sec-Fetch-Site", site)
		}
		if w := request(p, http.MethodPost, "/forget", "device=desk&sure=no", header...); w.Code != want {
			t.Errorf("%q: %d %s", site, w.Code, w.Body)
		}
	}
	p.MayWrite = nil // what serves the page lets only this machine in
	for header, want := range map[[2]string]int{{"Sec-Fetch-Site", "cross-site"}: 403, {"Origin", "http://evil.test"}: 403, {"Origin", "http://hearth.test"}: 200, {"X-Y", ""}: 200} {
		if w := request(p, http.MethodPost, "/forget", "device=desk&sure=no", header[:]...); w.Code != want {
			t.Errorf("%s: %d %s", header, w.Code, w.Body)
		}
	}
}

// TestNothingIsReadWithoutTheToken: a browser gets a page that asks for it, without any data.
func TestNothingIsReadWithoutTheToken(t *testing.T) {
	_, p := guarded(t, readToken, writeToken)
	html := []string{"Accept", "text/html,application/xhtml+xml,*/*;q=0.8"}
	for _, path := range []string{"/", "", "/?view=guest", "/status", "/status?alert=x", "/outbox", "/status.json", "/sections.json", "/tiles.json", "/api/x", "/nothing", "//status", "/status/../status.css", "/favicon.svg/../status"} {
		for _, header := range [][]string{nil, html, bearer("wrong"), append(bearer(""), html...), {"Cookie", "token=" + readToken}} {
			w := request(p, http.MethodGet, path, "", header...)
			body := w.Body.String()
			if w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") == "" || strings.Contains(body, "Desk") || strings.Contains(body, "21.4") {
				t.Errorf("%s with %s: %d %s", path, header, w.Code, body)
			}
			if asks := strings.Contains(body, "<form"); asks != (len(header) > 2 || len(header) > 0 && header[0] == "Accept") {
				t.Errorf("%s with %s: %s", path, header, body)
			}
			if w.Header().Get("Cache-Control") != "private, no-cache" || !strings.Contains(w.Header().Get("Vary"), "Authorization") {
				t.Errorf("%s: %v", path, w.Header())
			}
		}
		for _, token := range []string{readToken, writeToken} {
			if w := request(p, http.MethodGet, path, "", bearer(token)...); w.Code == http.StatusUnauthorized {
				t.Errorf("%s with a token: %d", path, w.Code)
			}
		}
	}
	if w := request(p, http.MethodGet, "/status", "", bearer(readToken)...); !strings.Contains(w.Body.String(), "Desk") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for _, path := range []string{assetURL("login.js"), "/status" + assetURL("login.css"), "/status.css", "/status.js", "/favicon.svg"} {
		if w := request(p, http.MethodGet, "/"+strings.TrimPrefix(path, "/"), ""); w.Code != http.StatusOK {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if w := request(p, http.MethodPost, "/forget", "device=desk&sure=no", bearer(readToken)...); w.Code != http.StatusUnauthorized {
		t.Errorf("writing with the token of readers: %d", w.Code)
	}
}

func TestWithoutASecretEverybodyReads(t *testing.T) {
	_, p := guarded(t, "", "")
	for _, header := range [][]string{nil, bearer("x"), {"Accept", "text/html"}} {
		if w := request(p, http.MethodGet, "/status", "", header...); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Desk") {
			t.Errorf("%s: %d", header, w.Code)
		}
	}
}

// TestEveryRequestOfThePageMaySendTheToken: scripts send requests by call and post only.
func TestEveryRequestOfThePageMaySendTheToken(t *testing.T) {
	for name, f := range assets() {
		if text := strings.TrimPrefix(string(f.plain), string(base.Script)); strings.HasSuffix(name, ".js") && name != "login.js" && regexp.MustCompile(`\bfetch\(|XMLHttpRequest|EventSource|sendBeacon`).MatchString(text) {
			t.Errorf("%s sends a request without call", name)
		}
	}
}

func TestATokenThatCannotBeReadLetsNobodyIn(t *testing.T) {
	folder := t.TempDir()
	secrets := secret.NewFolder(folder)
	gates := Tokens{Read: secrets.Get("page-token"), Write: secrets.Get("page-write-token")}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if err := gates.MayRead(r); err != nil {
		t.Errorf("without the secret: %v", err)
	}
	if err := os.Mkdir(filepath.Join(folder, "page-token"), 0o700); err != nil { // reading it fails for root, too
		t.Fatal(err)
	}
	if err := gates.MayRead(r); err == nil || !strings.Contains(err.Error(), "page-token cannot be read") {
		t.Errorf("a secret that cannot be read: %v", err)
	}
}
