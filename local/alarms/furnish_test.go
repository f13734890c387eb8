package alarms

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// furnish puts the devices into the house.
func (m *month) furnish() {
	noise := func(of float64) float64 { return m.r.NormFloat64() * of }
	day := func(at time.Time, base, swing float64) float64 { // warmest at 15:00
		return base + swing*math.Cos(2*math.Pi*(at.Sub(at.Truncate(24*time.Hour)).Hours()-15)/24)
	}
	round := func(v float64, to float64) float64 { return math.Round(v*to) / to }
	always := func(d time.Duration) func(time.Time) time.Duration {
		return func(time.Time) time.Duration { return d }
	}
	onChange := func(at time.Time) time.Duration { // often by day, each hour at night
		if h := at.Hour(); h >= 7 && h < 23 {
			return min(time.Hour, time.Duration(2+m.r.ExpFloat64()*12)*time.Minute)
		}
		return time.Hour + time.Duration(m.r.IntN(60))*time.Second
	}
	add := func(g *gadget) {
		g.next = m.now.Add(time.Duration(m.r.IntN(600)) * time.Second)
		m.gadgets = append(m.gadgets, g)
	}
	add(&gadget{id: "office-air", gap: always(step), values: func(at time.Time) map[string]any {
		co2 := day(at, 800, 250) + noise(15)
		if m.flap {
			co2 = 700
			if at.Unix()/600%2 == 0 {
				co2 = 2200
			}
		}
		return map[string]any{"co2_ppm": round(co2, 1), "temperature_celsius": round(day(at, 21, 1.5)+noise(0.1), 100), "humidity_percent": round(day(at, 45, 5)+noise(0.5), 10)}
	}})
	add(&gadget{id: "attic-air", gap: always(step), values: func(at time.Time) map[string]any {
		return map[string]any{"temperature_celsius": round(day(at, 24, 6)+noise(0.1), 100), "humidity_percent": round(day(at, 50, -10)+noise(0.5), 10), "pressure_hpa": round(1013+noise(0.2), 10)}
	}})
	add(&gadget{id: "lab-dust", gap: always(step), values: func(at time.Time) map[string]any {
		return map[string]any{"pm2_5_ugm3": round(max(0, 6+noise(2)), 10), "pm10_ugm3": round(max(0, 9+noise(2)), 10)}
	}})
	for i, id := range []string{"bedroom", "bath", "hall"} {
		add(&gadget{id: id, zigbee: true, gap: onChange, values: func(at time.Time) map[string]any {
			return map[string]any{"temperature": round(day(at, 20+float64(i), 1.5)+noise(0.1), 100), "humidity": round(day(at, 50, 8)+noise(1), 10), "battery": 90}
		}})
	}
	add(&gadget{id: "freezer", zigbee: true, gap: always(30 * time.Minute), values: func(at time.Time) map[string]any {
		v := -18 + noise(0.3)
		if !m.drift.IsZero() {
			v += at.Sub(m.drift).Hours() * 0.55
		}
		return map[string]any{"temperature": round(v, 10), "battery": 80}
	}})
	add(&gadget{id: "washer", zigbee: true, gap: always(5 * time.Minute), values: func(at time.Time) map[string]any {
		return map[string]any{"power": round(max(0, 3+noise(0.5)), 10), "state": "ON"}
	}})
	add(&gadget{id: "hall-motion", zigbee: true, values: func(at time.Time) map[string]any {
		return map[string]any{"occupancy": m.r.IntN(2) == 0, "battery": 77}
	}, gap: func(at time.Time) time.Duration { // nothing at night
		if h := at.Hour(); h >= 22 || h < 6 {
			morning := at.Add(2 * time.Hour).Truncate(24 * time.Hour).Add(6 * time.Hour)
			return morning.Add(time.Duration(m.r.IntN(90)) * time.Minute).Sub(at)
		}
		return time.Duration(1+m.r.ExpFloat64()*20) * time.Minute
	}})
	add(&gadget{id: "front-door", zigbee: true, values: func(at time.Time) map[string]any { return map[string]any{"contact": true, "battery": 66} },
		gap: func(at time.Time) time.Duration { return time.Duration(1+m.r.ExpFloat64()*90) * time.Minute }})
	add(&gadget{id: "cellar-leak", zigbee: true, gap: always(50 * time.Minute), values: func(at time.Time) map[string]any {
		return map[string]any{"water_leak": m.leak, "battery": 100}
	}})
	m.introduce()
}

// introduce lets the bridge list its devices.
func (m *month) introduce() {
	var list []string
	for i, g := range m.gadgets {
		if !g.zigbee {
			continue
		}
		var exposes []string
		for key, v := range g.values(m.now) {
			kind := "numeric"
			if _, ok := v.(bool); ok {
				kind = "binary"
			}
			unit := map[string]string{"temperature": "°C", "humidity": "%", "battery": "%", "power": "W"}[key]
			if s := `{"type":"` + kind + `","property":"` + key + `","unit":"` + unit + `","access":1`; kind == "binary" {
				exposes = append(exposes, s+`,"value_on":true,"value_off":false}`)
			} else if key != "state" {
				exposes = append(exposes, s+"}")
			}
		}
		list = append(list, fmt.Sprintf(`{"ieee_address":"0x%016x","type":"EndDevice","friendly_name":%q,"definition":{"model":"M","vendor":"V","exposes":[%s]}}`, i+1, g.id, strings.Join(exposes, ",")))
	}
	m.send(m.zigbee, "zigbee2mqtt/bridge/state", `{"state":"online"}`, m.now)
	m.send(m.zigbee, "zigbee2mqtt/bridge/devices", "["+strings.Join(list, ",")+"]", m.now)
	m.send(m.sensors, "hearth/pi/status", `{"state":"online","boot":"b"}`, m.now)
}
