package page

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/page/glance"
	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/page/status"
	"github.com/hearth-home/hearth/shared/page/texts"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
)

// private is what a guest must not see of fullHouse.
var private = []string{"Renew the passport", "GOOG", "Treasur", "10y", "dependabot", "acme/site", "office-air", "desk-plug", "cellar-ups", "asana", "github", "weather is", "stocks", "key-of-", "status#", "data-plots", "Everything"}

// fullHouse is a house with something of everything, and alerts of each channel.
func fullHouse(t *testing.T) (*pagetest.House, status.Data) {
	h := pagetest.New(t, now)
	h.Device("edge", "Office air", "Office", pagetest.State("co2_ppm", 1700), pagetest.State("temperature_celsius", 21), pagetest.State("pm2_5_ugm3", 4))
	h.Device("edge", "Desk plug", "Office", pagetest.State("power_watts", 80))
	h.Device("edge", "Cellar UPS", "Cellar", pagetest.State("battery_percent", 100), pagetest.State("load_percent", 12))
	h.Device("zigbee", "Hall climate", "Hall", pagetest.State("temperature_celsius", 20), store.DeviceState{Metric: "battery_percent", Value: 4, Time: now.Add(-9 * time.Hour)})
	for device, field := range map[string]string{"office-air": "air.co2_ppm", "desk-plug": "power.power_watts", "cellar-ups": "ups.load_percent", "hall-climate": "zigbee.temperature_celsius"} {
		m, f, _ := strings.Cut(field, ".")
		h.Series(m, f, map[string]string{"device": device}, now.Add(-20*time.Hour), 15*time.Minute, func(time.Time) float64 { return 700 })
	}
	at := now.Add(-time.Minute)
	h.Readings(
		reading.Reading{Name: "weather", Tags: map[string]string{"place": "berlin"}, Time: at, Fields: map[string]float64{"temperature_celsius": 6}},
		reading.Reading{Name: "stock_quote", Tags: map[string]string{"symbol": "GOOG"}, Time: at, Fields: map[string]float64{"price_usd": 250, "change_percent": 1}},
		reading.Reading{Name: "github_alerts", Tags: map[string]string{"repo": "acme/site", "severity": "high"}, Time: now.Truncate(24 * time.Hour), Fields: map[string]float64{"open_alerts": 2}},
		reading.Reading{Name: "treasury_yield", Tags: map[string]string{"maturity": "10y"}, Time: now.Truncate(24 * time.Hour), Fields: map[string]float64{"yield_percent": 4}},
	)
	h.Items("asana", "home", item.Item{ID: "1", Title: "Renew the passport", Attributes: map[string]string{"due_on": "2026-11-20"}})
	var d status.Data
	for _, a := range []struct {
		title   string
		channel alert.Channel
	}{{"Smoke", alert.Security}, {"CO₂ is high", alert.Climate}, {"stocks failed", alert.Pipelines}, {"Renew the passport is due", alert.Products}} {
		d.Alerts.Open = append(d.Alerts.Open, status.Alert{ID: "key-of-id", Key: "key-of-" + a.title, Title: a.title, Channel: a.channel, Severity: alert.Critical, Device: "office-air", Since: at})
	}
	d.Alerts.Open = append(d.Alerts.Open, status.Alert{ID: "key-of-id", Key: "key-of-repo", Title: "A dependabot alert", Channel: alert.Security, Severity: alert.Warning, Since: at})
	d.Alerts.Known = true
	d.Functions = []status.Function{{Name: "asana", State: status.Live}, {Name: "github", State: status.Broken}}
	return h, d
}

