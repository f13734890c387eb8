package glance

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/page/texts"
)

// roomQuantity is what a room has one value of, from the best of its sensors.
type roomQuantity struct {
	title  string
	keys   []string // the first is preferred
	unit   string   // "": shown as degrees
	digits int
}

// equivalent is what a sensor of volatile compounds says of CO₂.
var equivalent = texts.Say("air.equivalent")

// ofAir reports whether it is neither temperature nor humidity.
func (q roomQuantity) ofAir() bool { return q.title != warmth.title && q.title != humidity.title }

var (
	warmth   = roomQuantity{texts.Say("rooms.temperature"), []string{"temperature_celsius", "local_temperature_celsius"}, "", 1}
	humidity = roomQuantity{texts.Say("rooms.humidity"), []string{"humidity_percent"}, "%", 0}
	// airs are what is shown of the air: the first that a room has.
	airs = []roomQuantity{
		{"CO₂", []string{"co2_ppm"}, "ppm", 0}, {"PM2.5", []string{"pm2_5_ugm3", "pm25_ugm3"}, "µg/m³", 1},
		{"VOC", []string{"tvoc_ppb", "voc_ppb"}, "ppb", 0}, {equivalent, []string{"eco2_ppm"}, "ppm", 0},
	}
)

// measured is the value of a quantity in a room.
type measured struct {
	roomQuantity
	device device
	metric string
	in     catalogue.Measurement
	value  float64
	at     time.Time
	old    bool
	colour string // mid or bad, by an open alert
}

// best returns the value of a quantity: of a sensor about which there is an alert, else of one
// whose value is not old. What a CO₂ sensor, which heats itself, says of
// temperature and humidity comes last.
func (w *world) best(q roomQuantity, ds []device) (measured, bool) {
	var all []measured
	for _, d := range ds {
		for _, key := range q.keys {
			if m, ok := w.measure(q, d, key); ok {
				all = append(all, m)
			}
		}
	}
	if len(all) == 0 {
		return measured{}, false
	}
	rank := func(m measured) (n int) {
		if m.old {
			n += 100
		}
		if m.colour == "" {
			n += 10
		}
		if _, warm := m.device.Values["co2_ppm"]; warm && !q.ofAir() {
			n += 2
		}
		return n + slices.Index(q.keys, m.metric)
	}
	return slices.MinFunc(all, func(a, b measured) int {
		return cmp.Or(rank(a)-rank(b), strings.Compare(a.device.ID, b.device.ID))
	}), true
}

// elsewhere are metrics of devices whose temperature and humidity are not those of a room: of
// a plug, of soil, of a UPS.
var elsewhere = []string{wattsKey, "soil_moisture_percent", "moisture_percent", "load_percent"}

// notOfRooms are the measurements of things whose temperature is their own.
var notOfRooms = []string{"host", "ups", "power", "soil"}

// measure returns the last good value of a metric of a device.
func (w *world) measure(q roomQuantity, d device, key string) (measured, bool) {
	v, at, ok := d.good(key)
	if !ok {
		return measured{}, false
	}
	if !q.ofAir() {
		if slices.ContainsFunc(elsewhere, func(k string) bool { _, has := d.Values[k]; return has }) {
			return measured{}, false
		}
	}
	m := measured{roomQuantity: q, device: d, metric: key, value: v, at: at}
	age := w.Now.Sub(m.at)
	if m.in, ok = w.measurementOf(d, key); !ok || age > roomSilent {
		return m, false
	}
	if !q.ofAir() && slices.Contains(notOfRooms, m.in.Name) {
		return m, false
	}
	m.old = age > w.fresh(d, m.in)
	if a, ok := w.alertOf(d.ID, key); ok {
		m.colour = colour(a.Severity)
	}
	return m, true
}
