package page

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/store"
)

// TestAnActionKeepsTheTilesWhileTheStoreIsAway: somebody clicks while nothing can be read.
func TestAnActionKeepsTheTilesWhileTheStoreIsAway(t *testing.T) {
	h := pagetest.New(t, now)
	h.Device("edge", "Desk", "Office", pagetest.State("temperature_celsius", 21.4), pagetest.State("co2_ppm", 612))
	p := pageOfHouse(h, "")
	away := false
	open := p.Glance.Open
	p.Glance.Open = func(ctx context.Context) (*store.Store, error) {
		if away {
			return nil, errors.New("the store cannot be reached")
		}
		return open(ctx)
	}
	if w := request(p, http.MethodGet, "/", ""); !strings.Contains(w.Body.String(), "t-rooms") {
		t.Fatalf("%.300s", w.Body)
	}
	away = true
	request(p, http.MethodPost, "/alerts", "do=ack&key=x")
	if body := request(p, http.MethodGet, "/", "").Body.String(); !strings.Contains(body, "the store cannot be reached") || !strings.Contains(body, "t-rooms") {
		t.Errorf("the tiles are gone: %s", body)
	}
}

// TestLooksAtThePastKeepTheTilesOfThePresent: however many there are.
func TestLooksAtThePastKeepTheTilesOfThePresent(t *testing.T) {
	h := pagetest.New(t, now)
	h.Device("edge", "Desk", "Office", pagetest.State("temperature_celsius", 21.4), pagetest.State("co2_ppm", 612))
	p := pageOfHouse(h, "")
	request(p, http.MethodGet, "/", "")
	for i := range maxViews + 2 {
		request(p, http.MethodGet, "/tiles.json?at="+stamp(now.Add(-time.Duration(i)*time.Minute)), "")
		if n := len(p.live.views); n > maxViews+1 {
			t.Fatalf("%d views are kept", n)
		}
	}
	p.Glance.Open = func(context.Context) (*store.Store, error) { return nil, errors.New("the store cannot be reached") }
	h.Now = h.Now.Add(time.Minute)
	if body := request(p, http.MethodGet, "/", "").Body.String(); !strings.Contains(body, "the store cannot be reached") || !strings.Contains(body, "t-rooms") {
		t.Errorf("the tiles are gone: %s", body)
	}
}
