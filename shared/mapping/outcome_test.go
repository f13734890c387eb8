package mapping

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const plugAndSensor = `devices:
  - {topic: tele/+/SENSOR, device: "{2}", measurement: power, time: $.Time, fields: {power_watts: $.ENERGY.Power}}
  - {topic: tele/+/SENSOR, device: "{2}", measurement: air, time: $.Time, fields: {temperature_celsius: $.DS18B20.Temperature}}
`

// TestWhatFindsNothingIsNoMistake sends messages, each written as topic payload. What
// follows => is a part of the error; without one, the message is taken.
func TestWhatFindsNothingIsNoMistake(t *testing.T) {
	const plug, sensor, neither = `tele/p/SENSOR {"Time":"2026-11-23T12:00:00","ENERGY":{"Power":5}}`, `tele/s/SENSOR {"Time":"2026-11-23T12:00:00","DS18B20":{"Temperature":20}}`,
		`tele/x/SENSOR {"Time":"2026-11-23T12:00:00","ANALOG":{"A0":3}}`
	const shelly = `devices: [{topic: "+/events/rpc", device: "{1}", fields: {power_watts: "$.params['switch:0'].apower", voltage_volts: "$.params['switch:0'].voltage"}}]`
	const victron = `devices: [{topic: "N/+/battery/+/Soc", device: victron, measurement: ups, fields: {battery_percent: $.value}}]`
	for name, tc := range map[string]struct {
		yml      string
		messages []string
	}{
		"two_entries_on_a_filter":               {plugAndSensor, []string{plug, sensor, plug, sensor}},
		"neither_after_both":                    {plugAndSensor, []string{plug, sensor, neither}},
		"neither_at_first":                      {plugAndSensor, []string{neither + " => none of the mapped fields: power_watts, temperature_celsius", plug, neither + " => fields: temperature_celsius", sensor, neither}},
		"a_mistake_in_a_path":                   {strings.Replace(plugAndSensor, "DS18B20.T", "DS18B2O.T", 1), []string{plug, sensor + " => fields: temperature_celsius", plug, sensor + " => fields: temperature_celsius"}},
		"a_partial_Shelly_NotifyStatus":         {shelly, []string{`plug/events/rpc {"params":{"switch:0":{"apower":5.1}}}`, `plug/events/rpc {"method":"NotifyStatus","params":{"ts":1795435200.5,"wifi":{"rssi":-60}}}`, `plug/events/rpc {"params":{"switch:0":{"voltage":230}}}`, `plug/events/rpc {"method":"NotifyEvent","params":{"events":[]}}`}},
		"a_Shelly_NotifyStatus_at_first":        {shelly, []string{`plug/events/rpc {"src":"shellyplus1pm-1","method":"NotifyStatus","params":{"ts":1795435200.5,"switch:0":{"id":0,"output":true}}}`, `plug/events/rpc {"method":"NotifyFullStatus","params":{"ts":1795435200.5}} => none of the mapped fields`}},
		"Victron":                               {victron, []string{`N/c0/battery/1/Soc {"value":null}`, `N/c0/battery/1/Soc {"value":[]}`, `N/c0/battery/1/Soc {"value":81.5}`, `N/c0/battery/1/Soc {"value":[1]} => is not a number`}},
		"words_for_no_value":                    {victron, []string{`N/c0/battery/1/Soc {"value":"unavailable"}`, `N/c0/battery/1/Soc {"value":"nan"}`, `N/c0/battery/1/Soc {"value":"???"}`, `N/c0/battery/1/Soc {"value":"full"} => "full" is not a number`}},
		"an_empty_list":                         {`devices: [{topic: a, each: $.list, device: $.id, fields: {co2_ppm: $.c}}]`, []string{`a {"list":[]}`, `a {"list":null}`, `a {"list":{}}`, `a {"list":[{"id":"x","c":600}]}`, `a {"list":[{"id":"x"}]}`, `a {}`}},
		"a_list_without_the_field":              {`devices: [{topic: a, each: $.list, device: $.id, fields: {co2_ppm: $.c}}]`, []string{`a {"list":[]}`, `a {"list":[{"id":"x"}]} => fields: co2_ppm`}},
		"no_list":                               {`devices: [{topic: a, each: $.list, fields: {co2_ppm: $.c}}]`, []string{`a {"other":1} => fields: co2_ppm`, `a {"list":5} => there is no list at $.list`}},
		"an_element_without_its_device":         {`devices: [{topic: a, each: $, device: $.id, fields: {co2_ppm: $.c}}]`, []string{`a [{"id":"x","c":600},{"c":700}] => there is no device at $.id`, `a [{"id":"x","c":600},{"q":1}]`}},
		"no_device_while_another_entry_matches": {`devices: [{topic: a, device: $.id, fields: {co2_ppm: $.c}}, {topic: a, device: d, fields: {co2_ppm: $.c}}]`, []string{`a {"c":600}`}},
		"words_for_no_device":                   {`devices: [{topic: a, device: "{$.m}-{$.id}", fields: {co2_ppm: $.c}}]`, []string{`a {"m":"x","id":7,"c":600}`, `a {"m":"x","id":"unknown","c":600} => there is no $.id for the device`, `a {"m":"N/A","id":7,"c":600} => there is no $.m for the device`}},
		"a_list_without_a_value":                {`devices: [{topic: a, device: d, fields: {power_watts: [$.P, "$.P[0]", $.P.v]}}]`, []string{`a {"P":5}`, `a {"P":[null]}`, `a {"P":["nan"]}`, `a {"P":{"v":"unavailable"}}`, `a {"P":[6]}`, `a {"P":["x"]} => "x" is not a number`, `a {"P":{"w":1}} => {"w":1} is not a number`}},
		"no_device":                             {`devices: [{topic: a, device: $.id, fields: {co2_ppm: $.c}}]`, []string{`a {"id":"x","c":600}`, `a {"c":600} => there is no device at $.id`, `a {"id":null}`}},
		"no_time":                               {`devices: [{topic: a, time: $.t, fields: {co2_ppm: $.c}}]`, []string{`a {"c":600}`, `a {"c":600,"t":"unknown"}`, `a {"c":600,"t":""}`, `a {"c":600,"t":"soon"} => "soon" is not a time`}},
		"a_will":                                {`devices: [{topic: "tele/#", device: "{2}", fields: {power_watts: $.P}}]`, []string{`tele/p/LWT Online => none of the mapped fields: JSON`, `tele/p/SENSOR {"P":5}`, `tele/p/LWT Online`, `tele/p/STATE true`, `tele/p/STATE "x"`, `tele/p/SENSOR {"P":5 => JSON: a comma or } expected`}},
		"a_text_that_is_null":                   {`devices: [{topic: a, device: d, measurement: m, text: {state: $.s}}]`, []string{`a {"s":null}`, `a {"s":""}`, `a {"s":"busy"}`, `a {"s":{"x":1}} => state: {"x":1} is not a text`}},
		"a_bare_value":                          {`devices: [{topic: a, device: d, fields: {co2_ppm: $}}]`, []string{`a nan`, `a unavailable`, `a null`, `a 600`, `a high => "high" is not a number`}},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Parse([]byte(tc.yml))
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range tc.messages {
				m, want, _ := strings.Cut(m, " => ")
				on, payload, _ := strings.Cut(m, " ")
				if _, ok, err := s.Find(on, []byte(payload)); !ok || (err != nil) != (want != "") || !strings.Contains(fmt.Sprint(err), want) {
					t.Errorf("%s: %v, want %q", m, err, want)
				}
			}
		})
	}
}

