package settings

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

const whole = `
house:
  zone: Europe/Berlin
  place: {name: Home, latitude: 52.5, longitude: 13.4}
  units: metric
  locale: de-DE
  currency: EUR
  price_per_kwh:
    - {from: "06:00", to: "22:00", price: 0.32}
    - {from: "22:00", to: "06:00", price: 0.25}
devices:
  - device: kitchen
    name: Kitchen
    room: Kitchen
    physical: "0xa4c1380000000099"
    maintenance: 2026-12-24 18:00
  - topic: [a/b, c/+]
    cadence: 5m
    time: $.when
    fields:
      x: $.x
      y: {path: $.y, factor: 0.1, words: {on: 1}, counter: true}
    text: {state: $.s}
rules:
  co2: {field: air.co2_ppm, above: {enter: 1400, leave: 1200}, for: 10m, severity: warning, channel: climate}
  frost: {field: air.temperature_celsius, below: 34, unit: °F, room: Cellar, remind: 1d}
  silent: {off: true}
tiles:
  - today
  - tile: weather
    views: [wall, desk]
  - title: Rack
    show: curve
    lines: [power.power_watts, {field: air.temperature_celsius, device: [rack-top, rack-bottom]}]
reminders:
  - {text: Bins, on: [tuesday, friday], at: "19:00"}
  - {text: Boiler, date: 2027-03-01, every: year, ahead: 7d}
quiet_hours: {from: "22:00", to: "07:00"}
away: 2026-12-24
maintenance: [{room: Cellar, until: 2026-12-24 18:00}, {node: attic, from: 2026-12-24 08:00, until: 2026-12-24T17:00:00Z}]
certificates: [router.lan, "mail.example.org:465", "[fd00::1]:8443"]
expiries: [{name: Token, date: 2027-03-01}]
good_morning: "07:15"
x-own: {anything: 1}
`

func TestEverySectionIsRead(t *testing.T) {
	f := Parse([]byte(whole))
	if len(f.Mistakes) > 0 {
		t.Fatal(f.Sorted())
	}
	leave, tenth, lat, lon, tenMinutes, day := 1200.0, 0.1, 52.5, 13.4, 10*time.Minute, 24*time.Hour
	want := &File{
		House: House{Zone: "Europe/Berlin", Place: Place{"Home", &lat, &lon}, Units: "metric", Locale: "de-DE", Currency: "EUR",
			PricePerKWh: []Price{{0.32, "06:00", "22:00"}, {0.25, "22:00", "06:00"}}},
		Devices: []Device{
			{Device: []string{"kitchen"}, Name: "Kitchen", Room: "Kitchen", Physical: []string{"0xa4c1380000000099"}, Maintenance: time.Date(2026, 12, 24, 17, 0, 0, 0, time.UTC)},
			{Topic: []string{"a/b", "c/+"}, Cadence: 5 * time.Minute, Time: Moment{Path: []Path{"$.when"}}, Text: map[string][]Path{"state": {"$.s"}},
				Fields: map[string]Field{"x": {Path: []Path{"$.x"}}, "y": {Path: []Path{"$.y"}, Factor: &tenth, Words: map[string]float64{"on": 1}, Counter: true}}},
		},
		Rules: map[string]Rule{
			"co2":    {Field: "air.co2_ppm", Above: &Threshold{1400, &leave}, For: &tenMinutes, Severity: "warning", Channel: "climate"},
			"frost":  {Field: "air.temperature_celsius", Below: &Threshold{Enter: 34}, Unit: "°F", Room: []string{"Cellar"}, Remind: &day},
			"silent": {Off: true},
		},
		Tiles: []Tile{{Tile: "today"}, {Tile: "weather", Views: []string{"wall", "desk"}},
			{Title: "Rack", Show: "curve", Lines: []Line{{Field: "power.power_watts"}, {Field: "air.temperature_celsius", Device: []string{"rack-top", "rack-bottom"}}}}},
		Reminders:    []Reminder{{Text: "Bins", On: []Weekday{"tuesday", "friday"}, At: "19:00"}, {Text: "Boiler", Date: "2027-03-01", Every: "year", Ahead: 7 * 24 * time.Hour}},
		QuietHours:   []QuietHours{{From: "22:00", To: "07:00"}},
		Away:         Away{time.Date(2026, 12, 23, 23, 0, 0, 0, time.UTC)},
		Maintenance:  []Maintenance{{Room: "Cellar", Until: time.Date(2026, 12, 24, 17, 0, 0, 0, time.UTC)}, {Node: "attic", From: time.Date(2026, 12, 24, 7, 0, 0, 0, time.UTC), Until: time.Date(2026, 12, 24, 17, 0, 0, 0, time.UTC)}},
		Certificates: []string{"router.lan", "mail.example.org:465", "[fd00::1]:8443"},
		Expiries:     []Expiry{{"Token", "2027-03-01"}},
		GoodMorning:  "07:15",
	}
	want.at = f.at
	if !reflect.DeepEqual(f, want) {
		t.Errorf("read\n%+v\nwant\n%+v", f, want)
	}
}

