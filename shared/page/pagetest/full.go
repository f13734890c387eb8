package pagetest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// Yml is hearth.yml of the house that Full fills.
const Yml = "house: {zone: America/Los_Angeles, place: {latitude: 47.61, longitude: -122.33}}\n"

// Calm fills a house with everything that has a tile, on an ordinary afternoon on which
// nothing needs a person. The values are samples.
func Calm(h *House) {
	h.fillWeather()
	h.fillRooms(690)
	h.fillPower()
	h.fillComputers()
	h.fillMarkets()
	h.fillTasks(h.task("3", "Photos of the shelf for the listing", 3, 1))
	h.fillLists()
}

// Full is Calm with some things that need a person.
func Full(h *House) {
	h.fillWeather()
	h.fillRooms(1412)
	h.fillPower()
	h.fillComputers()
	h.fillMarkets()
	h.fillTasks(h.task("1", "Renew the firewall's certificate", -2, 3), h.task("2", "Call the electrician about the cellar", 0, 2), h.task("3", "Photos of the shelf for the listing", 3, 1))
	h.fillLists()
	h.Items("github", "hearth-home/hearth alerts", item.Item{ID: "3", Title: "golang.org/x/net: HTTP/2 rapid reset", URL: "https://github.com/hearth-home/hearth/security/dependabot/3", At: h.Now.AddDate(0, 0, -2), Attributes: map[string]string{"severity": "high", "package": "golang.org/x/net"}})
	h.Items("github", "hearth-home/hearth actions", item.Item{ID: "ci/main", Title: "ci on main: failure", URL: "https://github.com/hearth-home/hearth/actions/runs/1", At: h.Now.Add(-23 * time.Minute), Attributes: map[string]string{"workflow": "ci", "branch": "main", "conclusion": "failure", "event": "push"}})
	h.Device("zigbee", "Pantry climate", "Pantry", store.DeviceState{Metric: "temperature_celsius", Value: 17, Time: h.Now.Add(-5 * time.Hour)}, store.DeviceState{Metric: "battery_percent", Value: 4, Time: h.Now.Add(-5 * time.Hour)})
	since := h.Now.Add(-5 * time.Hour)
	h.Raise(CO2(alert.Critical, "office-air", "Office air", "Office", 1412, h.Now.Add(-26*time.Minute)),
		alert.State{Key: "silent/pantry-climate", Spec: alert.Spec{Rule: "silent", Channel: alert.Devices, Severity: alert.Warning, Title: "No values", Next: "Replace its battery."},
			Subject: alert.Subject{Device: "pantry-climate", Name: "Pantry climate", Room: "Pantry"}, Phase: alert.Firing, Text: "silent for 5 h.", Since: since, Fired: since, Episode: 1})
}

// CO2 is an open alert.
func CO2(severity alert.Severity, device, name, room string, ppm float64, since time.Time) alert.State {
	limit := 1200.0
	return alert.State{
		Key: "air-co2-high/" + device + "/co2_ppm", Spec: alert.Spec{Rule: "air-co2-high", Channel: alert.Climate, Severity: severity, Title: "CO₂ is high", Next: "Open a window"},
		Subject: alert.Subject{Device: device, Name: name, Room: room, Field: "co2_ppm"}, Phase: alert.Firing, Value: &ppm, Limit: &limit, Worst: &ppm, Unit: "ppm",
		Since: since, Fired: since, Seen: since, Episode: 1, Told: alert.ToldFiring, ToldAt: since,
	}
}

// Raise stores alerts as they are.
func (h *House) Raise(states ...alert.State) {
	h.T.Helper()
	var keys []string
	for _, s := range states {
		keys = append(keys, s.Key)
	}
	h.OK(h.Store.MoveAlerts(h.T.Context(), keys, func(before map[string]alert.State) ([]alert.State, []alert.Message) {
		for i := range states {
			states[i].Version = before[states[i].Key].Version
		}
		return states, nil
	}))
}

// curve is a value over time.
type curve func(time.Time) float64

