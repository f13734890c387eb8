package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/settings"
)

func TestSettingsCheckNamesEveryMistake(t *testing.T) {
	check := func(text string) (string, error) {
		f := settings.Parse([]byte(text))
		mapping.Compile(f).CheckNames(f, f.Mistake)
		var out bytes.Buffer
		err := report(&out, "other.yml", f, false)
		return out.String(), err
	}
	out, err := check("house:\n  zoen: UTC\ndevices:\n  - {device: a, topic: x, fields: {x: y}}\nlater: 1\n")
	want := []string{`other.yml:2:3: house: the key "zoen" is unknown: did you mean zone?`, "other.yml:4:39: devices[0].fields.x: ", `other.yml:5:1: warning: the section "later" is unknown`, ""}
	lines := strings.Split(out, "\n")
	if err == nil || !strings.Contains(err.Error(), "2 mistakes") || !slices.EqualFunc(lines, want, strings.HasPrefix) {
		t.Errorf("%v\n%s", err, out)
	}
	for text, want := range map[string]string{
		"later: 1\n":            "other.yml is usable, with 1 warning: times in UTC",
		"later: 1\nsooner: 2\n": "other.yml is usable, with 2 warnings: times in UTC",
	} {
		if out, err := check(text); err != nil || !strings.Contains(out, want) || strings.Contains(out, "is right") {
			t.Errorf("%v\n%s", err, out)
		}
	}
	if out, err := check("house: {zone: Europe/Berlin}\ndevices: [{device: a}]\n"); err != nil || out != "other.yml is right: times in Europe/Berlin, devices: 1\n" {
		t.Errorf("%v\n%s", err, out)
	}
}
