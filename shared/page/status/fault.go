package status

import (
	"fmt"
	"net/http"
	"strings"
)

// Faults makes simulated sensors fail.
type Faults struct {
	Ways []Way
	// On returns the names of the ways in which sensors fail, "" for none, by the topics on
	// which they publish.
	On func() map[string]string
	// Set makes the sensor of a device fail, and in no other way; "" ends that. The error
	// says what does not exist.
	Set func(device, way string) error
}

// Way is a way in which a simulated sensor can be made to fail.
type Way struct{ Name, About string }

// simulate marks the simulated sensors among devices, with what is wrong with each.
func (f *Faults) simulate(devices []Device) {
	if f == nil {
		return
	}
	on := f.On()
	for i := range devices {
		for topic := range strings.SplitSeq(devices[i].Topic, ", ") {
			way, ok := on[topic]
			if !ok {
				continue
			}
			d := &devices[i]
			d.Sensor, d.Fault = topic[strings.LastIndexByte(topic, '/')+1:], way
			for _, w := range f.Ways {
				d.Ways = append(d.Ways, Switch{w, w.Name == way})
			}
		}
	}
}

// Switch is a button that makes a simulated sensor fail.
type Switch struct {
	Way
	On bool
}

// fail makes a simulated sensor fail. The body is a form with device= and fault=, where off
// is none.
// 200 done, with a sentence; 400 the form has mistakes; 404 no simulated sensor runs
// here, or not this one.
func (p *Page) fail(w http.ResponseWriter, r *http.Request) {
	form, ok := readForm(w, r, "device", "fault")
	if !ok {
		return
	}
	if p.Faults == nil {
		http.Error(w, "no simulated sensor runs here", http.StatusNotFound)
		return
	}
	device, fault := form.Get("device"), form.Get("fault")
	way := fault
	if fault == "off" {
		way = ""
	}
	if err := p.Faults.Set(device, way); err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	p.refresh()
	for _, known := range p.Faults.Ways {
		if known.Name == way {
			fmt.Fprintf(w, "%s: %s, until it is switched off or hearth ends\n", device, known.About)
			return
		}
	}
	fmt.Fprintf(w, "%s works again\n", device)
}
