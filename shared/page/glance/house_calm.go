package glance

import (
	"html/template"
	"time"

	"github.com/hearth-home/hearth/shared/page/texts"
)

// calm says what is good to know: what is open, that it is dry, how moist plants are.
func (w *world) calm(devices []device) (out []template.HTML) {
	within := 48 * time.Hour // what reports only changes may be quiet for long
	var open []string
	var plants []template.HTML
	contacts, leaks, wet := 0, 0, 0
	for _, d := range devices {
		if v, ok := d.value("contact", w.Now, within); ok && !d.Away {
			contacts++
			if v == 0 {
				open = append(open, w.spoken(d))
			}
		}
		if v, ok := d.value("water_leak", w.Now, within); ok && !d.Away {
			leaks++
			wet += int(v)
		}
		for _, key := range []string{"soil_moisture_percent", "moisture_percent"} {
			if v, ok := d.value(key, w.Now, within); ok {
				plants = append(plants, escaped(w.spoken(d))+" "+num(v, 0)+" %")
			}
		}
	}
	switch {
	case len(open) == 1:
		out = append(out, texts.HTML("house.isOpen", open[0]))
	case len(open) > 1:
		out = append(out, texts.HTML("house.manyOpen", len(open)))
	case contacts > 1:
		out = append(out, texts.HTML("house.closed"))
	}
	if leaks > 0 && wet == 0 {
		out = append(out, texts.HTML("house.noLeak"))
	}
	if n := len(plants); n > 0 && n <= 3 {
		out = append(out, join(plants, ", "))
	}
	return out
}