// daily is a curve around a mean that is highest in the afternoon, with some noise.
func daily(mean, swing, noise float64) curve {
	return func(t time.Time) float64 {
		hours := float64(t.Unix()) / 3600
		return mean + swing*math.Sin((hours-16)/24*2*math.Pi) + noise*(math.Sin(hours*2.3)+math.Sin(hours*5.1+mean))/2
	}
}

// inRoom is the temperature of a room: each has its own hours of heating.
func inRoom(mean float64) curve {
	return func(t time.Time) float64 {
		hours := float64(t.Unix()) / 3600
		return mean + 0.5*math.Sin((hours+mean*7)/24*2*math.Pi) + 0.35*math.Sin((hours+mean*3)/9*2*math.Pi) + 0.12*math.Sin(hours*3.7+mean)
	}
}

// sensor is a device of a measurement that has reported all day.
func (h *House) sensor(kind, measurement, name, room string, fields map[string]curve) {
	h.T.Helper()
	var states []store.DeviceState
	for key, of := range fields {
		states = append(states, State(key, of(h.Now)))
	}
	slices.SortFunc(states, func(a, b store.DeviceState) int { return strings.Compare(a.Metric, b.Metric) })
	id := h.Device(kind, name, room, states...)
	var rs []reading.Reading
	for t := h.Now.Add(-50 * time.Hour); t.Before(h.Now); t = t.Add(10 * time.Minute) {
		r := reading.Reading{Name: measurement, Tags: map[string]string{"device": id}, Time: t, Fields: map[string]float64{}}
		for key, of := range fields {
			r.Fields[key] = of(t)
		}
		rs = append(rs, r)
	}
	h.Readings(rs...)
}

func (h *House) fillRooms(office float64) {
	climate := func(name, room string, celsius, humidity float64, more map[string]curve) {
		fields := map[string]curve{"temperature_celsius": inRoom(celsius), "humidity_percent": daily(humidity, 3, 1)}
		for key, of := range more {
			fields[key] = of
		}
		h.sensor("edge", "air", name, room, fields)
	}
	last := func(now, usual float64) map[string]curve {
		wave := daily(0, 40, 20)
		rises := func(t time.Time) float64 {
			return usual + wave(t) + (now-usual-wave(h.Now))*math.Exp(-h.Now.Sub(t).Hours()/3)
		}
		return map[string]curve{"co2_ppm": rises}
	}
	climate("Office air", "Office", 22.1, 49, last(office, 700))
	living := last(846, 640)
	living["pm2_5_ugm3"] = daily(6, 1, 1)
	climate("Living room air", "Living room", 21.4, 46, living)
	climate("Bedroom air", "Bedroom", 19.2, 52, last(643, 600))
	climate("Kitchen air", "Kitchen", 21.9, 55, last(911, 650))
	climate("Bath climate", "Bath", 23, 58, nil)
	climate("Cellar climate", "Cellar", 14.3, 63, nil)
	h.sensor("zigbee", "zigbee", "Hall climate", "Hall", map[string]curve{"temperature_celsius": daily(18, 0.5, 0.2), "battery_percent": func(time.Time) float64 { return 61 }})
	h.Device("zigbee", "Hall button", "Hall", State("battery_percent", 80))
	for i := range 12 {
		h.Device("zigbee", fmt.Sprintf("Lamp %d", i+1), "Living room", State("on", float64(i%2)), State("linkquality", 120))
	}
}

func (h *House) fillPower() {
	watts := func(mean, swing float64) map[string]curve {
		of := daily(mean, swing, mean/5)
		return map[string]curve{"power_watts": func(t time.Time) float64 { return max(0, of(t)) }, "energy_kwh": func(t time.Time) float64 { return 400 + float64(t.Unix()%1e7)/3.6e6*mean }}
	}
	h.sensor("edge", "power", "Rack plug", "Office", watts(118, 8))
	h.sensor("edge", "power", "Desk plug", "Office", watts(160, 90))
	h.sensor("edge", "power", "Fridge plug", "Kitchen", watts(70, 20))
	flat := func(v float64) curve { return func(time.Time) float64 { return v } }
	h.sensor("edge", "ups", "Rack UPS", "Office", map[string]curve{"load_percent": daily(24, 2, 1), "battery_percent": flat(100), "runtime_seconds": flat(3000), "on_battery": flat(0), "on_mains": flat(1), "power_watts": daily(140, 10, 5)})
}

