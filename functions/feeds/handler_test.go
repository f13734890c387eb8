package function

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/source"
	"github.com/hearth-home/hearth/shared/sourcetest"
)

// morning is 20 minutes after the newest entry of testdata/rpilocator.xml.
var morning = time.Date(2026, 11, 23, 9, 41, 7, 0, time.UTC)

// site has the upstream's answer for each path: a body, or a status code.
type site map[string]string

func (s site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := s[r.URL.Path]
	tag := fmt.Sprintf(`"%d"`, len(body))
	var code int
	if n, _ := fmt.Sscanf(body, "%d", &code); n == 1 {
		sourcetest.Respond(code, "", "Retry-After", "3600")(w, r)
	} else if r.Header.Get("If-None-Match") == tag {
		sourcetest.Respond(304, "")(w, r)
	} else {
		sourcetest.Respond(200, body, "Etag", tag)(w, r)
	}
}

func start(t *testing.T, s site, feeds, pages string) *sourcetest.Fixture {
	t.Helper()
	return sourcetest.Start(t, morning, New, sourcetest.Vars{"FEEDS": feeds, "PAGES": pages},
		sourcetest.Secrets{"slack-webhooks": "http://slack/services/T000/B000/s3cr3thook"}, s.ServeHTTP)
}

// post calls the source and fails the test unless it answers the status want.
func post(t *testing.T, h *sourcetest.Fixture, want int) source.Answer {
	t.Helper()
	a, w := h.Post("")
	if w.Code != want {
		t.Fatalf("answer %d %s; want %d", w.Code, w.Body, want)
	}
	return a
}

// newMessages returns the messages to Slack since its last call, joined by |.
func newMessages(h *sourcetest.Fixture) string {
	messages := strings.ReplaceAll(strings.Join(h.Messages, "|"), h.Upstream.URL, "http://upstream")
	h.Messages = nil
	return messages
}

func read(t testing.TB, name string) string { return string(sourcetest.File(t, name)) }

func TestANewEntrySendsOneMessage(t *testing.T) {
	s := site{"/feed": read(t, "rpilocator.xml")}
	h := start(t, s, "rpi=http://upstream/feed preset=raspberry-pi", "")
	if a := post(t, h, 200); a.Stored != 3 {
		t.Errorf("first run stored %d, want 3", a.Stored)
	}
	want := "rpi: Stock Alert (US): RPi 5 - 8GB RAM is In Stock at Adafruit 100 units in stock.\nhttps://www.adafruit.com/product/5813?src=raspberrypi"
	if got := newMessages(h); got != want {
		t.Errorf("messages %q, want %q", got, want)
	}
	if a := post(t, h, 200); a.Stored != 0 || a.Unchanged != 3 {
		t.Errorf("second run stored %d, unchanged %d", a.Stored, a.Unchanged)
	}
	// The entry disappears from the feed and appears again.
	for _, name := range []string{"news.atom", "rpilocator.xml"} {
		s["/feed"] = read(t, name)
		h.Later(time.Minute)
		post(t, h, 200)
	}
	h.Build(New) // as after a restart
	post(t, h, 200)
	if got := newMessages(h); got != "" {
		t.Errorf("a second message: %q", got)
	}
}

func TestAnEntryOlderThanMaxAgeIsListedWithoutAMessage(t *testing.T) {
	for setting, want := range map[string]bool{"max_age=12h": false, "max_age=13h": true} {
		h := start(t, site{"/feed": read(t, "rpilocator.xml")}, "rpi=http://upstream/feed match=CM4 "+setting, "")
		a := post(t, h, 200)
		if got := newMessages(h) != ""; got != want || a.Stored != 1 {
			t.Errorf("%s: message %v, stored %d; want %v, 1", setting, got, a.Stored, want)
		}
	}
}

func TestAPageSendsAMessageWhenItStartsOrStopsMatching(t *testing.T) {
	shop := read(t, "shop.html")
	sold := strings.ReplaceAll(strings.ReplaceAll(shop, "In stock", "Out of stock"), "12 available", "Sold out")
	s := site{}
	h := start(t, s, "", "shop=http://upstream/pi5 selector=.variant pattern=8GB preset=raspberry-pi")
	for i, step := range []struct {
		body string
		code int
		want string
	}{
		{sold, 200, ""},
		{shop, 200, "shop matches now: 8GB (Raspberry Pi 5 – Example Shop)\nhttp://upstream/pi5"},
		{shop, 200, ""},
		{"500", 502, "Fetching fails: feeds shop\n"},
		{sold[:len(sold)/2], 502, ""},
		{sold, 200, "shop no longer matches; it matched: 8GB (Raspberry Pi 5 – Example Shop)\nhttp://upstream/pi5|Resolved: Fetching fails: feeds shop\n"},
		{shop, 200, "shop matches now: 8GB (Raspberry Pi 5 – Example Shop)\nhttp://upstream/pi5"},
	} {
		s["/pi5"] = step.body
		h.Later(time.Hour)
		post(t, h, step.code)
		if got := newMessages(h); !strings.HasPrefix(got, step.want) || (got == "") != (step.want == "") {
			t.Errorf("step %d: messages %q, want %q", i, got, step.want)
		}
	}
}

