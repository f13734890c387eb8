package function

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/source"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
)

// start is twenty minutes after the newest entry of testdata/rpilocator.xml.
var start = time.Date(2026, 11, 23, 9, 41, 7, 0, time.UTC)

// house is the function's surroundings: a site with one body for each path, a
// Slack that listens, a real store, a clock.
type house struct {
	t    *testing.T
	env  config.Env
	site *httptest.Server

	mu    sync.Mutex
	now   time.Time
	paths map[string]string // a body, or the number of a status
	asked []string          // conditional requests
	told  []string
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, now: start, paths: map[string]string{}}
	h.site = httptest.NewServer(http.HandlerFunc(h.serve))
	t.Cleanup(h.site.Close)
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hearth.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	secrets := t.TempDir()
	if err := os.WriteFile(filepath.Join(secrets, "slack-webhook"), []byte(h.site.URL+"/slack"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.env = config.Env{
		Vars: map[string]string{}, Secrets: secret.NewFolder(secrets), Log: slog.New(slog.DiscardHandler),
		Now:  func() time.Time { h.mu.Lock(); defer h.mu.Unlock(); return h.now },
		Open: func(context.Context) (*store.Store, error) { return st, nil },
	}
	return h
}

func (h *house) serve(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.URL.Path == "/slack" {
		var m struct{ Text string }
		json.NewDecoder(r.Body).Decode(&m)
		h.told = append(h.told, strings.ReplaceAll(m.Text, h.site.URL, "site"))
		return
	}
	body := h.paths[r.URL.Path]
	var code int
	if n, _ := fmt.Sscanf(body, "%d", &code); n == 1 {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(code)
		return
	}
	tag := fmt.Sprintf(`"%d"`, len(body))
	if r.Header.Get("If-None-Match") == tag {
		h.asked = append(h.asked, r.URL.Path)
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Etag", tag)
	io.WriteString(w, body)
}

func (h *house) set(path, body string) { h.mu.Lock(); defer h.mu.Unlock(); h.paths[path] = body }

func (h *house) later(d time.Duration) { h.mu.Lock(); defer h.mu.Unlock(); h.now = h.now.Add(d) }

// heard returns what Slack was told since the last time.
func (h *house) heard() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	told := h.told
	h.told = nil
	return strings.Join(told, "|")
}

func (h *house) function(feeds, pages string) http.Handler {
	h.t.Helper()
	h.env.Vars["FEEDS"], h.env.Vars["PAGES"] = strings.ReplaceAll(feeds, "site", h.site.URL), strings.ReplaceAll(pages, "site", h.site.URL)
	f, err := New(h.env)
	if err != nil {
		h.t.Fatal(err)
	}
	return f
}

func (h *house) call(f http.Handler, want int) source.Answer {
	h.t.Helper()
	w := httptest.NewRecorder()
	f.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil))
	var a source.Answer
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || w.Code != want {
		h.t.Fatalf("answer %d %s, %v; want %d", w.Code, w.Body, err, want)
	}
	return a
}

