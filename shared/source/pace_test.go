package source_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/source"
	"github.com/hearth-home/hearth/shared/sourcetest"
)

// slowHost answers one request in each span, and others with 429 and Retry-After.
type slowHost struct {
	mu      sync.Mutex
	h       *sourcetest.Fixture
	span    time.Duration
	next    time.Time
	paths   []string // that were answered
	refused int
	broken  string // a path that is answered with code, with 429 each time
	code    int
}

func (s *slowHost) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.h.Now()
	if always := r.URL.Path == s.broken && s.code == http.StatusTooManyRequests; always {
		s.next = now.Add(s.span)
	}
	if left := s.next.Sub(now); left > 0 {
		s.refused++
		w.Header().Set("Retry-After", fmt.Sprint(int(left.Seconds())+1))
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	s.next = now.Add(s.span)
	s.paths = append(s.paths, r.URL.Path)
	if r.URL.Path == s.broken {
		w.WriteHeader(s.code)
	}
}

// pathSource fetches a path of the upstream for each target. All targets share its host.
func pathSource(h *sourcetest.Fixture, targets ...string) source.Source {
	return source.Source{
		Name: "feeds", Setting: "FEEDS", Targets: targets, Host: func(string) string { return "news.example" },
		Fetch: func(ctx context.Context, client *fetch.Client, target string, _ source.Window) (source.Batch, error) {
			_, err := client.Get(ctx, &url.URL{Scheme: "http", Host: h.Upstream.Listener.Addr().String(), Path: "/" + target}, nil)
			return source.Batch{Complete: err == nil, Items: []item.Item{{ID: target, Title: target}}}, err
		},
	}
}

// Four feeds of a host that answers one request a minute: each hour another one is
// fetched, no run fails, and Slack gets nothing.
func TestTargetsOfAHostThatAllowsOneRequestTakeTurns(t *testing.T) {
	for _, span := range []time.Duration{time.Minute, time.Hour + 3*time.Minute} {
		h := start(t, source.Source{Name: "feeds", Setting: "FEEDS"})
		host := &slowHost{h: h, span: span}
		h.Answer = host.ServeHTTP
		s := pathSource(h, "a", "b", "c", "d")
		for i := range 8 {
			h.Build(of(s)) // what is remembered is in the store
			a, w := h.Post("", "X-Connector", "cron-connector")
			if w.Code != 200 || a.Status != "ok" || len(a.Targets) != 4 {
				t.Fatalf("%s, run %d: %d %s", span, i, w.Code, w.Body)
			}
			h.Later(time.Hour)
		}
		want := "/a /b /c /d /a /b /c /d"
		if span > time.Hour {
			want = "/a /b /c /d"
		}
		if got := strings.Join(host.paths, " "); got != want || len(h.Messages) > 0 {
			t.Errorf("%s: fetched %s, want %s; Slack got %q", span, got, want, h.Messages)
		}
		if host.refused > 8 {
			t.Errorf("%s: %d requests were refused; one a run tells the pause for all targets", span, host.refused)
		}
	}
}

// A target that always fails has its turn as the others have: it fails, and they wait for
// theirs, which comes.
func TestATargetThatFailsTakesNoTurnsOfOthers(t *testing.T) {
	for code, want := range map[int]string{
		404: "/a /b /c /d /a /b /c /d",
		403: "/a /b /c /d /a /b /c /d",
		501: "/a /b /c /d /a /b /c /d",
		429: "/a /c /d /a /c /d", // one of four runs begins with what is always refused
	} {
		h := start(t, source.Source{Name: "feeds", Setting: "FEEDS"})
		host := &slowHost{h: h, span: time.Minute, broken: "/b", code: code}
		h.Answer = host.ServeHTTP
		s := pathSource(h, "a", "b", "c", "d")
		for i := range 8 {
			h.Build(of(s))
			a, w := h.Post("", "X-Connector", "cron-connector")
			for _, o := range a.Targets {
				if o.Target != "b" && o.Status != "ok" && o.Status != "waiting" {
					t.Errorf("%d, run %d: %s is %s: %s", code, i, o.Target, o.Status, w.Body)
				}
			}
			h.Later(time.Hour)
		}
		if got := strings.Join(host.paths, " "); got != want {
			t.Errorf("%d: fetched %s, want %s", code, got, want)
		}
		if n := len(h.Messages); code != 429 && n != 1 || n > 0 && !strings.Contains(h.Messages[0], "feeds b\n") {
			t.Errorf("%d: Slack got %q, want that b fails", code, h.Messages)
		}
	}
}

// Hosts that hang use up a run's time, but not that of the next: it begins with the others.
func TestHostsThatHangComeLastInTheNextRun(t *testing.T) {
	h := start(t, source.Source{Name: "feeds", Setting: "FEEDS"})
	h.Vars["exec_timeout"] = "3s" // of which 1.5 s are for requests
	h.Answer = func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/dead") {
			<-r.Context().Done()
		}
	}
	s := pathSource(h, "dead1", "dead2", "dead3", "dead4", "a", "b")
	s.Host = func(target string) string { return target + ".example" }
	for i, want := range []string{"skipped", "ok"} {
		h.Build(of(s))
		a, w := h.Post("", "X-Connector", "cron-connector")
		for _, o := range a.Targets {
			if dead := strings.HasPrefix(o.Target, "dead"); dead && o.Status == "ok" || !dead && o.Status != want {
				t.Errorf("run %d: %s is %s, want %s: %s", i, o.Target, o.Status, want, w.Body)
			}
		}
	}
}

