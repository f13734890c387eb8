package status

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/store"
)

// TestMaintenanceOfADeviceAndOfARoom begins and ends, and the page shows it.
func TestMaintenanceOfADeviceAndOfARoom(t *testing.T) {
	h := newFixture(t)
	h.device("edge", "Desk", "Cellar", state("temperature_celsius", 21))
	p := h.page()
	p.House = houseOf
	for form, want := range map[string]int{"": 400, "subject=device/desk": 400, "subject=device/desk&for=": 400, "subject=device/desk&for=9y": 400, "subject=device/none&for=2h": 409, "subject=room/none&for=2h": 409, "subject=house&for=2h": 409, "subject=&for=end": 409, "subject=device/desk&for=2h&all=1": 400} {
		if code, said := post(p, "/maintenance", form); code != want {
			t.Errorf("%q: %d %s, want %d", form, code, said, want)
		}
	}
	room := func() Room { return p.snapshot(t.Context()).data.Rooms[0] }
	if code, said := post(p, "/maintenance", "subject=device/desk&for=1d"); code != 200 || !strings.HasPrefix(said, "In maintenance until 14:00 on 24 November") {
		t.Errorf("%d %s", code, said)
	}
	if r := room(); !r.Devices[0].Maintenance.Equal(now.Add(day)) || !r.Maintenance.IsZero() {
		t.Errorf("%+v", r)
	}
	if code, said := post(p, "/maintenance", "subject=room/cellar&for=2h"); code != 200 || !room().Maintenance.Equal(now.Add(2*time.Hour)) {
		t.Errorf("%d %s %+v", code, said, room())
	}
	_, html := get(t, listen(t, p).URL+"/status")
	if strings.Count(html, `data-for="end"`) != 2 || strings.Contains(html, `data-for="2h"`) {
		t.Errorf("the page offers no end\n%s", html)
	}
	for _, subject := range []string{"device/desk", "room/cellar"} {
		if code, said := post(p, "/maintenance", "for=end&subject="+subject); code != 200 {
			t.Errorf("%d %s", code, said)
		}
	}
	if r := room(); !r.Devices[0].Maintenance.IsZero() || !r.Maintenance.IsZero() {
		t.Errorf("after the end: %+v", r)
	}
}

// houseOf has the dates that buttons set.
func houseOf(ctx context.Context, st *store.Store, now time.Time) (*alert.House, error) {
	house := &alert.House{Silences: map[string]time.Time{}, Maintenance: map[string]time.Time{}}
	ends, err := st.UntilDates(ctx, now)
	for _, e := range ends {
		map[string]map[string]time.Time{store.Silence: house.Silences, store.Maintenance: house.Maintenance}[e.Kind][e.Subject] = e.Until
	}
	return house, err
}
