package local

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A key that is pasted on the page is as secret as one that was there at the start: while it
// is tried, and after it was saved.
func TestNoPastedSecretLeavesHearth(t *testing.T) {
	key := plant("tiny-key")
	var good atomic.Bool
	var calls atomic.Int64
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent := r.Header.Get("X-Key")
		switch n := calls.Add(1); {
		case good.Load():
			fmt.Fprintf(w, `{"dt":%d}`, time.Now().Add(-time.Hour).Unix()) // clock: a reading of now
		case n%3 == 0:
			http.Error(w, everyEncoding(sent), http.StatusUnauthorized)
		case n%3 == 1:
			http.Error(w, again(sent, 10), http.StatusForbidden)
		default:
			fmt.Fprintf(w, `{"error":%[1]q,"message":%[1]q}`, everyEncoding(sent))
		}
	}))
	defer upstream.Close()
	root := stepping(t)
	write(t, filepath.Join(root, "stack.yml"), strings.ReplaceAll(tinyStack, "https://api.tiny.example/v1", upstream.URL))
	r := launch(t, root)
	r.settled()
	var said strings.Builder
	tell := func(what string, code int, body string) { fmt.Fprintf(&said, "%s: %d %s\n", what, code, body) }
	for i := range 6 {
		code, body := r.post("try", form(key, "home"))
		tell(fmt.Sprintf("trial %d", i), code, body)
	}
	good.Store(true)
	for _, what := range []string{"try", "save"} {
		code, body := r.post(what, form(key, "home"))
		if tell(what, code, body); code != 200 {
			t.Fatalf("%s: %d %s", what, code, body)
		}
	}
	r.eventually("a live run", func() bool { return r.runs()[0] == "cron/ok" })
	good.Store(false)
	for range 6 {
		code, body := r.call("POST", "/function/weather?show=true")
		tell("a run", code, body)
	}
	for _, path := range []string{"/", "/tiles.json", "/status", "/status.json", "/outbox", "/steps/form?name=weather", "/system/function/weather"} {
		code, body := r.call("GET", path)
		tell(path, code, body)
	}
	if got := r.redact("the key is " + key); got != "the key is [secret]" {
		t.Errorf("the platform says %q", got)
	}
	r.stop()
	texts := map[string]string{"an answer": said.String(), "its log": r.logs.String()}
	for _, name := range []string{"hearth.db", "hearth.db-wal"} {
		b, _ := os.ReadFile(filepath.Join(r.dir, name)) // the second is gone after a clean stop
		texts[name] = string(b)
	}
	for where, text := range texts {
		if found := leaked(text, key); found != "" {
			t.Errorf("%s has the key: …%q…", where, found)
		}
	}
	if !strings.Contains(said.String(), "[secret]") || calls.Load() < 8 {
		t.Errorf("no key was repeated, so none could leak: %d calls, %.2000s", calls.Load(), said.String())
	}
}