func (h *House) fillComputers() {
	flat := func(v float64) curve { return func(time.Time) float64 { return v } }
	for name, v := range map[string][4]float64{"rack-pi": {25, 52, 0.56, 4}, "opi5": {11, 47, 0.39, 8}} {
		h.sensor("edge", "host", name, "Office", map[string]curve{
			"cpu_usage_percent": daily(v[0], 8, 5), "temperature_celsius": daily(v[1], 2, 1), "disk_size_bytes": flat(64e9), "disk_free_bytes": flat(64e9 * v[2]),
			"memory_total_bytes": flat(v[3] * 1e9), "memory_used_bytes": flat(v[3] * 0.4e9), "memory_available_bytes": flat(v[3] * 0.6e9), "uptime_seconds": flat(1e6), "load_1m": daily(0.6, 0.3, 0.1),
		})
	}
}

func (h *House) fillWeather() {
	tags := map[string]string{"place": "Seattle"}
	zone, err := time.LoadLocation("America/Los_Angeles")
	h.OK(err)
	celsius := daily(9, 3, 0.4)
	var rs []reading.Reading
	for t := h.Now.Add(-24 * time.Hour); t.Before(h.Now); t = t.Add(15 * time.Minute) {
		rs = append(rs,
			reading.Reading{Name: "weather", Tags: tags, Time: t, Text: map[string]string{"description": "broken clouds", "summary": "Clouds"}, Fields: map[string]float64{"temperature_celsius": celsius(t), "feels_like_celsius": celsius(t) - 1, "humidity_percent": 81, "pressure_hpa": 1012, "wind_mps": 3, "wind_direction_degrees": 180, "clouds_percent": 75}},
			reading.Reading{Name: "outdoor_air", Tags: tags, Time: t, Fields: map[string]float64{"us_aqi": daily(45, 6, 3)(t), "pm2_5_ugm3": daily(8, 2, 1)(t), "openweather_index": 1}})
	}
	first := h.Now.Truncate(3 * time.Hour).Add(3 * time.Hour)
	for i := range 40 {
		t := first.Add(time.Duration(i) * 3 * time.Hour)
		rain := max(0, 2.4-math.Abs(float64(i)-4)) + max(0, 1.2-math.Abs(float64(i)-21))
		text := map[string]string{"description": "scattered clouds", "summary": "Clouds"}
		if rain > 0 {
			text = map[string]string{"description": "light rain", "summary": "Rain"}
		}
		rs = append(rs, reading.Reading{Name: "weather_forecast", Tags: tags, Time: t, Text: text, Fields: map[string]float64{"temperature_celsius": celsius(t) - t.Sub(h.Now).Hours()/28, "rain_mm": rain, "snow_mm": 0, "precipitation_chance_percent": min(90, 50*rain), "wind_mps": 3, "clouds_percent": 60}})
	}
	today := time.Date(h.Now.In(zone).Year(), h.Now.In(zone).Month(), h.Now.In(zone).Day(), 0, 0, 0, 0, zone)
	for i, d := range [][4]float64{{6, 12, 6, 60}, {6, 12, 4, 80}, {5, 11, 0.2, 20}, {3, 10, 0, 0}, {2, 9, 0, 5}, {4, 8, 1, 35}} {
		rs = append(rs, reading.Reading{Name: "weather_day", Tags: tags, Time: today.AddDate(0, 0, i).UTC(), Fields: map[string]float64{"low_celsius": d[0], "high_celsius": d[1], "rain_mm": d[2], "snow_mm": 0, "precipitation_chance_percent": d[3]}})
	}
	h.Readings(rs...)
}