func read(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAFreshEntryIsToldOnceWhateverIsRerun(t *testing.T) {
	h := newHouse(t)
	h.set("/feed", read(t, "rpilocator.xml"))
	f := h.function("rpi=site/feed preset=raspberry-pi", "")
	if a := h.call(f, 200); a.Stored != 3 {
		t.Errorf("first run stored %d, want 3", a.Stored)
	}
	want := "rpi: Stock Alert (US): RPi 5 - 8GB RAM is In Stock at Adafruit 100 units in stock.\nhttps://www.adafruit.com/product/5813?src=raspberrypi"
	if got := h.heard(); got != want {
		t.Errorf("told %q, want %q", got, want)
	}
	if a := h.call(f, 200); a.Stored != 0 || a.Unchanged != 3 {
		t.Errorf("second run stored %d, left %d", a.Stored, a.Unchanged)
	}
	// The entry leaves the feed and comes back.
	for _, body := range []string{read(t, "news.atom"), read(t, "rpilocator.xml")} {
		h.set("/feed", body)
		h.later(time.Minute)
		h.call(f, 200)
	}
	f = h.function("rpi=site/feed preset=raspberry-pi", "") // as after a new start
	h.call(f, 200)
	if got := h.heard(); got != "" {
		t.Errorf("told again: %q", got)
	}
}

func TestAnEntryOlderThanMaxAgeIsListedButNotTold(t *testing.T) {
	for setting, want := range map[string]bool{"max_age=12h": false, "max_age=13h": true} {
		h := newHouse(t)
		h.set("/feed", read(t, "rpilocator.xml"))
		a := h.call(h.function("rpi=site/feed match=CM4 "+setting, ""), 200)
		if got := h.heard() != ""; got != want || a.Stored != 1 {
			t.Errorf("%s: told %v, stored %d; want %v, 1", setting, got, a.Stored, want)
		}
	}
}

func TestAPageIsToldEachTimeItStartsOrStopsMatching(t *testing.T) {
	h := newHouse(t)
	sold := strings.ReplaceAll(strings.ReplaceAll(read(t, "shop.html"), "In stock", "Out of stock"), "12 available", "Sold out")
	f := h.function("", "shop=site/pi5 selector=.variant pattern=8GB preset=raspberry-pi")
	for i, step := range []struct{ body, want string }{
		{sold, ""},
		{read(t, "shop.html"), "shop matches now: 8GB (Raspberry Pi 5 – Example Shop)\nsite/pi5"},
		{read(t, "shop.html"), ""},
		{"500", ":red_circle: feeds is failing\nshop: "},
		{sold[:len(sold)/2], ""},
		{sold, "shop no longer matches; it was: 8GB (Raspberry Pi 5 – Example Shop)\nsite/pi5|:large_green_circle: feeds works again\nshop: "},
		{read(t, "shop.html"), "shop matches now: 8GB (Raspberry Pi 5 – Example Shop)\nsite/pi5"},
	} {
		h.set("/pi5", step.body)
		h.later(time.Hour)
		want := 200
		if step.body == "500" || !strings.HasSuffix(step.body, "</html>\n") {
			want = 502
		}
		h.call(f, want)
		if got := h.heard(); !strings.HasPrefix(got, step.want) || (got == "") != (step.want == "") {
			t.Errorf("step %d: told %q, want %q", i, got, step.want)
		}
	}
}

func TestAnUnchangedPageIsAskedForConditionally(t *testing.T) {
	h := newHouse(t)
	h.set("/pi5", read(t, "shop.html"))
	f := h.function("", "shop=site/pi5 pattern='12 available'")
	h.call(f, 200)
	if a := h.call(f, 200); a.Unchanged != 1 || fmt.Sprint(h.asked) != "[/pi5]" {
		t.Errorf("unchanged %d, conditional requests %v", a.Unchanged, h.asked)
	}
}

func TestAFeedThatIsGoneForAWeekIsToldOnce(t *testing.T) {
	for _, code := range []string{"404", "410"} {
		h := newHouse(t)
		h.set("/feed", code)
		f := h.function("rpi=site/feed", "")
		var told []string
		for day := range 12 {
			h.call(f, 502)
			if s := h.heard(); s != "" {
				told = append(told, fmt.Sprintf("day %d: %.29s", day, s))
			}
			h.later(24 * time.Hour)
		}
		if fmt.Sprint(told) != "[day 7: :red_circle: feeds is failing]" {
			t.Errorf("%s: told %q, want it on day 7", code, told)
		}
	}
}

func TestEachTargetFailsAlone(t *testing.T) {
	h := newHouse(t)
	h.set("/good", read(t, "news.atom"))
	h.set("/empty", " \n")
	h.set("/busy", "429")
	down := httptest.NewServer(nil)
	down.Close()
	f := h.function("good=site/good; empty=site/empty; busy=site/busy; bad=site/good match='('; nowhere=good; down="+down.URL+"/?token=s3cr3t",
		"page=site/good pattern=release; aimless=site/good")
	a := h.call(f, 200)
	want := map[string]string{
		"empty": "an empty answer instead of a feed", "busy": "answered 429", "bad": "its setting match", "nowhere": "must begin with name=",
		"down": "connection refused", "aimless": "needs a selector",
	}
	for _, o := range a.Targets {
		if !strings.Contains(o.Error, want[o.Target]) || (o.Error == "") != (want[o.Target] == "") || strings.Contains(o.Error, "s3cr3t") {
			t.Errorf("%s: %q, want %q", o.Target, o.Error, want[o.Target])
		}
	}
	if a.Status != "partial" || a.Stored != 3 || len(a.Targets) != 8 {
		t.Errorf("%+v", a)
	}
}

func TestStatusOfAFailedRun(t *testing.T) {
	for body, want := range map[string]int{"500": 502, "429": 429, "404": 502, "": 502} {
		h := newHouse(t)
		h.set("/feed", body)
		h.call(h.function("rpi=site/feed", ""), want)
	}
}

func TestWithoutATargetItIsNotConfigured(t *testing.T) {
	h := newHouse(t)
	if a := h.call(h.function("", ""), 200); a.Status != "not_configured" || fmt.Sprint(a.Missing) != "[FEEDS or PAGES]" {
		t.Errorf("%+v", a)
	}
}
