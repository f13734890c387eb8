package mapping

import (
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
)

func TestSavedMappingsAddToThoseOfHearthYMLWhichWin(t *testing.T) {
	f := settings.Parse([]byte("devices:\n- {topic: home/+/climate, fields: {temperature_celsius: $.t}}\n"))
	f.Saved = []string{
		"- {topic: home/a/climate, fields: {temperature_celsius: $.other}}\n", // hearth.yml maps it
		"- {topic: garden/barrel, fields: {level_percent: $.level}}\n",
		"- {topic: x, fields: {no: '$['}}\n", // mistakes leave it out
		"- {topic: [y\n",
		"- {device: desk, name: Only a name}\n",
	}
	s := Compile(f)
	if err := f.Err(); err != nil {
		t.Errorf("mistakes of hearth.yml: %v", err)
	}
	for topic, want := range map[string]int{"home/a/climate": 1, "garden/barrel": 1, "x": 0, "y": 0} {
		found, ok, err := s.Find(topic, []byte(`{"t":20,"other":30,"level":7}`))
		if ok != (want > 0) || len(found) != want || err != nil {
			t.Errorf("%s: %v %v %v", topic, found, ok, err)
		}
		if want > 0 && found[0].Values[0].V != map[string]float64{"home/a/climate": 20, "garden/barrel": 7}[topic] {
			t.Errorf("%s: %v", topic, found[0].Values)
		}
	}
	if len(s.devices) != 0 {
		t.Errorf("settings of devices: %v", s.devices)
	}
}

// TestTimesOfASavedMappingAreOfTheHouse, as they are once it stands in hearth.yml: then it is the
// same mapping, whose messages are not read again.
func TestTimesOfASavedMappingAreOfTheHouse(t *testing.T) {
	const house, element = "house: {zone: Europe/Berlin}\n", "- {topic: garden/barrel, time: $.at, fields: {level_percent: $.level}}\n"
	f := settings.Parse([]byte(house))
	f.Saved = []string{element}
	saved, exported := Compile(f), Compile(settings.Parse([]byte(house+"devices:\n"+element)))
	found, _, err := saved.Find("garden/barrel", []byte(`{"at":"2026-11-27T13:00:00","level":7}`))
	if err != nil || len(found) != 1 || !found[0].Time.Equal(time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v %v", found, err)
	}
	if len(exported.NewFilters(saved.Hashes())) > 0 {
		t.Error("in hearth.yml it is a new mapping")
	}
}

// TestHearthYMLMayNameWhatASavedMappingDeclares: a rule and a tile.
func TestHearthYMLMayNameWhatASavedMappingDeclares(t *testing.T) {
	const yml = "rules: {barrel-low: {field: barrel.level_percent, below: 10}}\ntiles: [{lines: [barrel.level_percent]}]\n"
	for _, saved := range [][]string{nil, {"- {topic: garden/barrel, measurement: barrel, fields: {level_percent: $.level}}\n"}} {
		f := settings.Parse([]byte(yml))
		f.Saved = saved
		set := Compile(f)
		set.CheckNames(f, f.Mistake)
		if n := len(f.Mistakes); n != 2-2*len(saved) {
			t.Errorf("%d saved: %v", len(saved), f.Mistakes)
		}
	}
}

func TestAWatchTakesUpWhatThePageSaved(t *testing.T) {
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hearth.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	w := NewWatch(secret.InMemory(nil, nil).Get("hearth-settings"), slog.New(slog.NewTextHandler(io.Discard, nil)))
	mapped := func(now time.Time) bool {
		t.Helper()
		if err := w.ReadSaved(t.Context(), st, now); err != nil {
			t.Fatal(err)
		}
		set, err := w.Set(now)
		if err != nil {
			t.Fatal(err)
		}
		if set.FromFile() {
			t.Error("the set is said to be from a file")
		}
		_, ok, _ := set.Find("garden/barrel", []byte(`{"level":7}`))
		return ok
	}
	if mapped(now) {
		t.Error("mapped before anything was saved")
	}
	if err := st.SavePageDevice(t.Context(), store.PageDevice{Topic: "garden/barrel", Mapping: "- {topic: garden/barrel, fields: {level_percent: $.level}}\n", Since: now}, false); err != nil {
		t.Fatal(err)
	}
	if mapped(now.Add(time.Second)) || !mapped(now.Add(3*time.Second)) || !mapped(now.Add(4*time.Second)) {
		t.Error("the mapping is not taken up after two seconds")
	}
}
