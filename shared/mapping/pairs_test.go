package mapping

import (
	"strings"
	"testing"
)

// TestPairsOfIDsAndValues has payloads of sensor.community, SenML (RFC 8428), a smart
// meter's OBIS codes, Smappee, and gateways that publish one pair a message.
func TestPairsOfIDsAndValues(t *testing.T) {
	for name, tc := range map[string]struct {
		yml      string
		messages []found
	}{
		"a_bare_list": {`{topic: t, device: d, pairs: {list: $, id: $.id, value: $.value}, fields: {temperature_celsius: temp, humidity_percent: hum}}`, []found{
			{"t", `[{"id":"temp","value":21.5},{"id":"hum","value":40},{"id":"door","value":"open"}]`, []string{"hearth.yml/d d air {humidity_percent=40 temperature_celsius=21.5}"}, ""},
			{"t", `[{"value":40,"id":"hum"}]`, []string{"hearth.yml/d d air {humidity_percent=40}"}, ""},
			{"t", `[{"id":"hum","value":40},{"id":"hum","value":41}]`, []string{"hearth.yml/d d air {humidity_percent=41}"}, ""},
			{"t", `[{"id":"hum","value":"wet"},{"id":"temp","value":"21.5"}]`, []string{"hearth.yml/d d air {temperature_celsius=21.5}"}, `humidity_percent: "wet" is not a number`},
			{"t", `[{"id":"hum","value":null},{"id":"temp"},{"value":7},7,null]`, nil, ""},
			{"t", `[]`, nil, ""},
			{"t", `{"id":{"id":"temp","value":3}}`, []string{"hearth.yml/d d air {temperature_celsius=3}"}, ""},
			{"t", `7`, nil, ""},
			{"t", `[{"id":"hum","value":40`, nil, "JSON"},
		}},
		"sensor_community": {`{topic: airrohr/+/data, device: "{$.esp8266id}", pairs: {list: $.sensordatavalues, id: $.value_type, value: $.value}, fields: {pm10_ugm3: SDS_P1, pm2_5_ugm3: SDS_P2, pressure: {path: BME280_pressure, unit: Pa}}, text: {version: $.software_version}}`, []found{
			{"airrohr/7/data", `{"esp8266id":"12345","software_version":"NRZ-2020-133","sensordatavalues":[{"value_type":"SDS_P1","value":"1.80"},{"value_type":"SDS_P2","value":"1.70"},{"value_type":"BME280_pressure","value":"101325.00"},{"value_type":"samples","value":"755761"}]}`,
				[]string{`mapped/12345 12345 custom {pm10_ugm3=1.8 pm2_5_ugm3=1.7 pressure_hpa=1013.25 version="NRZ-2020-133"}`}, ""},
		}},
		"senml": {`{topic: t, device: d, time: "$[0].bt", pairs: {list: $, id: $.n, value: [$.v, $.vb, $.vs]}, measurement: m, fields: {a_celsius: temp, open: door}, text: {mode: mode}}`, []found{
			{"t", `[{"bn":"urn:dev:mac:0024befffe804ff1/","bt":1795435200,"n":"temp","u":"Cel","v":23.1},{"n":"door","vb":true},{"n":"mode","vs":"auto"}]`,
				[]string{`hearth.yml/d d m {a_celsius=23.1 open=1 mode="auto"} 2026-11-23T12:00:00Z`}, ""},
		}},
		"codes_with_points": {`{topic: t, device: d, pairs: {list: $.values, id: $.obis, value: $.value}, measurement: meter, fields: {energy: {path: "1-0:1.8.0", unit: Wh}, power_watts: ["1-0:16.7.0", "1-0:1.7.0"], net: {difference: ["1-0:1.7.0", "1-0:2.7.0"]}}, time: now}`, []found{
			{"t", `{"values":[{"obis":"1-0:1.8.0","value":12345.6},{"obis":"1-0:1.7.0","value":420},{"obis":"1-0:2.7.0","value":20},{"obis":"now","value":1795435200}]}`,
				[]string{"hearth.yml/d d meter {energy_kwh=12.345600000000001 net=400 power_watts=420} 2026-11-23T12:00:00Z"}, ""},
		}},
		"numbers_as_ids": {`{topic: t, device: d, pairs: {list: $.channelPowers, id: $.publishIndex, value: $.power}, fields: {power_watts: {sum: [0, 1]}}}`, []found{
			{"t", `{"channelPowers":[{"ctInput":3,"power":100,"publishIndex":0},{"power":50,"publishIndex":1}]}`, []string{"hearth.yml/d d power {power_watts=150}"}, ""},
			{"t", `{"channelPowers":[{"power":100,"publishIndex":0}]}`, nil, ""},
		}},
		"arrays_as_pairs": {`{topic: t, device: d, pairs: {list: $.v, id: "$[0]", value: "$[1]"}, fields: {co2_ppm: co2}}`, []found{
			{"t", `{"v":[["co2",600],["x"]]}`, []string{"hearth.yml/d d air {co2_ppm=600}"}, ""},
		}},
		"ids_of_several_values": {`{topic: t, device: d, pairs: {list: $.s, id: ["{$.type}/{$.place}", $.type], value: $.v}, measurement: m, fields: {in: temp/in, out: temp/out, x: temp}}`, []found{
			{"t", `{"s":[{"type":"temp","place":"in","v":1},{"type":"temp","place":"out","v":2},{"type":"temp","v":3}]}`, []string{"hearth.yml/d d m {in=1 out=2 x=3}"}, ""},
		}},
		"one_pair_a_message": {`{topic: gateway/+/event, device: "{2}", pairs: {id: $.sensor, value: $.state}, fields: {temperature_celsius: temp, humidity_percent: hum}}`, []found{
			{"gateway/attic/event", `{"sensor":"temp","state":21.5}`, []string{"mapped/attic attic air {temperature_celsius=21.5}"}, ""},
			{"gateway/attic/event", `{"sensor":"hum","state":40}`, []string{"mapped/attic attic air {humidity_percent=40}"}, ""},
			{"gateway/attic/event", `{"sensor":"door","state":"open"}`, nil, ""},
		}},
		"a_topic_for_each_value": {`{topic: homie/+/+/+, device: "{2}-{3}", pairs: {id: "{4}", value: $}, measurement: m, fields: {temperature: {path: temperature, unit: °C}, humidity: {path: humidity, unit: "%"}, motion: {path: motion, words: {on: 1, off: 0}}}, text: {mode: mode}}`, []found{
			{"homie/a/env/temperature", `21.5`, []string{"mapped/a-env a-env m {temperature_celsius=21.5}"}, ""},
			{"homie/a/env/temperature", `70 °F`, []string{"mapped/a-env a-env m {temperature_celsius=21.111111111111114}"}, ""},
			{"homie/a/env/motion", `ON`, []string{"mapped/a-env a-env m {motion=1}"}, ""},
			{"homie/a/env/mode", `auto`, []string{`mapped/a-env a-env m {mode="auto"}`}, ""},
			{"homie/a/env/mode", `"auto"`, []string{`mapped/a-env a-env m {mode="auto"}`}, ""},
			{"homie/a/env/humidity", `unavailable`, nil, ""},
			{"homie/a/env/humidity", `wet`, nil, `humidity_percent: "wet" is not a number`},
			{"homie/a/env/$name", `Sensor of the hall`, nil, ""},
			{"homie/a/env/picture", "\xff\xd8\x00", nil, ""},
		}},
		"within_each": {`{topic: t, each: $.nodes, device: $.name, when: {$.ok: true}, pairs: {list: $.values, id: "{key}", value: $.v}, fields: {temperature_celsius: t, humidity_percent: [h, $.h]}}`, []found{
			{"t", `{"nodes":[{"name":"a","ok":true,"values":{"t":{"v":1},"h":{"v":2}}},{"name":"b","ok":true,"h":3,"values":{"t":{"v":4}}},{"name":"c","ok":false,"values":{"t":{"v":9}}}]}`,
				[]string{"mapped/a a air {humidity_percent=2 temperature_celsius=1}", "mapped/b b air {humidity_percent=3 temperature_celsius=4}"}, ""},
		}},
		"no_list_but_other_paths": {`{topic: t, device: d, pairs: {list: $.s, id: $.i, value: $.v}, fields: {temperature_celsius: temp, humidity_percent: $.h}}`, []found{
			{"t", `{"h":40}`, []string{"hearth.yml/d d air {humidity_percent=40}"}, ""},
		}},
	} {
		t.Run(name, func(t *testing.T) { checkFound(t, "  - "+tc.yml, tc.messages) })
	}
}

