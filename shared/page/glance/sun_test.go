package glance

import (
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/hearth-home/hearth/shared/settings"
)

func spot(latitude, longitude float64) settings.Place {
	return settings.Place{Latitude: &latitude, Longitude: &longitude}
}

// TestTheSunAgreesWithAlmanacs compares with the minutes that the almanacs of the U.S. Naval
// Observatory and of national weather services publish.
func TestTheSunAgreesWithAlmanacs(t *testing.T) {
	for _, c := range []struct {
		name, zone, day, rise, set string
		place                      settings.Place
	}{
		{"Seattle", "America/Los_Angeles", "2026-11-27", "07:31:00", "16:22:00", spot(47.6062, -122.3321)},
		{"Berlin, longest day", "Europe/Berlin", "2024-06-21", "04:43:00", "21:33:00", spot(52.52, 13.405)},
		{"Berlin, shortest day", "Europe/Berlin", "2024-12-21", "08:15:00", "15:54:00", spot(52.52, 13.405)},
		{"London, longest day", "Europe/London", "2024-06-21", "04:43:00", "21:21:00", spot(51.5074, -0.1278)},
		{"New York, shortest day", "America/New_York", "2024-12-21", "07:17:00", "16:32:00", spot(40.7128, -74.006)},
		{"Sydney, longest day", "Australia/Sydney", "2024-12-21", "05:41:00", "20:06:00", spot(-33.8688, 151.2093)},
	} {
		t.Run(c.name, func(t *testing.T) {
			zone, err := time.LoadLocation(c.zone)
			if err != nil {
				t.Fatal(err)
			}
			day, _ := time.ParseInLocation("2006-01-02 15:04", c.day+" 15:00", zone)
			got := sunOf(c.place, day)
			for what, pair := range map[string][2]string{"rise": {got.Rise.In(zone).Format("15:04:05"), c.rise}, "set": {got.Set.In(zone).Format("15:04:05"), c.set}} {
				a, _ := time.Parse("15:04:05", pair[0])
				b, _ := time.Parse("15:04:05", pair[1])
				if off := a.Sub(b).Abs(); off > time.Minute+15*time.Second {
					t.Errorf("%s at %s, the almanac says %s", what, pair[0], pair[1])
				}
			}
		})
	}
}

// TestTheSunAgreesToSeconds compares with the example of NREL/TP-560-34302 (Solar Position
// Algorithm for Solar Radiation Applications). Its sunset is the one of the day in UTC, which
// is that of the evening before.
func TestTheSunAgreesToSeconds(t *testing.T) {
	golden, zone := spot(39.742476, -105.1786), time.FixedZone("", -7*3600)
	day := time.Date(2003, 10, 17, 12, 0, 0, 0, zone)
	rise, set := sunOf(golden, day).Rise, sunOf(golden, day.AddDate(0, 0, -1)).Set
	if off := rise.Sub(time.Date(2003, 10, 17, 6, 12, 43, 0, zone)).Abs(); off > 10*time.Second {
		t.Errorf("rise at %v, %v off", rise, off)
	}
	if off := set.Sub(time.Date(2003, 10, 16, 17, 20, 19, 0, zone)).Abs(); off > 10*time.Second {
		t.Errorf("set at %v, %v off", set, off)
	}
}

func TestPolarDayAndNight(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Fatal(err)
	}
	tromso := spot(69.6492, 18.9553)
	if s := sunOf(tromso, time.Date(2026, 12, 21, 12, 0, 0, 0, zone)); s.Up || !s.Rise.IsZero() || !s.Set.IsZero() {
		t.Errorf("polar night: %+v", s)
	}
	if s := sunOf(tromso, time.Date(2026, 6, 21, 12, 0, 0, 0, zone)); !s.Up || !s.Rise.IsZero() || !s.Set.IsZero() {
		t.Errorf("polar day: %+v", s)
	}
	for day := time.Date(2026, 1, 1, 12, 0, 0, 0, zone); day.Year() == 2026; day = day.AddDate(0, 0, 1) {
		for _, latitude := range []float64{-90, -66.5, 0, 66.5, 90} {
			s := sunOf(spot(latitude, 180), day)
			for _, at := range []time.Time{s.Rise, s.Set} {
				if !at.IsZero() && at.In(zone).Format(time.DateOnly) != day.Format(time.DateOnly) {
					t.Fatalf("%s at %v: %v is on another day", day, latitude, at)
				}
			}
		}
	}
}

func TestWithoutAPlaceThereIsNoSun(t *testing.T) {
	if s := sunOf(settings.Place{Name: "home"}, now); s != nil {
		t.Errorf("%+v", s)
	}
}