// mistakes writes every mistake as line:column path: text.
func mistakes(f *File) string {
	var out []string
	for _, m := range f.Sorted() {
		kind := ""
		if m.Warning {
			kind = "warning "
		}
		out = append(out, fmt.Sprintf("%s%d:%d %s: %s", kind, m.Line, m.Column, m.Path, m.Text))
	}
	return strings.Join(out, "\n")
}

func TestEveryMistakeHasItsPositionAndAdvice(t *testing.T) {
	for name, tc := range map[string]struct{ yml, want string }{
		"key":          {"devices:\n  - device: a\n    nmae: x\n", `3:5 devices[0]: the key "nmae" is unknown: did you mean name?`},
		"far_key":      {"quiet_hours: {zzzzzzzz: 1, from: \"22:00\", to: \"07:00\"}\n", `1:15 quiet_hours[0]: the key "zzzzzzzz" is unknown: known are from, to, days`},
		"section":      {"device:\n  - device: a\n", `warning 1:1 : the section "device" is unknown: did you mean devices?; this version ignores it`},
		"two":          {"house: {zone: Mars, currency: euro}\n", "1:15 house.zone: \"Mars\" is not a time zone: write it as in Europe/Berlin\n1:31 house.currency: \"euro\" is not a currency: write it as in EUR"},
		"local":        {"house: {zone: Local}\n", `1:15 house.zone: "Local" is not a time zone`},
		"duration":     {"rules: {a: {for: 10}}\n", `1:18 rules.a.for: "10" is not a duration: write it as in 90s, 15m, 2h or 1d`},
		"long":         {"rules: {a: {for: 99999999999999999d}}\n", `longer than a hundred years`},
		"clock":        {"quiet_hours: {from: 25:00, to: \"7:00\"}\n", "1:21 quiet_hours[0].from: \"25:00\" is not a time of day: write it as in 22:30\n1:32 quiet_hours[0].to: \"7:00\" is not a time of day"},
		"weekday":      {"reminders: [{text: x, on: tusday}]\n", `1:27 reminders[0].on[0]: the word "tusday" is unknown: did you mean tuesday?`},
		"comma":        {"rules: {a: {above: '21,5'}}\n", `1:20 rules.a.above: "21,5" is not a number: write 21.5`},
		"infinite":     {"rules: {a: {above: .inf}}\n", `".inf" is not a number`},
		"nan":          {"rules: {a: {above: NaN}}\n", `"NaN" is not a number`},
		"host":         {"certificates: [https://router.lan/]\n", `1:16 certificates[0]: "https://router.lan/" is not a host`},
		"two_of":       {"maintenance: [{room: a, node: b, until: 2026-12-24}]\n", `1:15 maintenance[0]: maintenance needs one of room, device, node and bridge`},
		"no_span":      {"maintenance: [{room: a, from: 2026-12-25, until: 2026-12-24}]\n", `maintenance[0]: maintenance ends before it begins`},
		"no_end":       {"maintenance: [{room: a}]\n", `and its end`},
		"expiry":       {"expiries: [{name: a}]\n", `1:12 expiries[0]: what expires needs a name and a date`},
		"conditions":   {"rules: {a: {silent: 1h, above: 3}}\n", `1:12 rules.a: a rule has one condition`},
		"leave":        {"rules: {a: {above: {enter: 1, leave: 2}}}\n", `1:38 rules.a.above.leave: the condition begins at 1: leave must be at most enter`},
		"leave_below":  {"rules: {a: {below: {enter: 2, leave: 1}}}\n", `leave must be at least enter`},
		"always":       {"rules: {a: {above: 1, below: 2}}\n", `every value is above 1 or below 2`},
		"off_and_on":   {"rules: {a: {off: true, above: 1}}\n", `remove one of them`},
		"unit":         {"rules: {a: {above: 1, unit: furlong}}\n", `1:29 rules.a.unit: the unit "furlong" is unknown`},
		"field":        {"rules: {a: {field: co2}}\n", `"co2" is not a field: write its measurement and its key, as in air.co2_ppm`},
		"rule_name":    {"rules: {My Rule: {off: true}}\n", `the name of a rule may have only lower-case letters`},
		"tile":         {"tiles: [{title: x}]\n", `1:9 tiles[0]: write the name of a tile that hearth has`},
		"lines":        {"tiles: [{lines: [a.b, a.b, a.b, a.b, a.b, a.b, a.b, a.b, a.b]}]\n", `at most 8 lines: these are 9`},
		"reminder":     {"reminders: [{text: x}, {on: monday}, {text: x, on: monday, every: year}]\n", "1:13 reminders[0]: a reminder needs days of the week, as in on: tuesday, or a date, as in date: 2026-12-24\n1:24 reminders[1]: a reminder needs a text\n1:67 reminders[2].every: every needs a date"},
		"date":         {"reminders: [{text: x, date: 2026-02-30}]\n", `"2026-02-30" is not a day`},
		"quiet":        {"quiet_hours: {from: 22:00}\n", `quiet hours need two times of day`},
		"expiries":     {"expiries: [{name: b, date: 2027-01-01}, {name: b, date: 2027-01-01}]\n", `expiries[1]: two have the name "b"`},
		"prices":       {"house: {price_per_kwh: [0.3, 0.2]}\n", `with several prices, each needs two times of day`},
		"place":        {"house: {place: {latitude: 91, longitude: 0}}\n", `1:27 house.place.latitude: a latitude must be from -90 to 90 degrees`},
		"half_a_place": {"house: {place: {latitude: 9}}\n", `a place needs a latitude and a longitude`},
		"time":         {"devices: [{device: a, maintenance: tomorrow}]\n", `"tomorrow" is not a time: write it as in 2026-12-24 18:00`},
		"no_list":      {"devices: {device: a}\n", "1:10 devices: expected a list with - before each element, but found lines of `key: value`"},
		"no_mapping":   {"rules: [a]\n", "1:8 rules: expected lines of `key: value`, but found a list"},
		"no_value":     {"house: {zone: [a]}\n", `1:15 house.zone: expected one value, but found a list`},
		"no_sections":  {"- a\n", "1:1 : expected sections, as in `devices:`, but found a list"},
		"an_empty_one": {"devices:\n  -\n", `2:4 devices[0]: there is nothing after the -`},
		"twice":        {"house:\n  zone: UTC\n  zone: UTC\n", `3:3 house: the key zone is here twice: keep one`},
		"section_too":  {"devices: []\ndevices: []\n", `2:1 : the key devices is here twice: keep one`},
		"in_a_map":     {"rules:\n  a: {off: true}\n  a: {off: true}\n", `3:3 rules: the key a is here twice: keep one`},
		"key_is_list":  {"house: {[a]: 1}\n", `1:9 house: expected one word as the key, but found a list`},
		"tag":          {"house: {zone: !secret zone}\n", `1:15 house.zone: the tag !secret is unknown: hearth.yml has no tags`},
		"many_devices": {"devices: [" + strings.Repeat("{device: a},", maxElements+1) + "]\n", `1:10 devices: there are 2001 devices: at most 2000`},

		"tab":           {"house:\n\tzone: UTC\n", `2:1 : a tab character is here: indent with spaces`},
		"tab_later":     {"# caf\u00e9 \u20ac\nhouse:\n\tzone: UTC\n", `3:1 : a tab character is here: indent with spaces`},
		"colon":         {"devices:\n  - device: a\n    name: the: sun\n", "3:14 : a second `: ` in a line"},
		"indent":        {"house:\n    zone: UTC\n  units: metric\n", `3:3 : this line does not fit the lines above`},
		"quote":         {"house: {zone: \"UTC}\n", `1:15 : a quote is opened here and never closed`},
		"quote_later":   {"house:\n  zone: \"UTC\n  units: metric\n\n\n", `2:9 : a quote is opened here and never closed`},
		"quote_next":    {"house:\n  zone: \"UTC\n  units: \"metric\"\n", `2:9 : a quote is opened here and not closed in this line`},
		"bracket":       {"house: {zone: UTC\n", `1:8 : the bracket that opens here is not closed, or a comma is missing before line 2`},
		"bracket_open":  {"house:\r\n  zone: [\r\n", `2:9 : the bracket that opens here is never closed`},
		"no_comma":      {"house: {zone: UTC units: metric}\n", `1:24 : a comma is missing before this`},
		"no_colon":      {"house:\n  zone\n  units: metric\n", "2:3 : there is no `: ` after this key"},
		"no_space":      {"devices:\n  - topic: a/b\n    device:x\n    name: y\n", "3:5 : there is no `: ` after this key"},
		"no_space_one":  {"house:\n  zone:UTC\n", "2:3 house: expected lines of `key: value`, but found the value \"zone:UTC\": write a space after the colon"},
		"no_space_dash": {"devices:\n  -topic: a/b\n   device: x\n", "2:3 : write a space after the -"},
		"too_far":       {"house:\n  zone: UTC\n    units: metric\n", "3:5 : this line is indented too far"},
		"hash":          {"devices:\n  - topic: #\n    device: x\n", "2:11 devices[0].topic: # begins a comment"},
		"web_space":     {"house:\n\u00a0\u00a0zone: UTC\n", "2:1 : a special space is here"},
		"web_quotes":    {"house:\n  zone: “UTC”\n", "2:9 house.zone: \"“UTC”\" is not a time zone: write it as in Europe/Berlin; these quotes are part of the text"},
		"percent":       {"%house\n", "a text cannot begin with %"},
		"bom":           {"\ufeffhouse:\r\n  zone: UTCC\r\n", "2:9 house.zone"},
		"at":            {"house: {zone: @home}\n", `1:15 : a text cannot begin with this character: put it in quotes`},
		"anchor":        {"house: *none\n", `1:8 : there is no anchor of that name before this`},
		"two_files":     {"house: {}\n---\nhouse: {}\n", `: a second document begins here: hearth.yml is one`},
		"not_utf8":      {"house: {zone: UTC}\n# caf\xe9\n", `2:6 : this is not UTF-8`},
		"utf16":         {"\xff\xfeh\x00", `1:1 : this is not UTF-8`},
		"control":       {"house:\n  zone: U\x00TC\n", `2:10 : a control character is here`},
		"huge":          {"# " + strings.Repeat("x", maxBytes), `0:0 : hearth.yml is larger than 1 MiB`},
		"deep":          {"devices: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000), "expected lines of `key: value`, but found a list"},
		"deep_section":  {"x-own: " + strings.Repeat("[", 20000), "exceeded max depth"},
	} {
		t.Run(name, func(t *testing.T) {
			f := Parse([]byte(tc.yml))
			if got := mistakes(f); !strings.HasPrefix(got, tc.want) && (strings.Contains(tc.want, "\n") || !strings.Contains(got, tc.want)) {
				t.Errorf("got\n%s\nwant\n%s", got, tc.want)
			}
			if warns := strings.HasPrefix(tc.want, "warning"); (f.Err() == nil) != warns {
				t.Errorf("err = %v", f.Err())
			}
		})
	}
}

func TestOtherNotationsOfTheSameSettings(t *testing.T) {
	want := House{Zone: "Europe/Berlin", Currency: "EUR"}
	for name, yml := range map[string]string{
		"bom":          "\ufeffhouse: {zone: Europe/Berlin, currency: EUR}",
		"crlf":         "house:\r\n  zone: Europe/Berlin\r\n  currency: EUR\r\n",
		"a_document":   "---\nhouse: {zone: Europe/Berlin, currency: EUR}\n...\n",
		"comments":     "# of mine\nhouse: # here\n  zone: Europe/Berlin # there\n  currency: EUR\ndevices:\nrules:\ntiles: ~\n",
		"alias":        "x-where: &zone Europe/Berlin\nhouse: {zone: *zone, currency: EUR}\n",
		"alias_of_all": "x-house: &h {zone: Europe/Berlin, currency: EUR}\nhouse: *h\n",
		"merge":        "x-house: &h {zone: Mars, currency: EUR}\nhouse: {<<: *h, zone: Europe/Berlin}\n",
		"merge_list":   "x-a: &a {zone: Europe/Berlin}\nx-b: &b {zone: Mars, currency: EUR}\nhouse: {<<: [*a, *b]}\n",
		"merge_twice":  "x-a: &a {zone: Europe/Berlin}\nx-b: &b {<<: *a, currency: EUR}\nhouse: {<<: *b}\n",
		"a_key":        "x-k: &k zone\nhouse: {*k : Europe/Berlin, currency: EUR}\n",
	} {
		f := Parse([]byte(yml))
		if len(f.Mistakes) > 0 || !reflect.DeepEqual(f.House, want) {
			t.Errorf("%s: %+v, %s", name, f.House, mistakes(f))
		}
	}
	for _, nothing := range []string{"", " \n", "# nothing\n", "---\n", "~\n", "{}"} {
		if f := Parse([]byte(nothing)); len(f.Mistakes) > 0 || !reflect.DeepEqual(f.House, House{}) {
			t.Errorf("%q: %s", nothing, mistakes(f))
		}
	}
}

func TestTextsAreKeptAsTheyAreWritten(t *testing.T) {
	f := Parse([]byte("devices: [{device: 007, name: no, room: 1e3, physical: 0xa4c1380000000099, fields: {x: {path: $, counter: yes}}}]\n"))
	d := f.Devices[0]
	if len(f.Mistakes) > 0 || d.Device[0] != "007" || d.Name != "no" || d.Room != "1e3" || d.Physical[0] != "0xa4c1380000000099" || !d.Fields["x"].Counter {
		t.Errorf("%+v, %s", d, mistakes(f))
	}
}

func TestAMistakeInAnAnchorIsNotedOnce(t *testing.T) {
	f := Parse([]byte("x-base: &b {nmae: x}\ndevices:\n  - {<<: *b, device: a}\n  - {<<: *b, device: b}\n"))
	if got := mistakes(f); got != `1:13 devices[0]: the key "nmae" is unknown: did you mean name?` {
		t.Error(got)
	}
}

func TestRecursiveAnchorsAreAMistake(t *testing.T) {
	bomb := "x-0: &x0 [a, a, a, a, a, a, a, a, a]\n"
	for i := 1; i < 10; i++ {
		bomb += fmt.Sprintf("x-%d: &x%d [%s*x%d]\n", i, i, strings.Repeat(fmt.Sprintf("*x%d, ", i-1), 8), i-1)
	}
	merges := "x-0: &x0 {a: 1}\n"
	for i := 1; i < 10; i++ {
		merges += fmt.Sprintf("x-%d: &x%d {<<: [%s*x%d]}\n", i, i, strings.Repeat(fmt.Sprintf("*x%d, ", i-1), 8), i-1)
	}
	for name, yml := range map[string]string{
		"bomb":       bomb + "devices: *x9\n",
		"many":       "x-l: &l [" + strings.Repeat("{device: a},", 300) + "]\ndevices:\n" + strings.Repeat("  - physical: *l\n", 2000),
		"merges":     merges + "house: {<<: *x9}\n",
		"itself":     "devices: &d [*d]\n",
		"merge_self": "house: &h {<<: *h}\n",
		"place_self": "house: {place: &p {name: *p}}\n",
	} {
		if f := Parse([]byte(yml)); f.Err() == nil {
			t.Errorf("%s: no mistake", name)
		}
	}
}

func TestMistakesOfOtherPackagesHaveAPosition(t *testing.T) {
	f := Parse([]byte("devices:\n  - device: a\n    fields:\n      x: {path: $.x}\n"))
	f.Mistake("devices[0].fields.x.unit", "no unit")
	f.Mistake("devices[0].physical[3]", "none such")
	if got, want := mistakes(f), "2:5 devices[0].physical[3]: none such\n4:10 devices[0].fields.x.unit: no unit"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if !f.Broken("devices[0]") || !f.Broken("devices[0].fields") || f.Broken("devices[0].name") || f.Broken("devices[1]") || f.Broken("devices[0].fields.x.u") {
		t.Errorf("broken: %v", f.Mistakes)
	}
}

func TestAnErrorNamesAtMostTwentyMistakes(t *testing.T) {
	f := Parse([]byte("devices: [" + strings.Repeat("{\n nmae: x},", 1500) + "]\n"))
	if err := f.Err().Error(); strings.Count(err, "\n") != maxInError || !strings.HasSuffix(err, "and 980 more") {
		t.Errorf("%d lines: %s", strings.Count(err, "\n"), err[len(err)-40:])
	}
}

func TestClockAndZone(t *testing.T) {
	if m := Clock("22:30").SinceMidnight(); m != 22*time.Hour+30*time.Minute {
		t.Error(m)
	}
	if Zone("").Location() != time.UTC || Zone("Europe/Berlin").Location().String() != "Europe/Berlin" {
		t.Error("zones")
	}
}

// FuzzParse parses any file: it ends soon, does not panic, and every mistake is at a
// line that the file has.
func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte("x: &a [*a]\nhouse: {<<: *a}\ndevices: *a\n"))
	f.Add([]byte("rules: {a: {above: [1], for: 1h30m}}\r\n---\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		got := Parse(file)
		lines := strings.Count(string(file), "\n") + strings.Count(string(file), "\r") + strings.Count(string(file), "\u0085") + strings.Count(string(file), "\u2028") + strings.Count(string(file), "\u2029") + 2
		for _, m := range got.Mistakes {
			if m.Line > lines || m.Line > 0 && m.Column < 1 || m.Text == "" {
				t.Errorf("%+v", m)
			}
		}
		if again := Parse(file); mistakes(again) != mistakes(got) {
			t.Errorf("%s\nand again\n%s", mistakes(got), mistakes(again))
		}
	})
}

