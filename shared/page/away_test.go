package page

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

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
			return nil, errors.New("the store is away")
		}
		return open(ctx)
	}
	if w := request(p, http.MethodGet, "/", ""); !strings.Contains(w.Body.String(), "t-rooms") {
		t.Fatalf("%.300s", w.Body)
	}
	away = true
	request(p, http.MethodPost, "/alerts", "do=ack&key=x")
	if body := request(p, http.MethodGet, "/", "").Body.String(); !strings.Contains(body, "the store is away") || !strings.Contains(body, "t-rooms") {
		t.Errorf("the tiles are gone: %s", body)
	}
}
