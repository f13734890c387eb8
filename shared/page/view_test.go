package page

import (
	"context"
	"encoding/json"
	"io"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/page/glance"
	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/page/status"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
)

var now = time.Date(2026, 11, 27, 14, 7, 0, 0, time.UTC)

// pageOfHouse returns the page of a house, with hearth.yml.
func pageOfHouse(h *pagetest.House, yml string) *Page {
	clock := func() time.Time { return h.Now }
	same := func(s string) string { return s }
	file := settings.Parse([]byte(yml))
	lists := &status.Page{Inputs: status.Inputs{Open: h.Open, Now: clock, Redact: same, RedactCut: same, Zone: func() string { return string(file.House.Zone) }}}
	return &Page{Status: lists, Glance: glance.New(glance.Inputs{
		Open: h.Open, Now: clock, Redact: same, Settings: func() *settings.File { return file }, Declared: func() []catalogue.Measurement { return nil },
		Status: func(ctx context.Context) (status.Data, bool) { return lists.Brief(ctx), true }, Alerts: lists.AlertsAt,
	})}
}

func TestAViewIsReadFromAnAddress(t *testing.T) {
	p := pageOfHouse(pagetest.New(t, now), "house: {zone: Europe/Berlin}")
	for query, want := range map[string]string{
		"":                                 "now",
		"?at=2026-11-27T03:12":             "2026-11-27T02:12:00Z",
		"?at=2026-11-27T03:12:00Z":         "2026-11-27T03:12:00Z",
		"?at=2026-11-27T14:07:30Z":         "now",
		"?at=2026-11-27T14:09:00Z":         "at is in the future",
		"?at=2027-01-01T00:00":             "at is in the future",
		"?at=1999-01-01T00:00":             "at is before the year 2000",
		"?at=yesterday":                    "at is \"yesterday\"",
		"?at=" + strings.Repeat("9", 3000): "at is \"9999",
	} {
		v, err := p.viewOf(httptest.NewRequest("GET", "/"+query, nil))
		got := "now"
		switch {
		case err != nil:
			got = err.Error()
		case !v.At.IsZero():
			got = stamp(v.At)
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%.40s: %.100s, want %s", query, got, want)
		}
	}
}

// Before anything was measured and any source had run, an empty page is no good news. A backfill
// does not count.
func TestNothingIsKnownOfTheTimeBeforeHearth(t *testing.T) {
	h := pagetest.New(t, now)
	id := h.Device("edge", "Office air", "Office", pagetest.State("temperature_celsius", 22))
	h.Series("air", "temperature_celsius", map[string]string{"device": id}, now.Add(-3*time.Hour), 5*time.Minute, func(time.Time) float64 { return 22 })
	h.Series("treasury_yield", "yield_percent", map[string]string{"maturity": "10y"}, now.Truncate(24*time.Hour).AddDate(0, 0, -2), 24*time.Hour, func(time.Time) float64 { return 4 })
	p := pageOfHouse(h, "")
	heading := func(ago time.Duration) string {
		t.Helper()
		s := p.Glance.Snapshot(t.Context(), glance.View{At: now.Add(-ago)})
		if len(s.Errors) > 0 {
			t.Error(s.Errors)
		}
		parts, _ := partsOf(s)
		for _, part := range parts {
			if part.ID == "cell-none" {
				t.Errorf("%s ago: %s", ago, part.Markup())
			}
		}
		return s.Verdict().Class + ": " + s.Verdict().Heading
	}
	for ago, want := range map[time.Duration]string{time.Hour: "well: All well", 4 * time.Hour: "nothing: Nothing is known of this time", 100 * time.Hour: "nothing: Nothing is known of this time"} {
		if got := heading(ago); got != want {
			t.Errorf("%s ago: %s, want %s", ago, got, want)
		}
	}
	for _, trigger := range []string{"backfill", "cron"} {
		r, err := h.Store.Begin(t.Context(), store.Run{Function: "asana" + trigger, Trigger: trigger, Started: now.Add(-5 * time.Hour)}, time.Minute, nil)
		h.OK(err)
		r.Status = "ok"
		h.OK(h.Store.Finish(t.Context(), r, nil, store.Alerts{}))
		want := map[string]string{"backfill": "nothing: Nothing is known of this time", "cron": "well: All well"}[trigger]
		if got := heading(4*time.Hour + time.Minute); got != want {
			t.Errorf("after a run by %s: %s, want %s", trigger, got, want)
		}
	}
}

func TestThePastIsMarkedAndHasNoLaterValues(t *testing.T) {
	h := pagetest.New(t, now)
	id := h.Device("edge", "Office air", "Office", pagetest.State("temperature_celsius", 22))
	h.Series("air", "temperature_celsius", map[string]string{"device": id}, now.Add(-10*time.Hour), 5*time.Minute, func(at time.Time) float64 {
		return 10 + now.Sub(at).Hours() // 19 nine hours ago, now 10
	})
	srv := httptest.NewServer(pageOfHouse(h, ""))
	t.Cleanup(srv.Close)
	body := func(path string) string {
		t.Helper()
		res, err := srv.Client().Get(srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != 200 {
			t.Fatal(res.Status, err)
		}
		return string(b)
	}
	at := "at=" + url.QueryEscape(now.Add(-9*time.Hour).Format(time.RFC3339))
	if page := body("/?" + at); !strings.Contains(page, `id="past" role="status">`) || !strings.Contains(page, `data-past="2026-11-27T05:07:00Z"`) {
		t.Error(page)
	}
	if page := body("/"); !strings.Contains(page, `id="past" role="status" hidden>`) {
		t.Error("the present is marked as the past")
	}
	var got struct{ Parts map[string]string }
	if err := json.Unmarshal([]byte(body("/tiles.json?"+at)), &got); err != nil {
		t.Fatal(err)
	}
	if rooms := got.Parts["cell-rooms"]; rooms != "" && (!strings.Contains(rooms, ">19.0<") || strings.Contains(rooms, ">22.0<")) {
		t.Error(rooms)
	}
}