func TestValidPaths(t *testing.T) {
	many := strings.Repeat("{\n nmae: x},", maxMistakes+1)
	for yml, want := range map[string]string{ // of house.zone, devices, rules
		"":                                  "zone devices rules",
		"tiles: [{tile: Weather}]":          "zone devices rules",
		"house: {currency: euro}":           "zone devices rules",
		"house: {language: en}":             "zone devices rules", // of a later version
		"house: {zoen: UTC}":                "devices rules",
		"house: {zone: Mars}":               "devices rules",
		"house: 3":                          "devices rules",
		"house: {zone: UTC, zone: UTC}":     "devices rules",
		"devices: [{device: a, colour: 1}]": "zone rules",
		"devices: []\ndevices: []":          "",
		"devices: [":                        "",
		"later: 1":                          "zone devices rules",
		"x-a: &a {nmae: 1}\nreminders: [*a]\ndevices: [*a]": "zone rules", // noted once
		"devices: [{device: a}]\nrules: {a: {for: x}}":      "zone devices",
		"reminders: [" + many + "]\nrules: {a: {for: x}}":   "zone devices", // more than are kept
	} {
		f := Parse([]byte(yml))
		var got []string
		for _, part := range []struct{ name, path string }{{"zone", "house.zone"}, {"devices", "devices"}, {"rules", "rules"}} {
			if f.valid(part.path) {
				got = append(got, part.name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%.60q: valid are %v, want %s", yml, got, want)
		}
		if all := f.valid("house.zone", "devices", "rules"); all != (len(got) == 3) {
			t.Errorf("%.60q: all are valid: %v", yml, all)
		}
	}
}
