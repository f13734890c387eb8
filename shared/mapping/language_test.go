package mapping

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// found is one message and what a file maps it to; reason is part of the error, "" for
// none.
type found struct {
	topic, payload string
	want           []string
	reason         string
}

func checkFound(t *testing.T, yml string, messages []found) {
	t.Helper()
	s, err := Parse([]byte("devices:\n" + yml))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		got, ok, err := s.Find(m.topic, []byte(m.payload))
		if !ok || (err != nil) != (m.reason != "") || err != nil && !strings.Contains(err.Error(), m.reason) {
			t.Errorf("%s: ok %v, %v, want %q", m.payload, ok, err, m.reason)
		}
		if d := cmp.Diff(m.want, show(got)); d != "" {
			t.Errorf("%s (-want +got):\n%s", m.payload, d)
		}
	}
}

// TestTheFirstPathWithAValueCounts has payloads of Tasmota plugs with one and several
// channels, of Shelly's two generations, and of senders that renamed a key.
func TestTheFirstPathWithAValueCounts(t *testing.T) {
	for name, tc := range map[string]struct {
		yml      string
		messages []found
	}{
		"channels_of_tasmota": {`[{topic: tele/+/SENSOR, device: "{2}", fields: {power_watts: {path: [$.ENERGY.Power, "$.ENERGY.Power[0]"]}}}]`, []found{
			{"tele/a/SENSOR", `{"Time":"2026-05-05T13:27:21","ENERGY":{"Total":31.043,"Power":11}}`, []string{"mapped/a a power {power_watts=11}"}, ""},
			{"tele/b/SENSOR", `{"ENERGY":{"Power":[23.63,67.17],"Voltage":229.3}}`, []string{"mapped/b b power {power_watts=23.63}"}, ""},
			{"tele/c/SENSOR", `{"ENERGY":{"Power":0}}`, []string{"mapped/c c power {power_watts=0}"}, ""},
			{"tele/d/SENSOR", `{"ENERGY":{"Power":[]}}`, nil, ""},
		}},
		"the_short_form_and_the_other_order": {`[{topic: a, device: d, fields: {power_watts: ["$.ENERGY.Power[0]", $.ENERGY.Power]}}]`, []found{
			{"a", `{"ENERGY":{"Power":11}}`, []string{"hearth.yml/d d power {power_watts=11}"}, ""},
			{"a", `{"ENERGY":{"Power":[7,8]}}`, []string{"hearth.yml/d d power {power_watts=7}"}, ""},
		}},
		"null_and_empty_have_no_value": {`[{topic: a, device: d, fields: {power_watts: [$.apower, $.power, "$.meters[0].power"]}}]`, []found{
			{"a", `{"apower":null,"power":"","meters":[{"power":3.5}]}`, []string{"hearth.yml/d d power {power_watts=3.5}"}, ""},
			{"a", `{"apower":null,"power":2}`, []string{"hearth.yml/d d power {power_watts=2}"}, ""},
			{"a", `{"apower":1,"power":2}`, []string{"hearth.yml/d d power {power_watts=1}"}, ""},
			{"a", `{"apower":"dark","power":{}}`, nil, `power_watts: "dark" is not a number`},
		}},
		"a_factor_and_words": {`[{topic: a, device: d, measurement: m, fields: {open: {path: [$.contact, $.state], words: {open: 1, closed: 0}}, t: {path: [$.t, $.temp], unit: °F}}}]`, []found{
			{"a", `{"state":"open","temp":212}`, []string{"hearth.yml/d d m {open=1 t_celsius=100}"}, ""},
		}},
		"texts_times_and_devices": {`[{topic: a, device: [$.id, "{$.mac}-{1}"], time: [$.ts, $.time], measurement: m, fields: {x: $.x}, text: {state: [$.state, $.status]}}]`, []found{
			{"a", `{"id":"one","x":1,"time":"2026-11-23T12:00:00Z","status":"busy"}`, []string{`mapped/one one m {x=1 state="busy"} 2026-11-23T12:00:00Z`}, ""},
			{"a", `{"mac":"c0ff","x":1,"ts":1795435200,"time":7,"state":"idle","status":"busy"}`, []string{`mapped/c0ff-a c0ff-a m {x=1 state="idle"} 2026-11-23T12:00:00Z`}, ""},
			{"a", `{"id":"","mac":"c0ff","x":1,"ts":"soon","time":1795435200}`, []string{`mapped/c0ff-a c0ff-a m {x=1} 2026-11-23T12:00:00Z`}, ""},
			{"a", `{"id":"one","x":1,"ts":"soon"}`, nil, `"soon" is not a time`},
			{"a", `{"x":1}`, nil, "there is no device at $.id"},
		}},
	} {
		t.Run(name, func(t *testing.T) { checkFound(t, "  "+tc.yml, tc.messages) })
	}
}

