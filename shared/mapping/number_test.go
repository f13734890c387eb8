package mapping

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestDecimal(t *testing.T) {
	for text, want := range map[string]float64{
		"21.5": 21.5, "21,5": 21.5, "-21,5": -21.5, "−5": -5, "+3": 3, "1e3": 1000, "1,5e3": 1500, ".5": 0.5, ",5": 0.5, "1,": 1, "0,125": 0.125, "-0,125": -0.125, "12,34": 12.34,
		"1,234.5": 1234.5, "1.234,5": 1234.5, "1,234,567": 1234567, "1.234.567": 1234567, "1.234.567,25": 1234567.25, "1 234,5": 1234.5, "1\u00a0234.5": 1234.5, "12'345.6": 12345.6, "1 234,567": 1234.567,
		"1.234": 1.234, "-1,234,567.5": -1234567.5,
	} {
		if got, ok := decimal(text); !ok || got != want {
			t.Errorf("%q: %v, %v, want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"1,234", "-12,345", "1,2,3", "1.2.3", "1,23,456", "1234,567,890", "12 5", "1,5,", "1..5", "1,234 567", " 5", "5 ", "--5", "", "-", ",", "1e999", "12:30", "٣"} {
		if got, ok := decimal(text); ok {
			t.Errorf("%q: %v, want none", text, got)
		}
	}
}

func TestCutUnit(t *testing.T) {
	for text, want := range map[string][2]string{
		"21.5 °C": {"21.5", "°C"}, "21,5°C": {"21,5", "°C"}, "12%": {"12", "%"}, "-67 dBm": {"-67", "dBm"}, "−5°C": {"−5", "°C"}, "7 µg/m3": {"7", "µg/m3"}, "1.2e3 W": {"1.2e3", "W"}, "5 eV": {"5", "eV"},
		"1 234,5 W": {"1 234,5", "W"}, "1,234.5 W": {"1,234.5", "W"}, "5. W": {"5", ". W"}, "W": {"", "W"}, "5": {"5", ""}, "5E": {"5", "E"}, "3 m³": {"3", "m³"},
	} {
		if number, unit := cutUnit(text); number != want[0] || unit != want[1] {
			t.Errorf("%q: %q and %q, want %q", text, number, unit, want)
		}
	}
}

func TestNoValue(t *testing.T) {
	for text, want := range map[string]bool{"": true, "nan": true, "N/A": true, "n.a.": true, "no data": true, "???": true, "--:--": true, "--%": true, "-- C": true, "nan W": true, "not_available": true, "No-Data": true, "disconnected": true, "-nan(ind)": true, "1.#QNAN": true, "unknown kWh": true, "__": true, "N/D": true, "n.v.": true, "initializing": true, "NotAvailable": true, "pending": true, "k.A.": true, "unbekannt": true,
		"error": false, "W": false, "0": false, "-": true, "closed": false, "nano": false, "unknown cause": false, "on": false, strings.Repeat("-", 41): false} {
		if got := NoValue(text); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// mapped maps the value v to a field, and writes its number, "" for none, or the error.
func mapped(t *testing.T, key, field, v string) string {
	t.Helper()
	s, err := Parse([]byte("devices: [{topic: a, device: d, measurement: m, fields: {" + key + ": " + field + "}}]"))
	if err != nil {
		t.Fatal(err)
	}
	found, _, err := s.Find("a", []byte(`{"v":`+v+`}`))
	switch {
	case err != nil:
		return err.Error()
	case len(found) == 0:
		return ""
	}
	b, err := json.Marshal(found[0].Values[0].V)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAMappedValueMayBringItsUnit(t *testing.T) {
	for _, tc := range []struct{ key, field, v, want string }{
		{"temperature_celsius", "$.v", `"21.5 °C"`, "21.5"},
		{"temperature_celsius", "$.v", `"21,5°C"`, "21.5"},
		{"temperature_celsius", "$.v", `"14 °F"`, "-10"},
		{"temperature_celsius", "$.v", `"21.5°"`, "21.5"},
		{"temperature", "{path: $.v, unit: °F}", `"14°"`, "-10"},
		{"temperature_celsius", "$.v", `"21.5 deg C"`, "21.5"},
		{"humidity_percent", "$.v", `"55 % rH"`, "55"},
		{"pressure_hpa", "$.v", `"1.5 bar"`, "1500"},
		{"wind_mps", "$.v", `"36 km/h"`, "10"},
		{"runtime_seconds", "$.v", `"31 min"`, "1860"},
		{"temperature_celsius", "$.v", `"21.5 ℃"`, "21.5"},
		{"temperature", "{path: $.v, unit: °F}", `"14 °F"`, "-10"},
		{"temperature", "{path: $.v, unit: °F}", `"14"`, "-10"},
		{"temperature", "{path: $.v, unit: °F}", `"21.5 °C"`, "21.5"},
		{"pressure_hpa", "$.v", `"1.013 hPa"`, "1.013"},
		{"pressure_hpa", "$.v", `"101325 Pa"`, "1013.25"},
		{"voltage_volts", "$.v", `"230 V"`, "230"},
		{"humidity_percent", "$.v", `"12 %"`, "12"},
		{"power_watts", "$.v", `"1.2 kW"`, "1200"},
		{"power_watts", "$.v", `"1,234.5 W"`, "1234.5"},
		{"power_watts", "{path: $.v, factor: 2, offset: 1}", `"5 W"`, "11"},
		{"signal_dbm", "$.v", `"-67 dBm"`, "-67"},
		{"x", "$.v", `"5 kW"`, "5000"},
		{"x", "{path: $.v, unit: furlong, factor: 201.168}", `"2 furlong"`, "402.336"},
		{"temperature_celsius", "$.v", `"5 W"`, `temperature_celsius: "5 W" is in W, not in °C`},
		{"temperature", "{path: $.v, unit: °F}", `"5 W"`, `temperature_celsius: "5 W" is in W, not in °F`},
		{"power_watts", "$.v", `"5 kWh"`, `power_watts: "5 kWh" is in kWh, not in W`},
		{"power_watts", "$.v", `"5 furlong"`, `power_watts: "5 furlong" is in furlong, not in W`},
		{"power", "{path: $.v, unit: mW}", `"5 MW"`, "5000000"},
		{"power_watts", "$.v", `"-5W"`, "-5"},
		{"power_watts", "$.v", `"1.#QNAN"`, ""},
		{"power_watts", "$.v", `"12:30"`, `power_watts: "12:30" is not a number`},
		{"power_watts", "$.v", `"2026-11-23"`, `power_watts: "2026-11-23" is not a number`},
		{"x", "$.v", `"5 clients"`, `x: "5 clients" is not a number`},
		{"power_watts", "$.v", `"1,234 W"`, `power_watts: "1,234 W" is not a number`},
	} {
		if got := mapped(t, tc.key, tc.field, tc.v); got != tc.want {
			t.Errorf("%s: %s of %s is %s, want %s", tc.key, tc.field, tc.v, got, tc.want)
		}
	}
}

func TestAWordIsANumberOnlyOfASwitchOrWhereTheMappingSaysSo(t *testing.T) {
	for _, tc := range []struct{ key, field, v, want string }{
		{"temperature_celsius", "$.v", `"off"`, ""},
		{"temperature", "{path: $.v, unit: °C}", `"OFF"`, ""},
		{"power_watts", "$.v", `true`, ""},
		{"power_watts", "{path: $.v, words: {off: 0}}", `"Off"`, "0"},
		{"power_watts", "{path: $.v, words: {off: 0}}", `"on"`, ""},
		{"level", "{path: $.v, unit: furlong, factor: 1}", `"on"`, ""},
		{"on", "$.v", `"ON"`, "1"},
		{"on", "$.v", `true`, "1"},
		{"on", "$.v", `false`, "0"},
		{"door", "{path: $.v, words: {open: 1, closed: 0}}", `"Open"`, "1"},
		{"door", "{path: $.v, words: {\"true\": 0, \"false\": 1}}", `true`, "0"},
		{"on", "$.v", `"standby"`, `on: "standby" is not a number`},
		{"power_watts", "$.v", `"high"`, `power_watts: "high" is not a number`},
	} {
		if got := mapped(t, tc.key, tc.field, tc.v); got != tc.want {
			t.Errorf("%s: %s of %s is %q, want %q", tc.key, tc.field, tc.v, got, tc.want)
		}
	}
}
