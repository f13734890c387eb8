package function

import (
	"net/http"
	"testing"
	"time"
)

// TestTheEndOfTheTokenIsStoredOnceADay: GitHub says in its answers when a token expires.
func TestTheEndOfTheTokenIsStoredOnceADay(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"2026-12-03 10:00:00 UTC": 10*24*time.Hour + 10*time.Hour, "2026-12-03 10:00:00 -0800": 10*24*time.Hour + 18*time.Hour, "": 0, "soon": 0,
	} {
		g := recorded(t)
		h := start(t, g)
		h.Answer = func(w http.ResponseWriter, r *http.Request) {
			if header != "" {
				w.Header().Set("GitHub-Authentication-Token-Expiration", header)
			}
			g.ServeHTTP(w, r)
		}
		for range 2 {
			if a, w := h.Post(""); a.Status != "ok" {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			h.Later(time.Hour)
		}
		rs := h.Readings("github_token")
		if want == 0 && len(rs) == 0 {
			continue
		}
		if len(rs) != 1 || rs[0].Fields["valid_seconds"] != want.Seconds() || !rs[0].Time.Equal(noon.Truncate(24*time.Hour)) {
			t.Errorf("%q: %+v", header, rs)
		}
	}
}
