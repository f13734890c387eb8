package mapping

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/secret"
)

func TestParseNamesEveryMistake(t *testing.T) {
	for yml, reasons := range map[string][]string{
		`[{topic: "a/#/b", fields: {x: $.a}}, {device: d, nmae: x}]`:                                 {"nmae"},
		`[{topic: "a/#/b", fields: {x: a}}, {topic: b, fields: {Bad Key: $.a}}]`:                     {"must be the last level", "does not begin with $", `"Bad Key"`, "line 1"},
		`[{topic: a, fields: {time: $.a}}]`:                                                          {`the key "time" is reserved`},
		`[{topic: a, fields: {x: {path: $.a, fator: 2}}}]`:                                           {"fator"},
		`[{topic: a, fields: {x: {path: $.a, unit: furlong}}}]`:                                      {"furlong"},
		`[{topic: a, measurement: weather, fields: {x: $.a}}]`:                                       {"belongs to weather"},
		`[{topic: a, measurement: canary, fields: {x: $.a}}]`:                                        {"belongs to sensors"},
		`[{topic: a, measurement: m, fields: {x: $.a}, text: {x: $.b}}]`:                             {"number elsewhere"},
		`[{topic: a, measurement: m, fields: {x: $.a}}, {topic: b, measurement: m, text: {x: $.b}}]`: {"number elsewhere"},
		`[{topic: a, measurement: m, fields: {x: {path: $.a, min: 3, max: 1}}}]`:                     {"range"},
		`[{topic: a}]`:                          {"needs fields or text"},
		`[{device: a, physical: ["edge/x\0"]}]`: {"control character"},
		`[{device: a, physical: [` + strings.Repeat("x", 600) + `]}]`: {"longer than 500"},
		`[{name: x}]`:          {"need the id"},
		`[{device: Big Name}]`: {`write "big-name"`},
		`[{device: a, physical: [x]}, {device: b, physical: [x]}]`:    {"the physical id x belongs to both a and b"},
		`[{topic: a, time: {path: $.t, zone: Mars}, fields: {x: $}}]`: {"Mars"},
		`3`: {"line 1, column 10: devices: expected a list"},
	} {
		_, err := Parse([]byte("devices: " + yml))
		for _, r := range reasons {
			if err == nil || !strings.Contains(err.Error(), r) {
				t.Errorf("%s: %v, want %q", yml, err, r)
			}
		}
	}
}

func TestMistakesHaveTheirLineAndColumn(t *testing.T) {
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
	want := `line 1, column 15: house.zone: "Mars" is not a time zone: write it as in Europe/Berlin
line 6, column 9: devices[0].physical[1]: a name holds a control character or is not UTF-8: "edge/\a"
line 7, column 16: devices[1].topic[1]: `
	for _, w := range []string{want, "line 8, column 11: devices[1].time: the path", "line 11, column 14: devices[1].fields.worse: the unit", "line 13, column 14: devices[1].text.state: the path"} {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("%v\nlacks %s", err, w)
		}
	}
	_, err = Parse([]byte("devices:\n  - {topic: a, measurement: kiln, fields: {glaze_celsius: $}}\nrules:\n  x: {field: air.co3_ppm, above: 1}\n  y: {field: nothing.x, above: 1}\n  z: {field: kiln.glaze_celsius, above: 1}\ntiles: [{lines: kiln.other}]\n"))
	want = `line 4, column 14: rules.x.field: air has no field "co3_ppm": did you mean co2_ppm?
line 5, column 14: rules.y.field: the measurement "nothing" is in neither the catalogue nor devices
line 7, column 17: tiles[0].lines[0].field: kiln has no field "other"`
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant\n%s", err, want)
	}
}

func TestNewFiltersAreThoseOfNewAndChangedMappings(t *testing.T) {
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
	if got := strings.Join(sets[1].NewFilters(sets[0].Hashes()), " "); got != "a b" {
		t.Errorf("after a field was changed: %q", got)
	}
	if got := sets[2].NewFilters(sets[1].Hashes()); len(got) > 0 {
		t.Errorf("after a mapping was removed: %q", got)
	}
}

func TestTheHousesZoneIsPartOfAMappingWithATime(t *testing.T) {
	sources := func(yml string) string {
		t.Helper()
		s, err := Parse([]byte(yml))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(s.Hashes(), " ")
	}
	const timed, untimed, own = "devices: [{topic: a, time: $.t, fields: {x: $.x}}]\n", "devices: [{topic: a, fields: {x: $.x}}]\n",
		"devices: [{topic: a, time: {path: $.t, zone: UTC}, fields: {x: $.x}}]\n"
	const berlin = "house: {zone: Europe/Berlin}\n"
	if sources(timed) == sources(timed+berlin) {
		t.Error("the house's zone changed, and the hash of a mapping with a time without zone did not")
	}
	if sources(untimed) != sources(untimed+berlin) || sources(own) != sources(own+berlin) {
		t.Error("the house's zone changed the hash of a mapping that does not use it")
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
