package sample

import (
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

var monday = time.Date(2026, 11, 23, 14, 7, 9, 0, time.UTC)

func serve(t *testing.T, files map[string]string) *httptest.Server {
	t.Helper()
	folder := fstest.MapFS{}
	for name, text := range files {
		folder[name] = &fstest.MapFile{Data: []byte(text)}
	}
	srv := httptest.NewServer(New(map[string]fs.FS{"weather": folder}, func() time.Time { return monday }))
	t.Cleanup(srv.Close)
	return srv
}

func get(t *testing.T, address string) (int, string, string) {
	t.Helper()
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header.Get("Content-Type"), string(b)
}

func TestPathsMirrorTheUpstream(t *testing.T) {
	srv := serve(t, map[string]string{
		"api.x.org/data/2.5/weather.json.tmpl": `{"dt":{{unix now}}}`,
		"api.x.org/feed.xml.tmpl":              `<rss/>`,
		"api.x.org/index.html.tmpl":            `<p>home</p>`,
		"api.x.org/rates/_/all.csv.tmpl":       `{{index path 1}},{{query "type"}}`,
		"api.x.org/rates/2020/all.csv.tmpl":    `old`,
		"127.0.0.1:9/a.txt.tmpl":               `port`,
	})
	for path, want := range map[string][2]string{
		"/weather/api.x.org/data/2.5/weather?q=1":      {"application/json", `{"dt":1795442700}`},
		"/weather/api.x.org/data/2.5/weather/":         {"application/json", `{"dt":1795442700}`},
		"/weather/api.x.org/feed.xml":                  {"application/xml", `<rss/>`},
		"/weather/api.x.org/feed":                      {"application/xml", `<rss/>`},
		"/weather/api.x.org":                           {"text/html; charset=utf-8", `<p>home</p>`},
		"/weather/api.x.org/rates/2026/all?type=yield": {"text/csv", `2026,yield`},
		"/weather/api.x.org/rates/2020/all":            {"text/csv", `old`},
		"/weather/127.0.0.1:9/a":                       {"text/plain; charset=utf-8", `port`},
	} {
		code, contentType, body := get(t, srv.URL+path)
		if code != 200 || contentType != want[0] || body != want[1] {
			t.Errorf("%s: %d %s %q, want %v", path, code, contentType, body, want)
		}
	}
}

func TestAMissingSampleIsExplained(t *testing.T) {
	srv := serve(t, map[string]string{
		"api.x.org/broken.json.tmpl": `{{nothing}}`,
		"env":                        "SECRET=1",
	})
	for path, want := range map[string]int{
		"/weather/api.x.org/none":              404,
		"/weather/other.org/data":              404,
		"/stocks/api.x.org/broken":             404,
		"/weather":                             404,
		"/":                                    404,
		"/weather/api.x.org/broken":            500,
		"/weather/api.x.org/%2e%2e/%2e%2e/env": 404,
		"/weather/%2e%2e/sample.go":            404,
		"/weather/api.x.org/" + strings.Repeat("a/", 50): 404,
	} {
		if code, _, body := get(t, srv.URL+path); code != want || body == "" {
			t.Errorf("%s: %d %q, want %d and a sentence", path, code, body, want)
		}
	}
}

func TestTemplatesKnowTheTime(t *testing.T) {
	for text, want := range map[string]string{
		`{{rfc3339 now}}`:                            "2026-11-23T14:05:00Z",
		`{{rfc3339 (ago "15m")}}`:                    "2026-11-23T13:50:00Z",
		`{{rfc1123 now}}`:                            "Mon, 23 Nov 2026 14:05:00 +0000",
		`{{date "02.01.2006" now}}`:                  "23.11.2026",
		`{{wave 12 0 "6h"}}`:                         "12",
		`{{range days 3}}{{date "Mon02 " .}}{{end}}`: "Fri20 Thu19 Wed18 ",
	} {
		srv := serve(t, map[string]string{"h/x.txt.tmpl": text})
		if _, _, body := get(t, srv.URL+"/weather/h/x"); body != want {
			t.Errorf("%s = %q, want %q", text, body, want)
		}
	}
}

func TestWaveStaysWithinItsAmplitudeAndMoves(t *testing.T) {
	seen := map[float64]bool{}
	for i := range 500 {
		v, err := wave(monday.Add(time.Duration(i)*step), 12, 4, "6h")
		if err != nil || v < 8 || v > 16 {
			t.Fatalf("wave = %v, %v; want 8 to 16", v, err)
		}
		seen[v] = true
	}
	if len(seen) < 100 {
		t.Errorf("wave took only %d values in 500 steps", len(seen))
	}
}

func TestRedirectReachesEveryAddressOfASetting(t *testing.T) {
	got := Redirect("rpi=https://rpilocator.com/feed?a=1;shop=http://shop.example:81/|p, 12.5", "http://127.0.0.1:9", "feeds")
	want := "rpi=http://127.0.0.1:9/feeds/rpilocator.com/feed?a=1;shop=http://127.0.0.1:9/feeds/shop.example:81/|p, 12.5"
	if got != want {
		t.Errorf("Redirect = %s\nwant       %s", got, want)
	}
}