func (h *House) fillMarkets() {
	var rs []reading.Reading
	for i, s := range []struct {
		symbol         string
		price, percent float64
	}{{"SPY", 583.63, 0.63}, {"AAPL", 231.2, -1.12}, {"NVDA", 142.09, 2.04}} {
		before := s.price / (1 + s.percent/100)
		for n := range 5 * 26 { // five days of quarters of an hour
			t := h.Now.Add(-time.Duration(n) * 15 * time.Minute)
			price := s.price - (s.price-before)*float64(n)/30 + s.price*0.003*math.Sin(float64(n*(i+2))/7)
			if n == 0 {
				price = s.price
			}
			rs = append(rs, reading.Reading{Name: "stock_quote", Tags: map[string]string{"symbol": s.symbol}, Time: t, Fields: map[string]float64{"price_usd": price, "previous_close_usd": before, "change_percent": 100 * (price - before) / before, "change_usd": price - before}})
		}
	}
	today := h.Now.Truncate(24 * time.Hour)
	for ago, shift := range map[int]float64{1: 0, 36: 0.06, 188: 0.1, 371: 0.35} {
		for i, m := range []string{"1m", "2m", "3m", "6m", "1y", "2y", "3y", "5y", "7y", "10y", "20y", "30y"} {
			y := []float64{4.32, 4.27, 4.21, 4.09, 3.97, 3.84, 3.73, 3.82, 3.91, 4.11, 4.6, 4.5}[i]
			rs = append(rs, reading.Reading{Name: "treasury_yield", Tags: map[string]string{"maturity": m}, Time: today.AddDate(0, 0, -ago), Fields: map[string]float64{"yield_percent": y + shift*(1-float64(i)/14)}})
		}
	}
	for day := 1; day <= h.Now.Day(); day++ {
		used := 46 * float64(day)
		rs = append(rs, reading.Reading{Name: "github_usage", Tags: map[string]string{"owner": "octocat"}, Time: today.AddDate(0, 0, day-h.Now.Day()), Fields: map[string]float64{"minutes_used": used, "minutes_run": used, "minutes_included": 2000, "minutes_left": 2000 - used, "gross_usd": used / 125, "net_usd": 0}})
	}
	h.Readings(rs...)
}

// task is one that is due so many days from now, and that nobody has touched for idle days.
func (h *House) task(id, title string, due, idle int) item.Item {
	return item.Item{ID: id, Title: title, URL: "https://app.asana.com/0/1/" + id, At: h.Now.AddDate(0, 0, -30),
		Attributes: map[string]string{"modified_at": h.Now.AddDate(0, 0, -idle).Format(time.RFC3339), "due_on": h.Now.AddDate(0, 0, due).Format(time.DateOnly)}}
}

func (h *House) fillTasks(due ...item.Item) {
	idle := h.task("4", "Write the garden plan for spring", 0, 12)
	delete(idle.Attributes, "due_on")
	h.Items("asana", "Home", append(due, idle, h.task("5", "Return the library's books", 6, 1), h.task("6", "Sort the cables", 20, 2))...)
}

func (h *House) fillLists() {
	h.Items("feeds", "news", item.Item{ID: "1", Title: "Pi 5 8 GB in stock at Adafruit", URL: "https://example.org/1", At: h.Now.Add(-18 * time.Minute)}, item.Item{ID: "2", Title: "Zigbee2MQTT 2.15 released", URL: "https://example.org/2", At: h.Now.Add(-2 * time.Hour)},
		item.Item{ID: "3", Title: "Why the town's library opens on Sundays from now on, and what that costs", URL: "https://example.org/3", At: h.Now.Add(-7 * time.Hour)})
	for name, minutes := range map[string]int{"weather": 15, "stocks": 15, "treasuries": 720, "asana": 60, "feeds": 60, "github": 60, "alert-devices": 1, "alert-deadlines": 5, "sensors": 0, "zigbee": 0} {
		h.OK(h.Store.SaveFunction(h.T.Context(), store.Function{Name: name, Period: time.Duration(minutes) * time.Minute, Configured: true, LastSeen: h.Now.Add(-time.Minute)}))
	}
}
