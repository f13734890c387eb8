package catalogue

import (
	"slices"
	"testing"
)

// TestEveryMeasurementHasAHeadline: its first field is one that may stand large.
func TestEveryMeasurementHasAHeadline(t *testing.T) {
	for _, m := range All() {
		if len(m.Fields) == 0 || m.Fields[0].Show != Listed && !m.Open {
			t.Errorf("%s: its first field is not a headline: %+v", m.Name, m.Fields)
		}
		if m.Title == "" || m.About == "" || m.Function == "" {
			t.Errorf("%s lacks a title, what it is, or its function", m.Name)
		}
	}
}

func TestWhatIsHiddenWarnsNobody(t *testing.T) {
	for _, m := range All() {
		for _, f := range m.Fields {
			if f.Show == Hidden && (f.Warn.HasAbove || f.Warn.HasBelow) {
				t.Errorf("%s %s warns of a value that is not shown", m.Name, f.Key)
			}
			if (f.Show == Reachable || f.Show == Simulated) && !m.OfDevices() {
				t.Errorf("%s %s is the state of a device that there is not", m.Name, f.Key)
			}
		}
		if len(m.HideText) > 0 && len(m.HideText) >= len(m.Text) {
			t.Errorf("%s hides all of its texts", m.Name)
		}
		for _, k := range m.HideText {
			if !slices.Contains(m.Text, k) {
				t.Errorf("%s hides %s, which it has not", m.Name, k)
			}
		}
	}
}

// TestWordsCoverTheirField: each whole number of the range has a word of its own,
// and nothing else has one.
func TestWordsCoverTheirField(t *testing.T) {
	seen := 0
	for _, m := range append(All(), States()) {
		for _, f := range m.Fields {
			if f.Words == nil {
				continue
			}
			seen++
			if float64(len(f.Words)) != f.Max+1 || f.Unit != "" || f.Digits != 0 {
				t.Errorf("%s %s: %d words for %g to %g %s", m.Name, f.Key, len(f.Words), f.Min, f.Max, f.Unit)
			}
			for v, w := range f.Words {
				if in := float64(v) >= f.Min; in != (w != "") || f.Word(float64(v)) != w || w != "" && slices.Index(f.Words, w) != v {
					t.Errorf("%s %s: the word for %d is %q", m.Name, f.Key, v, w)
				}
			}
		}
	}
	if seen == 0 {
		t.Error("no field has words")
	}
}

func TestAFieldOfZeroOrOneIsAQuestion(t *testing.T) {
	for _, c := range []struct {
		f    Field
		v    float64
		want string
	}{
		{Field{Key: "charging", Max: 1}, 1, "yes"},
		{Field{Key: "charging", Max: 1}, 0, "no"},
		{Field{Key: "charging", Max: 1}, 0.5, ""},
		{Field{Key: "charging", Max: 1}, -1, ""},
		{Field{Key: "charging", Max: 1}, 2, ""},
		{Field{Key: "share", Unit: "%", Max: 1}, 1, ""},
		{Field{Key: "level", Max: 2}, 1, ""},
		{Field{}, 1, ""},
		{Field{Key: "index", Min: 1, Max: 2, Words: []string{"", "good", "poor"}}, 0, ""},
		{Field{Key: "index", Min: 1, Max: 2, Words: []string{"", "good", "poor"}}, 2, "poor"},
		{Field{Key: "index", Min: 1, Max: 2, Words: []string{"", "good", "poor"}}, 1e300, ""},
	} {
		if got := c.f.Word(c.v); got != c.want {
			t.Errorf("%+v at %g means %q, want %q", c.f, c.v, got, c.want)
		}
	}
}

func TestTitlesAreMadeOfKeys(t *testing.T) {
	for key, want := range map[string]string{
		"cpu_usage_percent": "CPU usage", "gas": "Gas", "nvme_composite": "NVMe composite", "lux": "Lux", "amd_gpu_temperature_celsius": "AMD GPU temperature", "load_1m": "Load 1m", "": "",
		"flow_cubic_meters_per_hour": "Flow",
	} {
		if got := Title(key); got != want {
			t.Errorf("Title(%q) = %q, want %q", key, got, want)
		}
	}
	for key, want := range map[string]string{
		"cpu_usage_percent": "%", "flow_cubic_meters_per_hour": "m³/h", "volume_cubic_meters": "m³", "lux": "lx", "network_errors": "", "": "", "milliseconds": "",
	} {
		if got := KeyUnit(key); got != want {
			t.Errorf("KeyUnit(%q) = %q, want %q", key, got, want)
		}
	}
	power := Field{Key: "power_watts", Title: "Power"}
	for key, want := range map[string]string{"power_watts": "Power", "socket_2_power_watts": "Socket 2: Power"} {
		if got := power.TitleOf(key); got != want {
			t.Errorf("TitleOf(%q) = %q, want %q", key, got, want)
		}
	}
}

func TestFormatsAreOfUnitsThatThereAre(t *testing.T) {
	used := map[string]bool{}
	for _, m := range All() {
		for _, f := range m.Fields {
			used[f.Unit] = true
		}
	}
	for unit := range formats {
		if u, known := UnitOf(unit); !used[unit] && (!known || u.Symbol != unit) {
			t.Errorf("no field has the unit %q", unit)
		}
	}
}

func TestTermsAreOrderedByLength(t *testing.T) {
	terms := []string{"no term", "1m", "1.5m", "2m", "3month", "1y", "2year", "10y", "30year"}
	for i := 1; i < len(terms); i++ {
		if Months(terms[i-1]) >= Months(terms[i]) {
			t.Errorf("%s (%g months) is not shorter than %s (%g)", terms[i-1], Months(terms[i-1]), terms[i], Months(terms[i]))
		}
	}
	for _, m := range All() {
		if m.Term != "" && !slices.Contains(m.Labels, m.Term) {
			t.Errorf("%s is ordered by %s, which is no label of it", m.Name, m.Term)
		}
	}
}

func TestDevicesReportWhatTheirKindMay(t *testing.T) {
	air, _ := Get("air")
	weather, _ := Get("weather")
	for kind, want := range map[string]bool{"edge": true, "mapped": true, "zigbee": false, "node": false, "unheard of": true} {
		if got := air.FromKind(kind); got != want {
			t.Errorf("%s: %t, want %t", kind, got, want)
		}
		if weather.FromKind(kind) {
			t.Errorf("%s reports the weather", kind)
		}
	}
	for _, m := range All() {
		for _, kind := range m.Devices {
			if _, known := deviceKinds[kind]; !known || !m.OfDevices() {
				t.Errorf("%s is reported by %s", m.Name, kind)
			}
		}
		if m.OfDevices() && len(m.Devices) == 0 {
			t.Errorf("%s: no kind of devices reports it", m.Name)
		}
	}
}

func TestAFunctionThatIsNotListedIsCalledByItsName(t *testing.T) {
	if f := FamilyOf("bees"); f.Title != "bees" || f.About != "" || f.Measurements != nil {
		t.Errorf("%+v", f)
	}
	if f := FamilyOf("asana"); f.Title != "Tasks" {
		t.Errorf("%+v", f)
	}
}