func TestManyMessagesOfChangesWithNothingToMapAreASign(t *testing.T) {
	s, err := Parse([]byte(`devices: [{topic: a, fields: {power_watts: "$.params['switch:0'].apwer"}}]`))
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxChanges + 1 {
		if _, _, err := s.Find("a", []byte(`{"method":"NotifyStatus","params":{"switch:0":{"apower":5}}}`)); (err != nil) != (i == maxChanges) {
			t.Errorf("message %d: %v", i, err)
		}
	}
}

func TestAMappingThatFoundSomethingIsRemembered(t *testing.T) {
	find := func(s *Set, on, payload string) error {
		_, _, err := s.Find(on, []byte(payload))
		return err
	}
	parse := func(yml string) *Set {
		t.Helper()
		s, err := Parse([]byte(yml))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := parse(plugAndSensor)
	const plug, neither = `{"ENERGY":{"Power":5}}`, `{"ANALOG":3}`
	if _, _, ok := s.NewlyFound(); ok || find(s, "tele/x/SENSOR", neither) == nil {
		t.Error("a mapping that found nothing yet")
	}
	find(s, "tele/p/SENSOR", plug)
	hashes, filters, ok := s.NewlyFound()
	if !ok || len(hashes) != 1 || !slices.Equal(filters, []string{"tele/+/SENSOR"}) {
		t.Errorf("%v, %v, %v", hashes, filters, ok)
	}
	find(s, "tele/p/SENSOR", plug)
	if _, _, ok := s.NewlyFound(); ok {
		t.Error("found again, it is no news")
	}
	again := parse(plugAndSensor)
	again.Remember(hashes)
	if err := find(again, "tele/x/SENSOR", neither); err == nil || !strings.HasSuffix(err.Error(), ": temperature_celsius") {
		t.Errorf("after a restart: %v", err)
	}
	changed := parse(strings.ReplaceAll(plugAndSensor, "ENERGY", "ENERGIE"))
	changed.Remember(hashes)
	if err := find(changed, "tele/p/SENSOR", plug); err == nil || !strings.Contains(err.Error(), "power_watts") {
		t.Errorf("after its path was changed: %v", err)
	}
}