// TestConditions: a message is mapped by the entries whose condition holds, and passed
// over in silence if none does.
func TestConditions(t *testing.T) {
	events, err := os.ReadFile("testdata/rtl_433.json")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Parse([]byte(`devices:
  - topic: rtl_433/+/events
    when: {$.model: [Acurite-Tower, "Acurite-60*TX"]}
    device: "{$.model}-{$.id}"
    time: {path: $.time, zone: UTC}
    fields: {temperature_celsius: $.temperature_C, humidity_percent: $.humidity}
  - topic: rtl_433/+/events
    when: {$.model: "LaCrosse-*", $.channel: [1, 2]}
    device: "lacrosse-{$.channel}"
    time: {path: $.time, zone: UTC}
    fields: {temperature: {path: $.temperature_F, unit: °F}, humidity_percent: $.humidity}
  - topic: rtl_433/+/events
    when: {$.type: TPMS, $.battery_ok: 1}
    device: "{$.model}-{$.id}"
    measurement: tyre
    fields: {pressure_kpa: $.pressure_kPa}
`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(events)) {
		fs, ok, err := s.Find("rtl_433/pi4/events", []byte(line))
		if !ok || err != nil {
			t.Errorf("%s: %v, %v", line, ok, err)
		}
		got = append(got, show(fs)...)
	}
	want := []string{
		"mapped/Acurite-Tower-14377 Acurite-Tower-14377 air {humidity_percent=61 temperature_celsius=21.3} 2026-11-23T12:00:01Z",
		"mapped/Acurite-Tower-7219 Acurite-Tower-7219 air {humidity_percent=88 temperature_celsius=4.5} 2026-11-23T12:00:04Z",
		"mapped/Acurite-606TX-55 Acurite-606TX-55 air {temperature_celsius=-2.1} 2026-11-23T12:00:09Z",
		"mapped/lacrosse-2 lacrosse-2 air {humidity_percent=22 temperature_celsius=20} 2026-11-23T12:00:12Z",
		"mapped/Toyota-fb2c9a11 Toyota-fb2c9a11 tyre {pressure_kpa=236.5}",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestWhatAConditionAccepts(t *testing.T) {
	for _, tc := range []struct {
		want, payload string
		holds         bool
	}{
		{`Tower`, `{"a":"Tower"}`, true}, {`Tower`, `{"a":"tower"}`, false}, {`Tower`, `{"a":"Towers"}`, false}, {`Tower`, `{"b":"Tower"}`, false},
		{`Tower`, `{"a":null}`, false}, {`Tower`, `{"a":["Tower"]}`, false}, {`Tower`, `{}`, false}, {`Tower`, `[]`, false},
		{`5`, `{"a":5}`, true}, {`5`, `{"a":5.0}`, true}, {`5`, `{"a":"5"}`, true}, {`"5"`, `{"a":5}`, true}, {`5`, `{"a":50}`, false}, {`-0.5`, `{"a":-5e-1}`, true}, {`0`, `{"a":false}`, false},
		{`true`, `{"a":true}`, true}, {`true`, `{"a":"true"}`, true}, {`true`, `{"a":false}`, false}, {`false`, `{"a":0}`, false},
		{`[x, 2, false]`, `{"a":"x"}`, true}, {`[x, 2, false]`, `{"a":2}`, true}, {`[x, 2, false]`, `{"a":false}`, true}, {`[x, 2, false]`, `{"a":"y"}`, false},
		{`"Acurite*"`, `{"a":"Acurite-Tower"}`, true}, {`"*Tower"`, `{"a":"Acurite-Tower"}`, true}, {`"*rite*"`, `{"a":"Acurite-Tower"}`, true}, {`"A*-*r"`, `{"a":"Acurite-Tower"}`, true},
		{`"*x*"`, `{"a":"Acurite-Tower"}`, false}, {`"aa*aa"`, `{"a":"aaa"}`, false}, {`"*"`, `{"a":""}`, true}, {`"*"`, `{"a":7}`, true}, {`"*"`, `{"a":{}}`, false}, {`"*"`, `{"a":null}`, false},
		{`""`, `{"a":""}`, true}, {`""`, `{"a":"x"}`, false}, {`""`, `{}`, false},
	} {
		s, err := Parse([]byte("devices: [{topic: t, when: {$.a: " + tc.want + "}, device: d, fields: {co2_ppm: $.c}}]"))
		if err != nil {
			t.Fatal(err)
		}
		payload := strings.Replace(tc.payload, "{", `{"c":7,`, 1)
		payload = strings.Replace(payload, ",}", "}", 1)
		got, ok, err := s.Find("t", []byte(payload))
		if !ok || err != nil || (len(got) == 1) != tc.holds {
			t.Errorf("%s of %s: %d, %v", tc.want, payload, len(got), err)
		}
	}
}

func TestAllConditionsHoldForAnElementToo(t *testing.T) {
	checkFound(t, `  - {topic: t, each: $.nodes, device: $.id, when: {$.kind: temp, $.ok: true}, fields: {temperature_celsius: $.v}}
  - {topic: t, each: $.nodes, device: $.id, when: {$.kind: hum, $.ok: true}, fields: {humidity_percent: $.v}}
`, []found{
		{"t", `{"nodes":[{"id":"a","kind":"temp","ok":true,"v":21},{"id":"a","kind":"hum","ok":true,"v":40},{"id":"b","kind":"temp","ok":false,"v":99},{"kind":"door"}]}`,
			[]string{"mapped/a a air {temperature_celsius=21}", "mapped/a a air {humidity_percent=40}"}, ""},
		{"t", `{"nodes":[]}`, nil, ""},
		{"t", `{"nodes":[{"id":"a","kind":"temp","ok":true,"v":"hot"}]}`, nil, "not a number"},
	})
}

func TestDeviceIDsOfSeveralValues(t *testing.T) {
	for name, tc := range map[string]struct {
		device   string
		messages []found
	}{
		"two_values": {`device: "{$.model}-{$.id}"`, []found{
			{"a/b", `{"model":"Acurite-Tower","id":14377,"x":1}`, []string{"mapped/Acurite-Tower-14377 Acurite-Tower-14377 m {x=1}"}, ""},
			{"a/b", `{"model":"Acurite-Tower","x":1}`, nil, "there is no $.id for the device {$.model}-{$.id}"},
			{"a/b", `{"model":"Acurite-Tower","id":null,"x":1}`, nil, "there is no $.id"},
		}},
		"levels_keys_and_text": {`each: $.s, device: "rack {2}/{key}_{$['a}b'].c}"`, []found{
			{"/a/b", `{"s":{"k":{"a}b":{"c":true},"x":1}}}`, []string{"mapped/rack b/k_true rack b/k_true m {x=1}"}, ""},
		}},
		"only_a_value_in_braces": {`device: "{$.id}"`, []found{{"a", `{"id":7,"x":1}`, []string{"mapped/7 7 m {x=1}"}, ""}, {"a", `{"id":{},"x":1}`, nil, "there is no device at $.id"}}},
		"the_first_that_is_whole": {`device: ["{$.model}-{$.id}-{$.channel}", "{$.model}-{$.id}", "{1}"]`, []found{
			{"t", `{"model":"m","id":1,"channel":"A","x":1}`, []string{"mapped/m-1-A m-1-A m {x=1}"}, ""},
			{"t", `{"model":"m","id":1,"x":1}`, []string{"mapped/m-1 m-1 m {x=1}"}, ""},
			{"t", `{"x":1}`, []string{"mapped/t t m {x=1}"}, ""},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			checkFound(t, "  - {topic: \"#\", "+tc.device+", measurement: m, fields: {x: $.x}}", tc.messages)
		})
	}
}

// TestSumsAndDifferences has payloads of three-phase meters, of OpenDTU's strings, and of
// a PC's case.
func TestSumsAndDifferences(t *testing.T) {
	for name, tc := range map[string]struct {
		fields   string
		messages []found
	}{
		"a_sum": {`power_watts: {sum: [$.a, $.b, $.c]}`, []found{
			{"t", `{"a":1.5,"b":"2","c":-3}`, []string{"hearth.yml/d d power {power_watts=0.5}"}, ""},
			{"t", `{"a":"1.2 kW","b":"5 W","c":null}`, nil, ""},
			{"t", `{"a":"1.2 kW","b":"5 W","c":"off"}`, nil, ""},
			{"t", `{"a":"1.2 kW","b":"5 W","c":7}`, []string{"hearth.yml/d d power {power_watts=1212}"}, ""},
			{"t", `{"a":"1.2 kW","b":"5 V","c":7}`, nil, `power_watts: "5 V" is in V, not in W`},
			{"t", `{"a":0,"b":0,"c":0}`, []string{"hearth.yml/d d power {power_watts=0}"}, ""},
			{"t", `{"a":1,"b":2}`, nil, ""},
			{"t", `{"a":1,"b":2,"c":null}`, nil, ""},
			{"t", `{"a":1,"b":2,"c":"dark"}`, nil, `power_watts: "dark" is not a number`},
		}},
		"a_difference": {`heating_kelvin: {difference: [$.et, $.it]}`, []found{
			{"t", `{"et":31.5,"it":22}`, []string{"hearth.yml/d d air {heating_kelvin=9.5}"}, ""},
			{"t", `{"et":"31.5 °C","it":"71.6 °F"}`, []string{"hearth.yml/d d air {heating_kelvin=9.5}"}, ""},
			{"t", `{"et":21,"it":22}`, []string{"hearth.yml/d d air {heating_kelvin=-1}"}, ""},
			{"t", `{"et":31.5}`, nil, ""},
		}},
		"a_difference_in_fahrenheit": {`heating: {difference: [$.et, $.it], unit: °F}`, []found{{"t", `{"et":90,"it":72}`, []string{"hearth.yml/d d air {heating_kelvin=10}"}, ""}}},
		"scaled": {`power_watts: {sum: [$.a, $.b], factor: 0.1, offset: 5}, energy: {sum: [$.e, $.f], unit: Wh}`, []found{
			{"t", `{"a":10,"b":20,"e":1500,"f":500}`, []string{"hearth.yml/d d power {energy_kwh=2 power_watts=8}"}, ""},
		}},
		"all_of_a_list": {`power_watts: {sum: "$.phases[*].power"}`, []found{
			{"t", `{"phases":[{"power":100},{"power":0},{"power":-20}]}`, []string{"hearth.yml/d d power {power_watts=80}"}, ""},
			{"t", `{"phases":[{"power":100}]}`, []string{"hearth.yml/d d power {power_watts=100}"}, ""},
			{"t", `{"phases":[{"power":100},{"voltage":230}]}`, nil, ""},
			{"t", `{"phases":[{"power":100},null]}`, nil, ""},
			{"t", `{"phases":[]}`, nil, ""},
			{"t", `{"phases":7}`, nil, ""},
			{"t", `{"phases":[{"power":"x"}]}`, nil, `"x" is not a number`},
		}},
		"a_list_of_numbers_or_one": {`power_watts: {sum: "$.ENERGY.Power[*]"}`, []found{
			{"t", `{"ENERGY":{"Power":[23.5,67]}}`, []string{"hearth.yml/d d power {power_watts=90.5}"}, ""},
			{"t", `{"ENERGY":{"Power":11}}`, []string{"hearth.yml/d d power {power_watts=11}"}, ""},
			{"t", `{"ENERGY":{"Power":null}}`, nil, ""},
		}},
		"lists_in_objects": {`power_watts: {sum: ["$.inverters[*].DC.*.Power.v", $.own]}`, []found{
			{"t", `{"own":1,"inverters":[{"name":"a","DC":{"0":{"Power":{"v":30,"u":"W"}},"1":{"Power":{"v":40}}}},{"DC":{"0":{"Power":{"v":7}}}}]}`, []string{"hearth.yml/d d power {power_watts=78}"}, ""},
			{"t", `{"own":1,"inverters":[{"DC":{"0":{"Power":{"v":30}},"1":{"Power":{}}}}]}`, nil, ""},
		}},
		"texts_beside_the_objects": {`power_watts: {sum: $.*.W}`, []found{
			{"t", `{"name":"x","time":5,"l1":{"W":3},"l2":{"W":4}}`, []string{"hearth.yml/d d power {power_watts=7}"}, ""},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			checkFound(t, "  - {topic: t, device: d, fields: {"+tc.fields+"}}", tc.messages)
		})
	}
}

func TestMistakesInTheLanguageOfMappings(t *testing.T) {
	for yml, want := range map[string]string{
		`{topic: t, fields: {x: {path: []}}}`:                                                                 "line 2, column 26: devices[0].fields.x: a field needs a path, as in $.key, or sum or difference with paths",
		`{topic: t, fields: {x: {unit: W}}}`:                                                                  "devices[0].fields.x: a field needs a path",
		`{topic: t, fields: {x: {path: $.a, sum: [$.b]}}}`:                                                    "devices[0].fields.x: write one of path, sum and difference",
		`{topic: t, fields: {x: [$.a, b]}}`:                                                                   `line 2, column 32: devices[0].fields.x[1]: the path "b" does not begin with $`,
		`{topic: t, fields: {x: {path: [$.a, b]}}}`:                                                           `devices[0].fields.x[1]: the path "b" does not begin with $`,
		`{topic: t, fields: {x: {sum: [$.a, b]}}}`:                                                            `line 2, column 38: devices[0].fields.x.sum[1]: the path "b" does not begin with $`,
		`{topic: t, fields: {x: {difference: [$.a]}}}`:                                                        "line 2, column 39: devices[0].fields.x.difference: a difference needs two paths",
		`{topic: t, fields: {x: {difference: [$.a, $.b, $.c]}}}`:                                              "a difference needs two paths",
		`{topic: t, fields: {x: {difference: $.a}}}`:                                                          "devices[0].fields.x.difference: expected a list with - before each element",
		`{topic: t, fields: {x: {difference: ["$.a[*]", $.b]}}}`:                                              "* is only for a sum",
		`{topic: t, fields: {x: "$.a[*]"}}`:                                                                   `devices[0].fields.x: the path "$.a[*]": * is only for a sum`,
		`{topic: t, fields: {x: $.x}, text: {y: []}}`:                                                         "devices[0].text.y: a text needs a path",
		`{topic: t, fields: {x: $.x}, text: {y: [$.a, b]}}`:                                                   "devices[0].text.y[1]: the path",
		`{topic: t, time: [$.t, u], fields: {x: $.x}}`:                                                        "devices[0].time[1]: the path",
		`{topic: t, when: {a: b}, fields: {x: $.x}}`:                                                          `line 2, column 24: devices[0].when.a: the path "a" does not begin with $`,
		`{topic: t, when: {$.a: }, fields: {x: $.x}}`:                                                         "devices[0].when.$.a: a condition needs a value",
		`{topic: t, when: {$.a: []}, fields: {x: $.x}}`:                                                       "devices[0].when.$.a: a condition needs a value",
		`{topic: t, when: $.a, fields: {x: $.x}}`:                                                             "devices[0].when: expected lines of `key: value`",
		`{topic: t, when: {$.a: {b: c}}, fields: {x: $.x}}`:                                                   "devices[0].when.$.a[0]: expected one value",
		`{topic: t, device: "{$.a", fields: {x: $.x}}`:                                                        `devices[0].device: "{$.a": a { is not closed`,
		`{topic: t, fields: {x: $$.x}}`:                                                                       `devices[0].fields.x: the path "$$.x": only with each is there a $$, the whole payload: write $`,
		`{topic: t, each: $.l, fields: {x: $$x}}`:                                                             `the path "$x"`,
		`{topic: t, each: $$.l, fields: {x: $.x}}`:                                                            `devices[0].each: the path "$$.l"`,
		`{topic: t, each: $.l, pairs: {list: $.s, id: $$.i, value: $.v}, fields: {x: a}}`:                     "devices[0].pairs: $$ is only for the paths outside of pairs",
		`{topic: t, device: "a-{", fields: {x: $.x}}`:                                                         "a { is not closed",
		`{topic: t, device: "{a}", fields: {x: $.x}}`:                                                         "{a} is unknown: write {2} for the second level",
		`{topic: t, device: "{key}", fields: {x: $.x}}`:                                                       "{key} is unknown",
		`{topic: t, device: "{$.a[}", fields: {x: $.x}}`:                                                      `the path "$.a["`,
		`{topic: t, device: [$.a, attic], fields: {x: $.x}}`:                                                  `line 2, column 28: devices[0].device[1]: "attic" is the same for all messages`,
		`{topic: t, device: [$.a, "{$.b}-{"], fields: {x: $.x}}`:                                              "devices[0].device[1]:",
		`{device: [a, b], name: x}`:                                                                           "need the id of one device",
		`{topic: t, device: ["{$.a}"], room: Attic, fields: {x: $.x}}`:                                        "need the id of one device",
		`{topic: t, fields: {x: {sum: [` + strings.Repeat("$.a,", 2) + `]}}, when: {$.a: [x, ]}, feilds: {}}`: `the key "feilds" is unknown`,
	} {
		_, err := Parse([]byte("devices:\n- " + yml))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", yml, err, want)
		}
	}
}
