package local

import (
	"testing"

	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
)

func TestWhatThePageSavedIsASectionOfHearthYML(t *testing.T) {
	text, err := exported([]store.PageDevice{
		{Device: "barrel", Name: "Barrel: \"rain\"", Room: "Garden"}, {Device: "left-alone"}, {Device: "fridge", Room: "yes"},
		{Topic: "garden/barrel", Mapping: "  - device: barrel\n    topic: garden/barrel\n\n    fields:\n      level_percent: $.level\n"},
		{Topic: "left/unmapped"},
		{Topic: "x/y", Mapping: "- {topic: x/y, fields: {temperature_celsius: $}}\n"},
	})
	if err != nil {
		t.Fatal(err)
	}
	f := settings.Parse([]byte(text))
	set := mapping.Compile(f)
	if err := f.Err(); err != nil || len(f.Devices) != 4 || f.Devices[0].Name != `Barrel: "rain"` || f.Devices[1].Room != "yes" || len(set.Hashes()) != 2 {
		t.Errorf("%v in\n%s", err, text)
	}
	if text, err := exported([]store.PageDevice{{Device: "left-alone"}}); text != "" || err != nil {
		t.Errorf("nothing to export: %q, %v", text, err)
	}
}
