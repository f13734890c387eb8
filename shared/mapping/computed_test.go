package mapping

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestComputedValues(t *testing.T) {
	s, err := Parse([]byte(`devices:
  - device: rack
    name: The rack
    fields:
      power_watts: {sum: [pdu-a.power_watts, pdu-b.power_watts]}
      energy: {sum: "rack-*.energy_kwh", unit: Wh, max: 5}
  - device: office-pc
    fields: {heating_kelvin: {difference: [office-pc.exhaust_temperature_celsius, office-pc.intake_temperature_celsius]}}
    max_age: 90s
  - device: load
    measurement: share
    cadence: 2m
    fields: {load_percent: {sum: [a.x, b_c.y_2], factor: 100, offset: -1, title: Load}}
`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range [][2]string{{"pdu-a", "power_watts"}, {"pdu-a", "voltage_volts"}, {"rack-7", "energy_kwh"}, {"office-pc", "intake_temperature_celsius"}, {"b_c", "y_2"}, {"rack", "power_watts"}} {
		for _, v := range s.Computed().Of(m[0], m[1]) {
			got = append(got, fmt.Sprintf("%s: %s of %s.%s within %s %v, 2 is %g, %s", m[0], v.Device, v.Measurement, v.Key, v.MaxAge, v.Derived, v.Convert(2), v.Field.Title))
		}
	}
	want := []string{
		"pdu-a: rack of power.power_watts within 15m0s true, 2 is 2, Power",
		"rack-7: rack of power.energy_kwh within 15m0s true, 2 is 0.002, Energy",
		"office-pc: office-pc of air.heating_kelvin within 1m30s false, 2 is 2, Exhaust above intake",
		"b_c: load of share.load_percent within 6m0s true, 2 is 199, Load",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if m, ok := s.Get("share"); !ok || m.Cadence != 2*time.Minute {
		t.Errorf("%+v", m)
	}
	if none, err := Parse([]byte("devices: [{device: a, name: A}]")); err != nil || none.Computed() != nil {
		t.Errorf("without computed values: %v, %v", none.Computed(), err)
	}
}

func TestMistakesInComputedValues(t *testing.T) {
	for yml, want := range map[string]string{
		"- {device: a, fields: {x: $.x}}":                                                                     "line 2, column 27: devices[0].fields.x: without a topic a field needs sum or difference of values of devices, as in {sum: [pdu-a.power_watts, pdu-b.power_watts]}",
		"- {device: a, fields: {x: {unit: W}}}":                                                               "devices[0].fields.x: without a topic a field needs sum or difference",
		"- {device: a, fields: {x: {sum: [$.x, b.y]}}}":                                                       `line 2, column 34: devices[0].fields.x.sum[0]: "$.x" is not a value of a device: write its id and its key, as in office-pc.power_watts`,
		"- {device: a, fields: {x: {sum: [b.y, b]}}}":                                                         `devices[0].fields.x.sum[1]: "b" is not a value of a device`,
		"- {device: a, fields: {x: {sum: B.y}}}":                                                              `devices[0].fields.x.sum: "B.y" is not a value of a device`,
		"- {device: a, fields: {x: {sum: [b.y], difference: [b.y, c.y]}}}":                                    "devices[0].fields.x: write one of path, sum and difference",
		"- {device: a, fields: {x: {difference: [b.y]}}}":                                                     "devices[0].fields.x.difference: a difference needs two paths",
		"- {device: a, fields: {x: {difference: [\"b-*.y\", c.y]}}}":                                          "devices[0].fields.x.difference: * is only for a sum",
		"- {device: a, fields: {x: {sum: [b.y], counter: true}}}":                                             "devices[0].fields.x: step, counter and words are only for a field of a message",
		"- {device: a, fields: {x: {sum: [b.y], unit: furlong}}}":                                             "furlong",
		"- {device: a, fields: {x: {sum: [b.y], min: 3, max: 1}}}":                                            "the range 3 to 1 is empty",
		"- {device: a, measurement: weather, fields: {x: {sum: [b.y]}}}":                                      "belongs to weather",
		"- {device: a, when: {$.x: 1}, fields: {x: {sum: [b.y]}}}":                                            "devices[0].when: this is for messages: the entry needs a topic",
		"- {device: a, each: $, fields: {x: {sum: [b.y]}}}":                                                   "devices[0].each: this is for messages",
		"- {device: a, pairs: {id: $.i, value: $.v}}":                                                         "devices[0].pairs: this is for messages",
		"- {device: a, time: $.t}":                                                                            "devices[0].time: this is for messages",
		"- {device: a, text: {x: $.x}}":                                                                       "devices[0].text: this is for messages",
		"- {fields: {x: {sum: [b.y]}}}":                                                                       "an entry needs the id of a device, or a topic",
		"- {device: \"{2}\", fields: {x: {sum: [b.y]}}}":                                                      "an entry needs the id of a device, or a topic",
		"- {device: a, topic: t, max_age: 5m, fields: {x: $.x}}":                                              "line 2, column 34: devices[0].max_age: max_age is only for fields that are computed",
		"- {device: a, topic: t, fields: {x: {sum: [b.y]}}}":                                                  `the path "b.y" does not begin with $`,
		"- {device: a, fields: {x: {sum: [b.y]}}}\n- {device: c, fields: {z: {sum: [a.x, b.y]}}}":             "line 3, column 27: devices[1].fields.z: a.x is computed itself: write the values that it is computed from",
		"- {device: a, fields: {x: {sum: [a.x, b.y]}}}":                                                       "a.x is computed itself",
		"- {device: a, fields: {x: {sum: [b.y]}}}\n- {device: a, fields: {x: {sum: [c.y]}}}":                  "devices[1].fields.x: a.x is computed twice",
		"- {device: a, topic: t, measurement: m, fields: {x: $.x}}\n- {device: a, fields: {x: {sum: [b.y]}}}": "devices[1].fields.x: a.x is mapped from messages already",
	} {
		_, err := Parse([]byte("devices:\n" + yml + "\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", yml, err, want)
		}
	}
}
