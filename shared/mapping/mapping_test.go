package mapping

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/scan"
	"github.com/hearth-home/hearth/shared/secret"
)

// show writes what was found: "physical name measurement {field=value…} time".
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
		"short":                       {`[{topic: a/b, fields: {temperature_celsius: $.t}}]`, "a/b", `{"t":21.5}`, []string{"topic/a/b b air {temperature_celsius=21.5}"}, ""},
		"leading_slash_and_wildcards": {`[{topic: [/x/+/y, "/z/#"], fields: {humidity_percent: $.h}}]`, "/x/kitchen/y", `{"h":40}`, []string{"topic//x/kitchen/y y air {humidity_percent=40}"}, ""},
		"factor_offset_unit":          {`[{topic: a, device: d, fields: {temperature: {path: $.t, factor: 0.1, offset: 2, unit: °F}}}]`, "a", `{"t":2100}`, []string{"hearth.yml/d d air {temperature_celsius=100}"}, ""},
		"millivolts":                  {`[{topic: a, device: d, measurement: soil, fields: {voltage: {path: $.v, unit: mV}}}]`, "a", `{"v":2750}`, []string{"hearth.yml/d d soil {voltage_volts=2.75}"}, ""},
		"paths":                       {`[{topic: a, device: d, measurement: m, fields: {x: "$.a.b[1].c", y: "$['k.1'][0]", z: "$.a"}}]`, "a", `{"a":{"b":[1,{"c":7}]},"k.1":[8]}`, []string{"hearth.yml/d d m {x=7 y=8}"}, `z: {"b":[1,{"c":7}]} is no number`},
		"several_devices_in_a_message": {`[{topic: a, device: in, fields: {temperature_celsius: $.in}}, {topic: a, device: out, fields: {temperature_celsius: $.out}}]`, "a", `{"in":21,"out":3}`,
			[]string{"hearth.yml/in in air {temperature_celsius=21}", "hearth.yml/out out air {temperature_celsius=3}"}, ""},
		"each_of_a_list": {`[{topic: a, each: $.sensors, device: $.id, fields: {temperature_celsius: $.t}}]`, "a", `{"sensors":[{"id":"one","t":1},{"id":2,"t":2},{"t":3}]}`,
			[]string{"mapped/one one air {temperature_celsius=1}", "mapped/2 2 air {temperature_celsius=2}"}, "there is no device at $.id"},
		"each_of_an_object": {`[{topic: a/+, each: $, device: "{2}-{key}", fields: {temperature_celsius: $.t}}]`, "a/b", `{"x":{"t":1},"y":{"t":2}}`,
			[]string{"mapped/b-x b-x air {temperature_celsius=1}", "mapped/b-y b-y air {temperature_celsius=2}"}, ""},
		"each_without_a_name":  {`[{topic: a/b, each: $, fields: {temperature_celsius: $}}]`, "a/b", `[1,2]`, []string{"topic/a/b/0 b-0 air {temperature_celsius=1}", "topic/a/b/1 b-1 air {temperature_celsius=2}"}, ""},
		"time_of_seconds":      {`[{topic: a, time: $.ts, fields: {co2_ppm: $.c}}]`, "a", `{"ts":1795435200,"c":600}`, []string{"topic/a a air {co2_ppm=600} 2026-11-23T12:00:00Z"}, ""},
		"time_in_a_zone":       {`[{topic: a, time: {path: $.ts, zone: America/Los_Angeles}, fields: {co2_ppm: $.c}}]`, "a", `{"ts":"2026-11-23 04:00:00","c":600}`, []string{"topic/a a air {co2_ppm=600} 2026-11-23T12:00:00Z"}, ""},
		"a_time_that_is_none":  {`[{topic: a, time: $.ts, fields: {co2_ppm: $.c}}]`, "a", `{"ts":"soon","c":600}`, nil, `"soon" is no time`},
		"a_time_that_is_null":  {`[{topic: a, time: $.ts, fields: {co2_ppm: $.c}}]`, "a", `{"ts":null,"c":600}`, []string{"topic/a a air {co2_ppm=600}"}, ""},
		"a_time_that_is_empty": {`[{topic: a, time: $.ts, fields: {co2_ppm: $.c}}]`, "a", `{"ts":"","c":600}`, []string{"topic/a a air {co2_ppm=600}"}, ""},
		"no_time":              {`[{topic: a, time: $.ts, fields: {co2_ppm: $.c}}]`, "a", `{"c":600}`, []string{"topic/a a air {co2_ppm=600}"}, ""},
		"each_with_a_time": {`[{topic: a, each: $, device: $.id, time: $.t, fields: {co2_ppm: $.c}}]`, "a", `[{"id":"x","t":"soon","c":600},{"id":"y","t":"2026-11-23T13:00:00.5+0100","c":700}]`,
			[]string{"mapped/y y air {co2_ppm=700} 2026-11-23T12:00:00.5Z"}, `"soon" is no time`},
		"quoted_keys": {`[{topic: a, device: d, measurement: m, fields: {a: '$["k.1"]', b: "$['k\"2']", c: "$['it's']", e: "$.a-b/c d"}}]`, "a", `{"k.1":1,"k\"2":2,"it's":3,"a-b/c d":4}`,
			[]string{"hearth.yml/d d m {a=1 b=2 c=3 e=4}"}, ""},
		"a_key_twice": {`[{topic: a, device: d, measurement: m, fields: {a: $.a}}]`, "a", `{"a":1,"a":2}`, []string{"hearth.yml/d d m {a=2}"}, ""},
		"a_number_too_large": {`[{topic: a, device: d, measurement: m, fields: {a: $.a, b: $.b, c: {path: $.c, factor: 1e300}}}]`, "a", `{"a":1e999,"b":5e-324,"c":1e300}`,
			[]string{"hearth.yml/d d m {b=5e-324}"}, "a: JSON: 1e999 is beyond what a number can be\nc: with its factor it is beyond what a number can be"},
		"a_topic_without_the_level": {`[{topic: "x/#", device: "{3}", fields: {co2_ppm: $}}]`, "x/y", `7`, nil, "there is no {3} for the device {3}"},
		"an_empty_level":            {`[{topic: "x/#", device: "{2}", fields: {co2_ppm: $}}]`, "x//y", `7`, nil, "there is no {2}"},
		"a_level_with_braces":       {`[{topic: "x/#", device: "{2}-{3}", fields: {co2_ppm: $}}]`, "x/{3}/{key}", `7`, []string{"mapped/{3}-{key} {3}-{key} air {co2_ppm=7}"}, ""},
		"deep":                      {`[{topic: a, device: d, fields: {co2_ppm: $.a}}]`, "a", `{"b":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `,"a":7}`, nil, "nested deeper"},
		"a_bare_number":             {`[{topic: a, device: d, fields: {power_watts: $}}]`, "a", ` 12.5 `, []string{"hearth.yml/d d power {power_watts=12.5}"}, ""},
		"a_bare_word":               {`[{topic: a, device: d, measurement: m, fields: {open: {path: $, words: {OPEN: 1, CLOSED: 0}}}}]`, "a", `open`, []string{"hearth.yml/d d m {open=1}"}, ""},
		"switches_and_nulls":        {`[{topic: a, device: d, measurement: m, fields: {a: $.a, b: $.b, c: $.c, e: $.e}}]`, "a", `{"a":true,"b":"OFF","c":null,"e":" 7 "}`, []string{"hearth.yml/d d m {a=1 b=0 e=7}"}, ""},
		"decimal_commas":            {`[{topic: a, device: d, measurement: m, fields: {a: $.a, b: $.b, c: $.c, e: $.e}}]`, "a", `{"a":"21,5","b":" -0,125 ","c":"1,234","e":"1,2,3"}`, []string{"hearth.yml/d d m {a=21.5 b=-0.125}"}, "c: \"1,234\" is no number\ne: \"1,2,3\" is no number"},
		"texts":                     {`[{topic: a, device: d, measurement: m, fields: {x: $.x}, text: {state: $.s}}]`, "a", `{"x":1,"s":"busy"}`, []string{`hearth.yml/d d m {x=1 state="busy"}`}, ""},
		"not_json":                  {`[{topic: a, device: d, fields: {co2_ppm: $.c}}]`, "a", `hello`, nil, "JSON"},
		"nothing_of_it":             {`[{topic: a, device: d, fields: {co2_ppm: $.c}}]`, "a", `{"d":1}`, nil, "none of the mapped fields"},
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
				t.Error("it takes any topic")
			}
		})
	}
}

func TestParseNamesEveryMistake(t *testing.T) {
	for yml, reasons := range map[string][]string{
		`[{topic: "a/#/b", fields: {x: $.a}}, {device: d, nmae: x}]`:                                 {"nmae"},
		`[{topic: "a/#/b", fields: {x: a}}, {topic: b, fields: {Bad Key: $.a}}]`:                     {"must be the last level", "does not begin with $", `"Bad Key"`, "line 1"},
		`[{topic: a, fields: {time: $.a}}]`:                                                          {`cannot be called "time"`},
		`[{topic: a, fields: {x: {path: $.a, fator: 2}}}]`:                                           {"fator"},
		`[{topic: a, fields: {x: {path: $.a, unit: furlong}}}]`:                                      {"furlong"},
		`[{topic: a, measurement: weather, fields: {x: $.a}}]`:                                       {"belongs to weather"},
		`[{topic: a, measurement: canary, fields: {x: $.a}}]`:                                        {"belongs to sensors"},
		`[{topic: a, measurement: m, fields: {x: $.a}, text: {x: $.b}}]`:                             {"number elsewhere"},
		`[{topic: a, measurement: m, fields: {x: $.a}}, {topic: b, measurement: m, text: {x: $.b}}]`: {"number elsewhere"},
		`[{topic: a, measurement: m, fields: {x: {path: $.a, min: 3, max: 1}}}]`:                     {"range"},
		`[{topic: a}]`:                          {"no fields"},
		`[{device: a, physical: ["edge/x\0"]}]`: {"control character"},
		`[{device: a, physical: [` + strings.Repeat("x", 600) + `]}]`: {"longer than 500"},
		`[{name: x}]`:          {"needs the id"},
		`[{device: Big Name}]`: {`write "big-name"`},
		`[{device: a, physical: [x]}, {device: b, physical: [x]}]`:    {"x is a as well as b"},
		`[{topic: a, time: {path: $.t, zone: Mars}, fields: {x: $}}]`: {"Mars"},
		`3`: {"line 1, column 10: devices: a list is wanted"},
	} {
		_, err := Parse([]byte("devices: " + yml))
		for _, r := range reasons {
			if err == nil || !strings.Contains(err.Error(), r) {
				t.Errorf("%s: %v, want %q", yml, err, r)
			}
		}
	}
}

func TestMistakesOfAMappingStandWhereTheyAreWritten(t *testing.T) {
	_, err := Parse([]byte(`house: {zone: Mars}
