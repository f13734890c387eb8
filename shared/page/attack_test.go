package page

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/page/pagetest"
)

const (
	evilName = `<script>alert(1)</script>"'><img src=x onerror=alert(2)>`
	evilLink = "javascript:alert(3)"
)

// TestWhatComesFromOutsideStaysText: names, rooms, alerts, items and hearth.yml.
func TestWhatComesFromOutsideStaysText(t *testing.T) {
	h := pagetest.New(t, now)
	pagetest.Full(h)
	h.Device("zigbee", evilName, evilName, pagetest.State("temperature_celsius", 21), pagetest.State("co2_ppm", 2000), pagetest.State("battery_percent", 1))
	h.Raise(alert.State{Key: evilName, Spec: alert.Spec{Rule: "x", Severity: alert.Critical, Title: evilName, Next: evilLink}, Subject: alert.Subject{Name: evilName, Room: evilName}, Phase: alert.Firing, Text: evilName, Since: now, Fired: now, Episode: 1})
	for _, source := range []string{"feeds", "asana", "github"} {
		h.Items(source, evilName, item.Item{ID: evilName, Title: evilName, URL: evilLink, At: now, Attributes: map[string]string{"priority": evilName, "severity": "critical", "package": evilName, "workflow": evilName, "section": evilName}})
	}
	p := pageOfHouse(h, "house: {zone: Europe/Berlin}\ntiles: [{title: '"+strings.ReplaceAll(evilName, "'", "''")+"', lines: [{field: air.co2_ppm, title: '"+strings.ReplaceAll(evilName, "'", "''")+"'}]}]")
	p.Status.Gateway = func() string { return "" }
	for _, path := range []string{"/", "/?view=guest", "/?at=" + stamp(now.Add(-time.Second)), "/tiles.json", "/status", "/outbox", "/sections.json"} {
		w := request(p, http.MethodGet, path, "")
		body := w.Body.String()
		if w.Code != http.StatusOK || path == "/status" && !strings.Contains(body, "&lt;script&gt;") {
			t.Errorf("%s: %d %.300s", path, w.Code, body)
		}
		for _, bad := range []string{"<script>alert", "<img src=x", `href="javascript:`, `href=\"javascript:`} {
			if i := strings.Index(body, bad); i >= 0 {
				t.Errorf("%s has %q: %s", path, bad, body[max(0, i-200):min(len(body), i+100)])
			}
		}
		if policy := w.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", path, w.Header())
		}
	}
}

// TestOddAddressesAreAnsweredShortly: with a 4xx or as the page without them.
func TestOddAddressesAreAnsweredShortly(t *testing.T) {
	p := pageOfHouse(pagetest.New(t, now), "")
	long := strings.Repeat("x", 500_000)
	for _, path := range []string{"/?view=" + long, "/?at=" + long, "/?asset=" + long, "/?" + strings.Repeat("a&", 200_000), "/" + long, "/?asset=../page.go", "/?asset=%00", "/?asset=static/base.css", "/%2e%2e/%2e%2e/etc/passwd", "/status?alert=" + long + "&at=2026-11-27T03:12:00Z", "/tiles.json?view=%zz"} {
		w := request(p, http.MethodGet, path, "")
		if w.Code >= 500 || w.Code != 200 && w.Body.Len() > 1000 || strings.Contains(w.Body.String(), "xxxxxxxxxx"+strings.Repeat("x", 100)) {
			t.Errorf("%.60s: %d with %d bytes", path, w.Code, w.Body.Len())
		}
	}
	if w := request(p, http.MethodGet, "/tiles.json", "", "If-None-Match", strings.Repeat("a-", 400_000)); w.Code != http.StatusOK {
		t.Errorf("a long list of tags: %d", w.Code)
	}
}

// TestFewLookAtThePastAtOnce: the others wait, and those of the present do not.
func TestFewLookAtThePastAtOnce(t *testing.T) {
	p := pageOfHouse(pagetest.New(t, now), "")
	for range maxPast {
		if !p.pasts.enter(t.Context()) {
			t.Fatal("no turn")
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/?at="+stamp(now.Add(-time.Hour)), nil))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("one more: %d", w.Code)
	}
	if w := request(p, http.MethodGet, "/", ""); w.Code != http.StatusOK {
		t.Errorf("the present: %d", w.Code)
	}
	p.pasts.leave()
	if w := request(p, http.MethodGet, "/?at="+stamp(now.Add(-time.Hour)), ""); w.Code != http.StatusOK {
		t.Errorf("after one has left: %d", w.Code)
	}
}
