package page

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/page/history"
	"github.com/hearth-home/hearth/shared/page/pagetest"
)

// TestWhoGoesAwayLosesTheTurn: questions whose clients have gone are not answered one after the
// other while others wait.
func TestWhoGoesAwayLosesTheTurn(t *testing.T) {
	p := pageOfHouse(pagetest.New(t, now), "")
	get(t, p, "/api/latest?measurement=air")
	for range apiAtOnce {
		p.answers.turns <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/api/latest?measurement=weather", nil))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("one that has gone: %d %s", w.Code, w.Body)
	}
	for range apiAtOnce {
		<-p.answers.turns
	}
	if w := get(t, p, "/api/latest?measurement=weather"); w.Code != http.StatusOK {
		t.Errorf("the next who asks the same: %d %s", w.Code, w.Body)
	}
}

func TestLargeAnswersAreNotKept(t *testing.T) {
	h := pagetest.New(t, now)
	tags := map[string]string{"device": "desk"}
	h.Series("air", "co2_ppm", tags, now.Add(-20*time.Hour), 6*time.Second, func(time.Time) float64 { return 612.5 })
	p := pageOfHouse(h, "")
	query := "?span=day&series=" + url.QueryEscape(history.Series{Measurement: "air", Field: "co2_ppm", Tags: tags}.Key())
	if w := get(t, p, "/history.csv"+query); w.Code != http.StatusOK || w.Body.Len() < apiSmall {
		t.Fatalf("%d with %d bytes", w.Code, w.Body.Len())
	}
	get(t, p, "/history.json"+query)
	for key := range p.answers.found {
		if strings.HasPrefix(key, "history.csv") {
			t.Error("it is kept")
		}
	}
	if len(p.answers.found) != 1 {
		t.Errorf("%d are kept, want the small one", len(p.answers.found))
	}
}

// TestOneTableIsMadeAtATime, and it holds up no other answer.
func TestOneTableIsMadeAtATime(t *testing.T) {
	p := pageOfHouse(pagetest.New(t, now), "")
	get(t, p, "/api/latest?measurement=air")
	p.answers.tables <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	const query = "?series=air.co2_ppm,device=desk"
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/history.csv"+query, nil))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("a second table: %d %s", w.Code, w.Body)
	}
	if w := get(t, p, "/history.json"+query); w.Code != http.StatusOK {
		t.Errorf("another answer: %d %s", w.Code, w.Body)
	}
}
