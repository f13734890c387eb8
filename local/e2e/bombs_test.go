package e2e

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/openfaas/go-sdk/stack"
)

const containerLimit = 128 << 20 // bytes of memory, of a function's container in stack.yml

// bomb is an answer of a feed's or page's host.
type bomb struct {
	body  string
	gzip  bool
	page  bool
	fails string // what the warning says; "": it must work
}

const rss = `<?xml version="1.0"?><rss version="2.0" xmlns:x="urn:x"><channel><title>t</title><item><guid>1</guid><title>one</title></item>`

// bombs are answers that are large, or small and costly to decode.
func bombs() map[string]bomb {
	fill := func(s string) string { return strings.Repeat(s, (2<<20-1000)/len(s)) }
	words := strings.Repeat("word and word ", 50)
	html := "<!DOCTYPE html><html><head><title>t</title></head><body>one "
	return map[string]bomb{
		"good":            {body: rss + "</channel></rss>"},
		"six-mb":          {body: rss + strings.Repeat("<item><title>"+words+"</title></item>", 8000) + "</channel></rss>", fails: "more than 2 MiB"},
		"just-two-mb":     {body: rss + fill("<item><title>"+words+"</title><description>"+words+"</description></item>") + "</channel></rss>"},
		"one-entry":       {body: rss + "<item><title>two</title><description><![CDATA[" + fill("<b>x</b>") + "]]></description></item></channel></rss>"},
		"gzip":            {body: rss + strings.Repeat(" ", 300<<20) + "</channel></rss>", gzip: true, fails: "more than 2 MiB"},
		"deep":            {body: rss + fill("<x:a>") + "</channel></rss>", fails: "more than 500 levels deep"},
		"deep-json":       {body: `{"version":"https://jsonfeed.org/version/1","x":` + fill("["), fails: "more than 500 levels deep"},
		"tiny-entries":    {body: rss + strings.Repeat("<item/>", 200_000) + "</channel></rss>", fails: "more than 200000 elements"},
		"many-entries":    {body: rss + strings.Repeat("<item/>", 190_000) + "</channel></rss>"},
		"extensions":      {body: rss + "<item><title>two</title>" + strings.Repeat(`<x:y z="1"/>`, 90_000) + "</item></channel></rss>"},
		"attributes":      {body: rss + "<item " + fill(`a="" `) + "/></channel></rss>", fails: "more than 200000 elements"},
		"json-entries":    {body: `{"version":"https://jsonfeed.org/version/1","title":"t","items":[{"id":"1"}` + strings.Repeat(",{}", 200_000) + "]}", fails: "more than 200000 elements"},
		"many-json":       {body: `{"version":"https://jsonfeed.org/version/1","title":"t","items":[{"id":"1","title":"one"}` + strings.Repeat(",{}", 95_000) + "]}"},
		"page-tags":       {body: html + fill("<b>") + "</body></html>", page: true, fails: "more than 100000 tags"},
		"page-deep":       {body: html + strings.Repeat("<div>", 5000) + "</body></html>", page: true, fails: "decode page"},
		"page-attributes": {body: html + "<p " + numbered(200_000) + "></p></body></html>", page: true, fails: "or 100000 attributes"},
		"page-words":      {body: html + fill("a ") + "</body></html>", page: true},
		"page-many-tags":  {body: html + strings.Repeat("<br>x", 49_000) + "</body></html>", page: true},
		"page-six-mb":     {body: html + strings.Repeat(words, 10_000) + "</body></html>", page: true, fails: "more than 2 MiB"},
		"page-latin1":     {body: `<html><head><meta charset="iso-8859-1"></head><body>one ` + fill("\xe4 ") + "</body></html>", page: true},
	}
}

// numbered returns n attributes with different names.
func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a%d ", i)
	}
	return b.String()
}