func TestMistakesInPairs(t *testing.T) {
	for pairs, want := range map[string]string{
		`{list: $.l, id: $.i}`:                "line 2, column 21: devices[0].pairs: pairs need id and value, as in {list: $.sensors, id: $.type, value: $.v}",
		`{list: $.l, value: $.v}`:             "devices[0].pairs: pairs need id and value",
		`{list: l, id: $.i, value: $.v}`:      `line 2, column 28: devices[0].pairs.list: the path "l" does not begin with $`,
		`{list: $.l, id: type, value: $.v}`:   "line 2, column 37: devices[0].pairs.id: the id is the same for all pairs: write a path",
		`{list: $.l, id: $.i, value: v}`:      `devices[0].pairs.value: the path "v" does not begin with $`,
		`{list: $.l, id: "{x}", value: $.v}`:  "devices[0].pairs.id: \"{x}\": {x} is unknown",
		`{list: $.l, id: $.i, value: "$[*]"}`: "* is only for a sum",
		`{id: "{key}", value: $.v}`:           "{key} is unknown",
		`$.l`:                                 "devices[0].pairs: expected lines of `key: value`",
		`{list: $.l, key: $.k, value: $.v}`:   `the key "key" is unknown: known are list, id, value`,
	} {
		_, err := Parse([]byte("devices:\n- {topic: t, pairs: " + pairs + ", fields: {x: a}}"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", pairs, err, want)
		}
	}
}

// TestPathsOutsideOfTheList: of gateways, whose lists have neither the time nor the id of
// the gateway.
func TestPathsOutsideOfTheList(t *testing.T) {
	checkFound(t, `  - topic: t
    each: $.nodes
    device: "{$$.gateway.id}-{$.n}"
    when: {$$.type: report, $.ok: true}
    time: [$.ts, $$.ts]
    measurement: m
    fields: {x: $.x, y: [$.y, $$.y]}
    text: {firmware: $$.fw}
`, []found{
		{"t", `{"gateway":{"id":"gw1"},"type":"report","ts":1795435200,"fw":"1.2","y":7,"nodes":[{"n":1,"ok":true,"x":1},{"n":2,"ok":true,"x":2,"y":3,"ts":1795435260},{"n":3,"ok":false,"x":9}]}`,
			[]string{`mapped/gw1-1 gw1-1 m {x=1 y=7 firmware="1.2"} 2026-11-23T12:00:00Z`, `mapped/gw1-2 gw1-2 m {x=2 y=3 firmware="1.2"} 2026-11-23T12:01:00Z`}, ""},
		{"t", `{"gateway":{"id":"gw1"},"type":"alarm","ts":1795435200,"nodes":[{"n":1,"ok":true,"x":1}]}`, nil, ""},
		{"t", `{"type":"report","nodes":[{"n":1,"ok":true,"x":1}]}`, nil, "there is no $$.gateway.id for the device {$$.gateway.id}-{$.n}"},
		{"t", `{"type":"report","nodes":[{"n":1,"ok":true,"x":1}]`, nil, "JSON"},
	})
}
