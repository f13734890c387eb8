package mapping

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hearth-home/hearth/shared/catalogue"
)

// show writes the result of Find: "physical name measurement {field=value…} time".
func show(fs []Found) (out []string) {
	for _, f := range fs {
		var vs []string
		for _, v := range f.Values {
			vs = append(vs, fmt.Sprintf("%s=%g", v.Key, v.V))
		}
		for k, s := range f.Text {
			vs = append(vs, fmt.Sprintf("%s=%q", k, s))
		}
		at := ""
		if !f.Time.IsZero() {
			at = " " + f.Time.Format(time.RFC3339Nano)
		}
		out = append(out, fmt.Sprintf("%s %s %s {%s}%s", f.Physical, f.Name, f.Measurement, strings.Join(vs, " "), at))
	}
	return out
}

func TestFind(t *testing.T) {
	for name, tc := range map[string]struct {
		yml, topic, payload string
		want                []string
		reason              string
	}{
		"short":                       {`[{topic: a/b, fields: {temperature_celsius: $.t}}]`, "a/b", `{"t":21.5}`, []string{"topic/a/b a/b air {temperature_celsius=21.5}"}, ""},
		"leading_slash_and_wildcards": {`[{topic: [/x/+/y, "/z/#"], fields: {humidity_percent: $.h}}]`, "/x/kitchen/y", `{"h":40}`, []string{"topic//x/kitchen/y /x/kitchen/y air {humidity_percent=40}"}, ""},
		"factor_offset_unit":          {`[{topic: a, device: d, fields: {temperature: {path: $.t, factor: 0.1, offset: 2, unit: °F}}}]`, "a", `{"t":2100}`, []string{"hearth.yml/d d air {temperature_celsius=100}"}, ""},
		"millivolts":                  {`[{topic: a, device: d, measurement: soil, fields: {voltage: {path: $.v, unit: mV}}}]`, "a", `{"v":2750}`, []string{"hearth.yml/d d soil {voltage_volts=2.75}"}, ""},
		"paths":                       {`[{topic: a, device: d, measurement: m, fields: {x: "$.a.b[1].c", y: "$['k.1'][0]", z: "$.a"}}]`, "a", `{"a":{"b":[1,{"c":7}]},"k.1":[8]}`, []string{"hearth.yml/d d m {x=7 y=8}"}, `z: {"b":[1,{"c":7}]} is not a number`},
		"several_devices_in_a_message": {`[{topic: a, device: in, fields: {temperature_celsius: $.in}}, {topic: a, device: out, fields: {temperature_celsius: $.out}}]`, "a", `{"in":21,"out":3}`,
			[]string{"hearth.yml/in in air {temperature_celsius=21}", "hearth.yml/out out air {temperature_celsius=3}"}, ""},
		"each_of_a_list": {`[{topic: a, each: $.sensors, device: $.id, fields: {temperature_celsius: $.t}}]`, "a", `{"sensors":[{"id":"one","t":1},{"id":2,"t":2},{"t":3}]}`,
			[]string{"mapped/one one air {temperature_celsius=1}", "mapped/2 2 air {temperature_celsius=2}"}, "there is no device at $.id"},
		"each_of_an_object": {`[{topic: a/+, each: $, device: "{2}-{key}", fields: {temperature_celsius: $.t}}]`, "a/b", `{"x":{"t":1},"y":{"t":2}}`,
			[]string{"mapped/b-x b-x air {temperature_celsius=1}", "mapped/b-y b-y air {temperature_celsius=2}"}, ""},
		"each_without_a_name":  {`[{topic: a/b, each: $, fields: {temperature_celsius: $}}]`, "a/b", `[1,2]`, []string{"topic/a/b/0 a/b-0 air {temperature_celsius=1}", "topic/a/b/1 a/b-1 air {temperature_celsius=2}"}, ""},
		"time_of_seconds":      {`[{topic: a, time: $.ts, fields: {co2_ppm: $.c}}]`, "a", `{"ts":1795435200,"c":600}`, []string{"topic/a a air {co2_ppm=600} 2026-11-23T12:00:00Z"}, ""},
		"time_in_a_zone":       {`[{topic: a, time: {path: $.ts, zone: America/Los_Angeles}, fields: {co2_ppm: $.c}}]`, "a", `{"ts":"2026-11-23 04:00:00","c":600}`, []string{"topic/a a air {co2_ppm=600} 2026-11-23T12:00:00Z"}, ""},
		"an_invalid_time":      {`[{topic: a, time: $.ts, fields: {co2_ppm: $.c}}]`, "a", `{"ts":"soon","c":600}`, nil, `"soon" is not a time`},
		"a_time_that_is_null":  {`[{topic: a, time: $.ts, fields: {co2_ppm: $.c}}]`, "a", `{"ts":null,"c":600}`, []string{"topic/a a air {co2_ppm=600}"}, ""},
		"a_time_that_is_empty": {`[{topic: a, time: $.ts, fields: {co2_ppm: $.c}}]`, "a", `{"ts":"","c":600}`, []string{"topic/a a air {co2_ppm=600}"}, ""},
		"no_time":              {`[{topic: a, time: $.ts, fields: {co2_ppm: $.c}}]`, "a", `{"c":600}`, []string{"topic/a a air {co2_ppm=600}"}, ""},
		"each_with_a_time": {`[{topic: a, each: $, device: $.id, time: $.t, fields: {co2_ppm: $.c}}]`, "a", `[{"id":"x","t":"soon","c":600},{"id":"y","t":"2026-11-23T13:00:00.5+0100","c":700}]`,
			[]string{"mapped/y y air {co2_ppm=700} 2026-11-23T12:00:00.5Z"}, `"soon" is not a time`},
		"quoted_keys": {`[{topic: a, device: d, measurement: m, fields: {a: '$["k.1"]', b: "$['k\"2']", c: "$['it's']", e: "$.a-b/c d"}}]`, "a", `{"k.1":1,"k\"2":2,"it's":3,"a-b/c d":4}`,
			[]string{"hearth.yml/d d m {a=1 b=2 c=3 e=4}"}, ""},
		"a_key_twice": {`[{topic: a, device: d, measurement: m, fields: {a: $.a}}]`, "a", `{"a":1,"a":2}`, []string{"hearth.yml/d d m {a=2}"}, ""},
		"a_number_too_large": {`[{topic: a, device: d, measurement: m, fields: {a: $.a, b: $.b, c: {path: $.c, factor: 1e300}}}]`, "a", `{"a":1e999,"b":5e-324,"c":1e300}`,
			[]string{"hearth.yml/d d m {b=5e-324}"}, "a: JSON: the number 1e999 is too large\nc: the number times its factor is too large"},
		"a_topic_without_the_level": {`[{topic: "x/#", device: "{3}", fields: {co2_ppm: $}}]`, "x/y", `7`, nil, "there is no {3} for the device {3}"},
		"an_empty_level":            {`[{topic: "x/#", device: "{2}", fields: {co2_ppm: $}}]`, "x//y", `7`, nil, "there is no {2}"},
		"a_level_with_braces":       {`[{topic: "x/#", device: "{2}-{3}", fields: {co2_ppm: $}}]`, "x/{3}/{key}", `7`, []string{"mapped/{3}-{key} {3}-{key} air {co2_ppm=7}"}, ""},
		"deep":                      {`[{topic: a, device: d, fields: {co2_ppm: $.a}}]`, "a", `{"b":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `,"a":7}`, nil, "nested deeper"},
		"a_bare_number":             {`[{topic: a, device: d, fields: {power_watts: $}}]`, "a", ` 12.5 `, []string{"hearth.yml/d d power {power_watts=12.5}"}, ""},
		"a_bare_word":               {`[{topic: a, device: d, measurement: m, fields: {open: {path: $, words: {OPEN: 1, CLOSED: 0}}}}]`, "a", `open`, []string{"hearth.yml/d d m {open=1}"}, ""},
		"switches_and_nulls":        {`[{topic: a, device: d, measurement: m, fields: {a: $.a, b: $.b, c: $.c, e: $.e}}]`, "a", `{"a":true,"b":"OFF","c":null,"e":" 7 "}`, []string{"hearth.yml/d d m {a=1 b=0 e=7}"}, ""},
		"decimal_commas":            {`[{topic: a, device: d, measurement: m, fields: {a: $.a, b: $.b, c: $.c, e: $.e}}]`, "a", `{"a":"21,5","b":" -0,125 ","c":"1,234","e":"1,2,3"}`, []string{"hearth.yml/d d m {a=21.5 b=-0.125}"}, "c: \"1,234\" is not a number\ne: \"1,2,3\" is not a number"},
		"texts":                     {`[{topic: a, device: d, measurement: m, fields: {x: $.x}, text: {state: $.s}}]`, "a", `{"x":1,"s":"busy"}`, []string{`hearth.yml/d d m {x=1 state="busy"}`}, ""},
		"not_json":                  {`[{topic: a, device: d, fields: {co2_ppm: $.c}}]`, "a", `hello`, nil, "JSON"},
		"none_of_the_fields":        {`[{topic: a, device: d, fields: {co2_ppm: $.c}}]`, "a", `{"d":1}`, nil, "none of the mapped fields"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Parse([]byte("devices: " + tc.yml))
			if err != nil {
				t.Fatal(err)
			}
			found, ok, err := s.Find(tc.topic, []byte(tc.payload))
			if !ok || (err != nil) != (tc.reason != "") || err != nil && !strings.Contains(err.Error(), tc.reason) {
				t.Errorf("ok %v, %v, want %q", ok, err, tc.reason)
			}
			if d := cmp.Diff(tc.want, show(found)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if _, ok, _ := s.Find("elsewhere", []byte(`{}`)); ok {
				t.Error("it matches a topic without a mapping")
			}
		})
	}
}

func TestBrokenJSONHasOneReasonOnOneLine(t *testing.T) {
	s, err := Parse([]byte(`devices: [{topic: a, fields: {co2_ppm: $.x}}]`))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Find("a", []byte("garbage")); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
}

func TestTooManyElementsAreAnError(t *testing.T) {
	s, err := Parse([]byte(`devices: [{topic: a, each: $, fields: {co2_ppm: $}}]`))
	if err != nil {
		t.Fatal(err)
	}
	found, _, err := s.Find("a", []byte("[7"+strings.Repeat(",7", maxElements)+"]"))
	if len(found) != maxElements || !errors.Is(err, errElements) {
		t.Errorf("%d elements, %v", len(found), err)
	}
}

func TestAMappingDeclaresFieldsLikeTheCatalogue(t *testing.T) {
	s, err := Parse([]byte(`devices: [{topic: a, measurement: kiln, cadence: 5m, fields: {heat_celsius: {path: $, title: Heat, min: 0, max: 1400, step: 50, above: 1250}}},
		{topic: b, measurement: air, fields: {radon_bqm3: {path: $, min: 0, max: 10000}}}]`))
	if err != nil {
		t.Fatal(err)
	}
	ms := s.Measurements()
	if len(ms) != 2 || ms[0].Name != "air" || ms[1].Name != "kiln" || ms[1].Cadence != 5*time.Minute {
		t.Fatalf("%+v", ms)
	}
	if f, ok := ms[1].Field("heat_celsius"); !ok || f.Max != 1400 || f.Step != 50 || f.Title != "Heat" || !f.Warn.HasAbove || f.Warn.Above != 1250 {
		t.Errorf("%+v", f)
	}
	if f, ok := ms[0].Field("radon_bqm3"); !ok || f.Max != 10000 {
		t.Errorf("%+v", f)
	}
	if m, _ := catalogue.Get("air"); len(m.Fields) == len(ms[0].Fields) {
		t.Error("the mapping changed the catalogue")
	}
}

// FuzzFind maps any payload by any file: no panic, and no value that is not a number.
func FuzzFind(f *testing.F) {
	f.Add([]byte(`devices: [{topic: "#", each: $.s, device: $.id, time: $.t, fields: {temperature: {path: "$.a[0]['b']", unit: °F, words: {x: 1}}}, text: {s: $}}]`), []byte(`{"s":[{"id":"x","t":1,"a":[{"b":"x"}]}]}`))
	f.Add([]byte(`devices: [{topic: a, fields: {x: $}}]`), []byte(`x`))
	f.Add([]byte(`devices: [{topic: a, when: {$.m: ["x*", 5]}, device: ["{$.m}-{$['i}']}", "{1}"], time: [$.t, $.u], fields: {x: [$.x, "$.x[0]"], y: {sum: ["$.p[*].*.v", $.q]}, z: {difference: [$.x, $.q]}}, text: {s: [$.s, $.m]}}]`),
		[]byte(`{"m":"xy","i}":5,"u":1795435200,"x":[7],"q":2,"p":[{"a":{"v":1},"b":{"v":"2"}}],"s":null}`))
	f.Add([]byte(`devices: [{topic: a, pairs: {list: $.l, id: ["{$.i}-{key}", $.i], value: [$.v, $.w]}, time: t, device: d, fields: {x: [x-0, x], y: {sum: [x, y]}}, text: {s: s}}]`),
		[]byte(`{"l":[{"i":"x","v":1},{"i":"y","v":null,"w":"2"},{"i":"t","v":"now"},7]}`))
	f.Add([]byte(`devices: [{topic: a, each: $.l, device: "{$$.g}-{key}", time: $$, fields: {x: [$.x, "$$[0]"]}}]`), []byte(`{"g":"a","l":[{"x":1},{}]}`))
	f.Fuzz(func(t *testing.T, file, payload []byte) {
		s, err := Parse(file)
		if err != nil {
			return
		}
		found, _, _ := s.Find("a", payload)
		for _, one := range found {
			for _, v := range one.Values {
				if math.IsNaN(v.V) || v.Key == "" || v.Field == nil {
					t.Errorf("%s %s: %+v", file, payload, one)
				}
			}
		}
	})
}