devices:
  - device: a
    physical:
      - edge/x
      - "edge/\u0007"
  - topic: [a, b/#/c]
    time: {path: ts}
    fields:
      good: $.x
      worse: {path: $.x, unit: furlong}
    text:
      state: s
rules:
  x: {field: air.co3_ppm, above: 1}
  y: {field: nothing.co2_ppm, above: 1}
`))
	want := `line 1, column 15: house.zone: "Mars" is no time zone: write it as in Europe/Berlin
line 6, column 9: devices[0].physical[1]: a name holds a control character or is not UTF-8: "edge/\a"
line 7, column 16: devices[1].topic[1]: `
	for _, w := range []string{want, "line 8, column 11: devices[1].time: the path", "line 11, column 14: devices[1].fields.worse: the unit", "line 13, column 14: devices[1].text.state: the path"} {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("%v\nlacks %s", err, w)
		}
	}
	_, err = Parse([]byte("devices:\n  - {topic: a, measurement: kiln, fields: {glaze_celsius: $}}\nrules:\n  x: {field: air.co3_ppm, above: 1}\n  y: {field: nothing.x, above: 1}\n  z: {field: kiln.glaze_celsius, above: 1}\ntiles: [{lines: kiln.other}]\n"))
	want = `line 4, column 14: rules.x.field: air has no field "co3_ppm"
line 5, column 14: rules.y.field: the measurement "nothing" is in neither the catalogue nor devices
line 7, column 17: tiles[0].lines[0].field: kiln has no field "other"`
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant\n%s", err, want)
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

func TestMoreElementsThanAreTakenIsSaid(t *testing.T) {
	s, err := Parse([]byte(`devices: [{topic: a, each: $, fields: {co2_ppm: $}}]`))
	if err != nil {
		t.Fatal(err)
	}
	found, _, err := s.Find("a", []byte("[7"+strings.Repeat(",7", maxElements)+"]"))
	if len(found) != maxElements || !errors.Is(err, errElements) {
		t.Errorf("%d elements, %v", len(found), err)
	}
}

func TestWhatChangedOfAMappingIsTriedAgain(t *testing.T) {
	sets := make([]*Set, 3)
	for i, yml := range []string{
		`devices: [{topic: [a, b], fields: {x: $.x}}, {topic: c, fields: {x: $.x}}]`,
		`devices: [{device: d, name: new}, {topic: c, fields: {x: $.x}}, {topic: [a, b], fields: {x: $.y}}]`,
		`devices: [{topic: c, fields: {x: $.x}}]`,
	} {
		var err error
		if sets[i], err = Parse([]byte(yml)); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(sets[1].Fresh(sets[0].Sources()), " "); got != "a b" {
		t.Errorf("a field was changed: %q", got)
	}
	if got := sets[2].Fresh(sets[1].Sources()); len(got) > 0 {
		t.Errorf("one was taken out: %q", got)
	}
}

func TestTheHousesZoneIsPartOfAMappingWithATime(t *testing.T) {
	sources := func(yml string) string {
		t.Helper()
		s, err := Parse([]byte(yml))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(s.Sources(), " ")
	}
	const timed, untimed, own = "devices: [{topic: a, time: $.t, fields: {x: $.x}}]\n", "devices: [{topic: a, fields: {x: $.x}}]\n",
		"devices: [{topic: a, time: {path: $.t, zone: UTC}, fields: {x: $.x}}]\n"
	const berlin = "house: {zone: Europe/Berlin}\n"
	if sources(timed) == sources(timed+berlin) {
		t.Error("a time without a zone is another now, and the mapping is not")
	}
	if sources(untimed) != sources(untimed+berlin) || sources(own) != sources(own+berlin) {
		t.Error("the mapping needs no zone of the house")
	}
}

func TestADeclaredFieldIsAsGoodAsOneInTheCatalogue(t *testing.T) {
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
		t.Error("the catalogue itself has changed")
	}
}

func TestWatchKeepsTheLastGoodFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "hearth-settings")
	w := NewWatch(secret.NewFolder(dir).Get("hearth-settings"), slog.New(slog.NewTextHandler(io.Discard, nil)))
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	takes := func(file string, want bool) {
		t.Helper()
		if file == "" {
			os.Remove(path)
		} else if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Minute)
		set, err := w.Set(now)
		if _, ok, _ := set.Find("a", []byte(`1`)); ok != want || err != nil {
			t.Errorf("%q: %v, %v, want %v", file, ok, err, want)
		}
	}
	takes("", false)
	takes("devices: [{topic: a, fields: {co2_ppm: $}}]", true)
	takes("devices: [{topic: a, feilds: {co2_ppm: $}}]", true)
	takes("", true)
	takes("devices: []", false)
}

func TestParseTime(t *testing.T) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for s, want := range map[string]time.Time{
		"1795435200": noon, "1795435200000": noon, "1795435200000000": noon, "1795435200000000001": noon.Add(1), "1795435200.25": noon.Add(250 * time.Millisecond),
		"2026-11-23T12:00:00Z": noon, "2026-11-23T13:00:00+01:00": noon, "2026-11-23T12:00:00": noon, "2026-11-23 12:00:00": noon,
		"2026-11-23T13:00:00+0100": noon, "2026-11-23T12:00:00,25Z": noon.Add(250 * time.Millisecond), "2026-11-23 04:00:00.25 -0800": noon.Add(250 * time.Millisecond), "2026-11-23T12:00Z": noon, "2026-11-23 12:00": noon,
		"1.7954352e9": noon, "1795435200.000": noon, "1795435200000.5": noon.Add(500 * time.Microsecond), "-Inf": {}, "Infinity": {}, "99999999999999999999": {},
		"": {}, "soon": {}, "0": {}, "-5": {}, "NaN": {}, "1e300": {},
	} {
		got, err := ParseTime(s, time.UTC)
		if !got.Equal(want) || (err != nil) != want.IsZero() {
			t.Errorf("%q: %v, %v, want %v", s, got, err, want)
		}
	}
}

func TestProposalsAreWhatAPersonWouldWrite(t *testing.T) {
	got, err := Propose("shellies/attic plug/status", []byte(`{"power":12.5,"relay":"ON","meter":{"total":7,"name":"x"},"ts":1795435200,"list":[1,{"v":2}],"device":3}`))
	want := `devices:
  - device: attic-plug
    topic: "shellies/attic plug/status"
    time: $.ts
    fields:
      power_watts: $.power
      relay: $.relay
      meter_total: $.meter.total
      list_0: "$.list[0]"
      list_1_v: "$.list[1].v"
      value_device: $.device
`
	if err != nil || got != want {
		t.Errorf("%v (-want +got):\n%s", err, cmp.Diff(want, got))
	}
	for _, payload := range []string{``, `hello`, `{}`, `{"a":"x"}`, `{"a":`} {
		if got, err := Propose("a/b", []byte(payload)); err == nil {
			t.Errorf("%q: %s", payload, got)
		}
	}
	if got, err := Propose("a/on", []byte(`OFF`)); err != nil || !strings.Contains(got, "value: $") {
		t.Errorf("%s, %v", got, err)
	}
}

// FuzzPropose proposes for anything: the block is valid and finds what it
// proposes.
func FuzzPropose(f *testing.F) {
	f.Add("a/b", []byte(`{"power":12.5,"relay":"ON","meter":{"a.b":7},"ts":1795435200,"list":[1,{"v":2}],"time":3}`))
	f.Add("/x/1", []byte(`21.5`))
	f.Fuzz(func(t *testing.T, on string, payload []byte) {
		block, err := Propose(on, payload)
		if err != nil || repeats(scan.New(payload)) {
			return
		}
		s, err := Parse([]byte(block))
		if strings.ContainsAny(on, "+#") || on == "" || strings.ToValidUTF8(on, "") != on || strings.ContainsRune(on, 0) {
			return // no topic
		}
		if err != nil {
			t.Fatalf("%q %q: %v\n%s", on, payload, err, block)
		}
		found, ok, err := s.Find(on, payload)
		if !ok || err != nil || len(found) != 1 {
			t.Fatalf("%q %q: %v %v %v\n%s", on, payload, found, ok, err, block)
		}
	})
}

// repeats reports an object with a key twice: which one counts is anybody's guess.
func repeats(s *scan.Scanner) (twice bool) {
	switch s.Kind() {
	case scan.Object:
		seen := map[string]bool{}
		s.Object(func(key []byte) error {
			twice = twice || seen[string(key)]
			seen[string(key)] = true
			twice = repeats(s) || twice
			return nil
		})
	case scan.Array:
		s.Array(func(int) error {
			twice = repeats(s) || twice
			return nil
		})
	default:
		s.Skip()
	}
	return twice
}

// FuzzFind maps any payload by any file: no panic, and no value that is no number.
func FuzzFind(f *testing.F) {
	f.Add([]byte(`devices: [{topic: "#", each: $.s, device: $.id, time: $.t, fields: {temperature: {path: "$.a[0]['b']", unit: °F, words: {x: 1}}}, text: {s: $}}]`), []byte(`{"s":[{"id":"x","t":1,"a":[{"b":"x"}]}]}`))
	f.Add([]byte(`devices: [{topic: a, fields: {x: $}}]`), []byte(`x`))
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

// FuzzParseTime reads any time: what it takes is the same written out.
func FuzzParseTime(f *testing.F) {
	for _, seed := range []string{"1795435200", "1795435200.25", "2026-11-23T12:00:00+0100", "2026-11-23 12:00", "1e18", "-0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseTime(s, time.UTC)
		if err != nil {
			return
		}
		again, err := ParseTime(got.Format(time.RFC3339Nano), time.UTC)
		if y := got.Year(); got.Location() != time.UTC || y >= 0 && y <= 9999 && (err != nil || !again.Equal(got)) {
			t.Fatalf("%q: %v, again %v, %v", s, got, again, err)
		}
	})
}

// FuzzNumber reads any value: a number that is one, or an error.
func FuzzNumber(f *testing.F) {
	for _, seed := range []string{`"21,5"`, `1e999`, `"on"`, `true`, `"0x1p-2"`, `" "`, `{}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		v, ok, err := Number(raw)
		if math.IsNaN(v) || math.IsInf(v, 0) || err != nil && ok {
			t.Fatalf("%q: %v, %v, %v", raw, v, ok, err)
		}
		Text(raw)
	})
}