func TestAPauseIsRememberedAndAPersonIsToldWhenItEnds(t *testing.T) {
	h := start(t, source.Source{Name: "feeds", Setting: "FEEDS"})
	s := pathSource(h, "a", "b")
	if a, w := run(h, s, ""); a.Status != "ok" {
		t.Fatal(w.Body)
	}
	h.Answer = sourcetest.Respond(429, "slow down", "Retry-After", "600")
	if a, w := run(h, s, ""); w.Code != 429 || w.Header().Get("Retry-After") != "600" || len(a.Targets) != 2 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	asked := len(h.Requests)
	h.Later(time.Minute)
	_, w := run(h, s, "")
	if w.Code != 429 || w.Header().Get("Retry-After") != "540" || !strings.Contains(w.Body.String(), "news.example asked for no request before 12:10:00 UTC") {
		t.Errorf("%d, Retry-After %s: %s", w.Code, w.Header().Get("Retry-After"), w.Body)
	}
	if len(h.Requests) != asked {
		t.Error("a request was sent during the pause")
	}
	h.Answer = sourcetest.Respond(200, "{}")
	h.Later(10 * time.Minute)
	if a, w := run(h, s, ""); w.Code != 200 || a.Status != "ok" {
		t.Errorf("after the pause: %d %s", w.Code, w.Body)
	}
}

// A host that refuses everything fails; so does a target that had no turn for a day.
func TestATargetThatWaitsForADayFails(t *testing.T) {
	h := start(t, source.Source{Name: "feeds", Setting: "FEEDS"})
	if a, w := run(h, pathSource(h, "a", "b"), ""); a.Status != "ok" {
		t.Fatal(w.Body)
	}
	h.Answer = sourcetest.Respond(429, "slow down", "Retry-After", fmt.Sprint(20*3600))
	h.Later(time.Hour)
	if _, w := h.Post("", "X-Connector", "cron-connector"); w.Code != 429 || len(h.Messages) != 1 {
		t.Fatalf("%d %s, messages %q", w.Code, w.Body, h.Messages)
	}
	h.Answer = sourcetest.Respond(200, "{}")
	h.Later(21 * time.Hour)
	if a, w := h.Post("", "X-Connector", "cron-connector"); a.Status != "ok" || len(h.Messages) != 2 {
		t.Errorf("%d %s, messages %q", w.Code, w.Body, h.Messages)
	}
}

func TestAPartThatFailedIsToldAndTheRestIsStored(t *testing.T) {
	s := thermometer("home")
	h := start(t, s)
	whole := s.Fetch
	s.Fetch = func(ctx context.Context, c *fetch.Client, target string, w source.Window) (source.Batch, error) {
		b, err := whole(ctx, c, target, w)
		b.Failed = errors.New("air_pollution: it answered nothing")
		return b, err
	}
	a, w := run(h, s, "")
	if w.Code != 200 || a.Status != "partial" || a.Stored != 2 || a.Targets[0].Status != "partial" || a.Targets[0].Error == "" || len(h.Messages) != 1 {
		t.Errorf("%d %s; messages %q", w.Code, w.Body, h.Messages)
	}
	if _, w := h.Post("strict=true"); w.Code != 502 {
		t.Errorf("strict: %d %s", w.Code, w.Body)
	}
	s.Fetch = whole
	if a, w := run(h, s, ""); a.Status != "ok" || len(h.Messages) != 2 {
		t.Errorf("whole again: %d %s; messages %q", w.Code, w.Body, h.Messages)
	}
}

func TestATargetThatIsOffIsAFailureOnlyAfterItWorked(t *testing.T) {
	s := thermometer("home")
	h := start(t, s)
	whole := s.Fetch
	s.Fetch = func(context.Context, *fetch.Client, string, source.Window) (source.Batch, error) {
		return source.Batch{}, source.Off(&fetch.StatusError{Host: "api.example", Code: 403, Body: `{"message":"alerts are disabled"}`})
	}
	off := s.Fetch
	for range 2 {
		a, w := run(h, s, "")
		if w.Code != 200 || a.Status != "ok" || a.Targets[0].Status != "off" || !strings.Contains(a.Targets[0].Error, "alerts are disabled") || len(a.Warnings) != 1 || !strings.Contains(a.Warnings[0], "alerts are disabled") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	s.Fetch = whole
	if a, w := run(h, s, ""); a.Status != "ok" || len(h.Messages) != 0 {
		t.Fatalf("%d %s; messages %q", w.Code, w.Body, h.Messages)
	}
	s.Fetch = off
	if a, w := run(h, s, ""); w.Code != 502 || a.Status != "failed" || len(h.Messages) != 1 {
		t.Errorf("after it worked: %d %s; messages %q", w.Code, w.Body, h.Messages)
	}
	if open := h.Items(); len(open) != 1 {
		t.Errorf("%d open items; the stored one is unknown and stays", len(open))
	}
}