func TestGuestsAreShownNothingPrivate(t *testing.T) {
	h, data := fullHouse(t)
	p := pageOfHouse(h, "")
	file := settings.Parse(nil)
	p.Glance = glance.New(glance.Inputs{
		Open: h.Open, Now: func() time.Time { return h.Now }, Redact: func(s string) string { return s }, Settings: func() *settings.File { return file },
		Declared: func() []catalogue.Measurement { return nil }, Alerts: func(context.Context, time.Time) (status.Alerts, error) { return data.Alerts, nil },
		Status: func(context.Context) (status.Data, bool) { return data, true }, Wifi: func() string { return "Guests;p;w" },
	})
	for _, path := range []string{"/?view=guest", "/tiles.json?view=guest", "/?view=guest&at=" + stamp(now.Add(-time.Hour))} {
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		body := w.Body.String()
		if w.Code != 200 || !strings.Contains(body, "Smoke") || !strings.Contains(body, "t-rooms") || strings.Contains(body, "not for guests") || path[1] == '?' && !strings.Contains(body, `href="?view=guest"`) {
			t.Errorf("%s: %d %s", path, w.Code, body)
		}
		for _, text := range private {
			if i := strings.Index(body, text); i >= 0 {
				t.Errorf("%s shows %q: …%s…", path, text, body[max(0, i-200):min(len(body), i+80)])
			}
		}
		if past := strings.Contains(path, "at="); strings.Contains(body, "qr-dark") == past || strings.Contains(body, "p;w") {
			t.Errorf("%s: the code of the Wi-Fi is shown: %v", path, past)
		}
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if body := w.Body.String(); strings.Contains(body, "qr-dark") || !strings.Contains(body, "status#") {
		t.Error("the whole page shows the Wi-Fi for guests, or no links")
	}
}

func TestAnUnknownViewIsNotFoundAndNamesTheViews(t *testing.T) {
	p := pageOfHouse(pagetest.New(t, now), "tiles: [{tile: weather, views: [kids]}]")
	for _, path := range []string{"/?view=<script>", "/tiles.json?view=nobody"} {
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if body := w.Body.String(); w.Code != 404 || !strings.Contains(body, `href="?view=kids"`) || !strings.Contains(body, `href="?view=guest"`) || strings.Contains(body, "<script>") {
			t.Errorf("%s: %d %s", path, w.Code, body)
		}
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest("GET", "/?view=kids", nil))
	if w.Code != 200 {
		t.Error(w.Code)
	}
}

func TestGuestsAreToldNoEventsByTheAPI(t *testing.T) {
	h := pagetest.New(t, now)
	h.Items("feeds", "family",
		item.Item{ID: "1", Title: "Doctor at nine", At: now, Attributes: map[string]string{"start": now.Format(time.RFC3339)}},
		item.Item{ID: "2", Title: "A headline", At: now})
	p := pageOfHouse(h, "")
	for _, query := range []string{"", "source=feeds&"} {
		body := get(t, p, "/api/items?"+query+"view=guest").Body.String()
		if strings.Contains(body, "Doctor") || !strings.Contains(body, "headline") {
			t.Errorf("%s: %s", query, body)
		}
	}
	if body := get(t, p, "/api/items").Body.String(); !strings.Contains(body, "Doctor") {
		t.Errorf("the house: %s", body)
	}
}

// TestGuestsAreNotToldWhyNothingCanBeRead: errors of a database name its host and user.
func TestGuestsAreNotToldWhyNothingCanBeRead(t *testing.T) {
	p := pageOfHouse(pagetest.New(t, now), "")
	p.Glance.Open = func(context.Context) (*store.Store, error) { return nil, errors.New("dial 10.0.0.5 as user=hearth") }
	for path, told := range map[string]bool{"/": true, "/api/tiles": true, "/?view=guest": false, "/tiles.json?view=guest": false, "/api/tiles?view=guest": false,
		"/api/items?source=feeds": true, "/api/items?source=feeds&view=guest": false, "/history.json?series=air.co2_ppm&view=guest": false} {
		body := request(p, http.MethodGet, path, "").Body.String()
		if strings.Contains(body, "10.0.0.5") != told || strings.Contains(body, texts.Say("verdict.noStore")) == told {
			t.Errorf("%s: %s", path, body)
		}
	}
}