func TestAPageIsRequestedConditionally(t *testing.T) {
	s := site{"/pi5": read(t, "shop.html")}
	h := start(t, s, "", "shop=http://upstream/pi5 pattern='12 available'")
	post(t, h, 200)
	conditional := false
	h.Answer = func(w http.ResponseWriter, r *http.Request) {
		conditional = r.Header.Get("If-None-Match") != ""
		s.ServeHTTP(w, r)
	}
	if a := post(t, h, 200); a.Unchanged != 1 || !conditional {
		t.Errorf("unchanged %d, conditional request: %v", a.Unchanged, conditional)
	}
}

func TestAFeedThatIsMissingForAWeekAlertsOnce(t *testing.T) {
	for _, code := range []string{"404", "410"} {
		h := start(t, site{"/feed": code}, "rpi=http://upstream/feed", "")
		var messages []string
		for day := range 12 {
			post(t, h, 502)
			if s := newMessages(h); s != "" {
				title, _, _ := strings.Cut(s, "\n")
				messages = append(messages, fmt.Sprintf("day %d: %s", day, title))
			}
			h.Later(24 * time.Hour)
		}
		if len(messages) == 0 || messages[0] != "day 7: Fetching fails: feeds rpi" {
			t.Errorf("%s: messages %q, want the first on day 7", code, messages)
		}
		for _, reminder := range messages[min(1, len(messages)):] {
			if !strings.Contains(reminder, "Still firing: ") {
				t.Errorf("%s: message %q, want only reminders after the first", code, reminder)
			}
		}
	}
}

func TestEachTargetFailsAlone(t *testing.T) {
	s := site{"/good": read(t, "news.atom"), "/empty": " \n", "/busy": "429"}
	h := start(t, s, "good=http://upstream/good; empty=http://upstream/empty; bad=http://upstream/good match='('; nowhere=good; "+
		"down=http://127.0.0.1:1/?token=s3cr3t", "page=http://upstream/good pattern=release; aimless=http://upstream/good; busy=http://upstream/busy pattern=x")
	a := post(t, h, 200)
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

// Reddit and others allow a feed a minute. The feeds take turns, without a failure.
func TestFeedsOfAHostThatAllowsOneRequestAMinuteTakeTurns(t *testing.T) {
	news := read(t, "news.atom")
	h := start(t, nil, "a=http://upstream/a; b=http://upstream/b; c=http://upstream/c; d=http://upstream/d", "")
	var next time.Time
	var fetched []string
	h.Answer = func(w http.ResponseWriter, r *http.Request) {
		now := h.Now()
		if now.Before(next) {
			w.Header().Set("Retry-After", "60")
			http.Error(w, "Too Many Requests", http.StatusTooManyRequests)
			return
		}
		next = now.Add(time.Minute)
		fetched = append(fetched, r.URL.Path)
		fmt.Fprint(w, news)
	}
	for range 5 {
		h.Build(New)
		a, w := h.Post("", "X-Connector", "cron-connector")
		if w.Code != 200 || a.Status != "ok" {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		h.Later(time.Hour)
	}
	if got := fmt.Sprint(fetched); got != "[/a /b /c /d /a]" || strings.Contains(newMessages(h), "failing") {
		t.Errorf("fetched %s", got)
	}
}

// Pages are not tested here: any HTML is a good answer for a page.
func TestFailures(t *testing.T) {
	const feed = `{"version":"https://jsonfeed.org/version/1.1","title":"News","items":[{"id":"1","url":"https://www.example.org/1","title":"Pi 6"}]}`
	sourcetest.Failures(t, morning, New, sourcetest.Vars{"FEEDS": "news=http://upstream/feed"}, nil, site{"/feed": feed}.ServeHTTP)
}

func TestWithoutATargetItIsNotConfigured(t *testing.T) {
	if a := post(t, start(t, nil, "", ""), 200); a.Status != "not_configured" || fmt.Sprint(a.Missing) != "[FEEDS or PAGES]" {
		t.Errorf("%+v", a)
	}
}
