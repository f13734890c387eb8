package device

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/store"
)

func TestWarnings(t *testing.T) {
	for name, c := range map[string]struct {
		publishers map[string]int // devices of each; N in a name: as many publishers with one device
		kind       string
		metrics    int    // of each device
		want       string // "": no warning
	}{
		"a_house":              {map[string]int{"hearth/pi4": 20, "tele/plug": 40, "": 30}, "edge", 10, ""},
		"one_half_of_its_room": {map[string]int{"tele": 500}, "mapped", 5, ""},
		"soon_no_more":         {map[string]int{"tele": 801, "hearth/pi4": 5}, "mapped", 1, "sensors: 801 of the room for 2000 devices are taken by tele/#, which soon gets no more: if it makes up devices, forget them with: hearth device forget --from tele --dry-run"},
		"no_more":              {map[string]int{"hearth/evil": 1000, "hearth/pi4": 5}, "edge", 1, "sensors: no room in the register for more devices of hearth/evil/#: make room with: hearth device forget --from hearth/evil --dry-run (1005 of 2000 are taken)"},
		"no_more_below":        {map[string]int{"home/evil": 667}, "mapped", 1, "no room in the register for more devices of home/evil/#"},
		"soon_no_more_below":   {map[string]int{"home/evil": 600}, "mapped", 1, "are taken by home/evil/#, which soon gets no more"},
		"zigbee":               {map[string]int{"zigbee2mqtt": 1000}, "zigbee", 1, "zigbee: no room in the register for more devices of zigbee2mqtt/#"},
		"pasted":               {map[string]int{"a'; reboot": 1000}, "mapped", 1, `--from 'a'\''; reboot' --dry-run`},
		"many_take_it":         {map[string]int{"a": 300, "b": 300, "c": 300, "d": 300, "e": 300, "f": 300}, "mapped", 1, "1800 of the room for 2000 devices are taken, by 6 publishers"},
		"publishers":           {map[string]int{"N": 400}, "mapped", 1, "no room in the register for devices of further publishers"},
		"soon_no_publishers":   {map[string]int{"N": 350}, "mapped", 1, "350 of the room for 2000 devices are taken, by 350 publishers"},
		"metrics":              {map[string]int{"tele": 200}, "mapped", 125, "no room in the register for more metrics of tele/#"},
		"old":                  {map[string]int{"": 1700}, "mapped", 1, "1700 of the room for 2000 devices are taken, by 0 publishers"},
	} {
		t.Run(name, func(t *testing.T) {
			var devices []store.Device
			var states []store.DeviceState
			for publisher, n := range c.publishers {
				for i := range n {
					d := store.Device{ID: fmt.Sprint(publisher, i), Kind: c.kind, Publisher: strings.ReplaceAll(publisher, "N", fmt.Sprint("n", i))}
					devices = append(devices, d)
					for range c.metrics {
						states = append(states, store.DeviceState{Device: d.ID})
					}
				}
			}
			got := Warnings(devices, states)
			if text := strings.Join(got, "\n"); (text == "") != (c.want == "") || !strings.Contains(text, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