// TestNoFeedOrPageFillsTheContainersMemory: the function refuses answers that are too large
// or too costly, and says why; the other feeds and pages work.
func TestNoFeedOrPageFillsTheContainersMemory(t *testing.T) {
	list, copied := functions(t)
	f := list[slices.IndexFunc(list, func(f stack.Function) bool { return f.Name == "feeds" })]
	context := shrinkwrap(t, f, copied)
	dockerignore(t, context)
	bin := compile(t, context, native(t))
	all := bombs()
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := all[strings.TrimPrefix(r.URL.Path, "/")]
		if b.page {
			w.Header().Set("Content-Type", "text/html")
		}
		if !b.gzip {
			w.Write([]byte(b.body))
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		z.Write([]byte(b.body))
		z.Close()
	}))
	defer up.Close()
	runBombs(t, f, bin, up.URL, all)
}

// runBombs runs the function once for these feeds and pages.
func runBombs(t *testing.T, f stack.Function, bin, up string, all map[string]bomb) {
	t.Helper()
	s := newFixture(t, f)
	s.vars["FEEDS"], s.vars["PAGES"] = "", ""
	for name, b := range all {
		if b.page {
			s.vars["PAGES"] += fmt.Sprintf("%s=%s/%s pattern=one;", name, up, name)
		} else {
			s.vars["FEEDS"] += fmt.Sprintf("%s=%s/%s;", name, up, name)
		}
	}
	p := start(t, bin, "", s.vars)
	code, body := call(request(t, f, p.url, false))
	var answer struct {
		Targets []struct{ Target, Status, Error string }
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || code != 200 || len(answer.Targets) != len(all) {
		t.Fatalf("%d %s\n%s", code, body, p.log.Tail())
	}
	for _, x := range answer.Targets {
		if want := all[x.Target].fails; (want == "") != (x.Status == "ok") || !strings.Contains(x.Error, want) {
			t.Errorf("%s: %s %s, want the error %q", x.Target, x.Status, x.Error, want)
		}
	}
	_, peak := p.memory(t)
	t.Logf("%d feeds and pages: at most %d MiB", len(all), peak>>20)
	if peak >= containerLimit {
		t.Errorf("%d MiB of memory, the container has %d", peak>>20, containerLimit>>20)
	}
	p.terminate(t)
	p.awaitExit(t)
}

// TestNoUpstreamFillsTheContainersMemory: a source refuses an answer that is too costly to
// decode.
func TestNoUpstreamFillsTheContainersMemory(t *testing.T) {
	fill := func(begin, s, end string) string {
		return begin + strings.Repeat(s, (10<<20-len(begin)-len(end))/len(s)) + end
	}
	bodies := map[string][]string{
		"asana":  {fill(`{"data":[{}`, ",{}", "]}"), `{"data":[{}` + strings.Repeat(",{}", 99_000) + "]}"},
		"github": {fill("[0", ",0", "]"), `{"workflow_runs":[{}` + strings.Repeat(",{}", 99_000) + "]}"},
	}
	list, copied := functions(t)
	for _, f := range list {
		if bodies[f.Name] == nil {
			continue
		}
		context := shrinkwrap(t, f, copied)
		dockerignore(t, context)
		bin := compile(t, context, native(t))
		for _, body := range bodies[f.Name] {
			up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(body)) }))
			s := newFixture(t, f)
			for k, v := range s.vars {
				if strings.Contains(v, "http://127.0.0.1") && k != "INFLUX_URL" {
					s.vars[k] = up.URL
				}
			}
			p := start(t, bin, "", s.vars)
			if code, answer := call(request(t, f, p.url, false)); code != http.StatusBadGateway {
				t.Errorf("%s: %.40s: %d %.300s", f.Name, body, code, answer)
			}
			if _, peak := p.memory(t); peak >= containerLimit {
				t.Errorf("%s: %.40s: %d MiB of memory, the container has %d", f.Name, body, peak>>20, containerLimit>>20)
			} else {
				t.Logf("%s: at most %d MiB", f.Name, peak>>20)
			}
			p.terminate(t)
			p.awaitExit(t)
			up.Close()
		}
	}
}
