package status

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// The page has never seen these two: it knows of them what is declared here.
var (
	tides = catalogue.Measurement{
		Name: "tides", Title: "The sea", About: "Tides at a pier", Labels: []string{"pier", "period"}, Term: "period", Text: []string{"remark", "station"}, HideText: []string{"station"},
		Fields: []catalogue.Field{
			{Key: "swell_meters", Title: "Swell", Unit: "m", Max: 30, Digits: 2},
			{Key: "sea_state", Title: "Sea", Max: 2, Words: []string{"calm", "rough", "high"}},
			{Key: "flood", Title: "Flood", Max: 1},
			{Key: "gauge_millimeters", Title: "Gauge", Unit: "mm", Max: 1e5, Show: catalogue.Hidden},
		},
	}
	pond = catalogue.Measurement{
		Name: "pond", Title: "Pond", Devices: []string{"edge"}, Labels: []string{catalogue.DeviceLabel}, Parts: true,
		Fields: []catalogue.Field{
			{Key: "clarity", Title: "Water", Max: 2, Words: []string{"clear", "cloudy", "green"}},
			{Key: "acidity", Title: "pH", Max: 14, Digits: 1, Warn: catalogue.Threshold{Above: 9, HasAbove: true}},
			{Key: "algae_index", Title: "Algae", Max: 100, Show: catalogue.Behind},
			{Key: "charge_percent", Title: "Charge", Unit: "%", Max: 100, Show: catalogue.Small},
			{Key: "probe_raw", Title: "Raw", Max: 4095, Show: catalogue.Hidden},
			{Key: "awake", Title: "Awake", Max: 1, Show: catalogue.Reachable},
		},
	}
)

// with is a page whose catalogue has more than the real one.
func (h fixture) with(ms ...catalogue.Measurement) *Page {
	p := h.page()
	p.collector = newCollector(p.Inputs)
	p.collector.measurements = func() []catalogue.Measurement { return slices.Concat(catalogue.All(), ms) }
	return p
}

func TestAMeasurementIsShownAsItsEntryDeclares(t *testing.T) {
	h := newFixture(t)
	var rs []reading.Reading
	for _, period := range []string{"1y", "6m"} {
		rs = append(rs, reading.Reading{Name: "tides", Tags: map[string]string{"pier": "West", "period": period}, Text: map[string]string{"remark": "choppy", "station": "no. 77"},
			Fields: map[string]float64{"swell_meters": 1.5, "sea_state": 1, "flood": 1, "gauge_millimeters": 1234}, Time: h.now.Add(-time.Minute)})
	}
	h.ok(h.st.Write(t.Context(), rs))
	p := h.with(tides)
	got := p.snapshot(t.Context()).data.Measurements
	if len(got) != 1 || len(got[0].Series) != 2 || got[0].Title != "The sea" {
		t.Fatalf("%+v", got)
	}
	var lines []string
	for _, s := range got[0].Series {
		for _, v := range s.Values {
			lines = append(lines, fmt.Sprintf("%s %s %s %s", s.Label, v.Title, v.Text, v.Number()))
		}
		lines = append(lines, strings.Join(s.Texts, ", "))
	}
	want := []string{}
	for _, period := range []string{"6m", "1y"} {
		want = append(want, "West · "+period+` Swell  <b>1.50</b> <span class="unit">m</span>`, "West · "+period+" Sea rough <b>1</b>", "West · "+period+" Flood yes <b>1</b>", "choppy")
	}
	if !slices.Equal(lines, want) {
		t.Errorf("\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	_, body := get(t, listen(t, p).URL+"/status")
	for _, bad := range []string{"1234", "Gauge", "no. 77"} {
		if strings.Contains(body, bad) {
			t.Errorf("the page has %q, which the entry hides", bad)
		}
	}
	for _, want := range []string{"The sea", "Tides at a pier", "rough", "choppy"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestADeviceIsShownAsItsMeasurementDeclares(t *testing.T) {
	h := newFixture(t)
	h.device("edge", "Basin", "", state("awake", 0), state("charge_percent", 81), state("probe_raw", 3071), state("algae_index", 12), state("acidity", 9.26),
		state("inlet_acidity", 7), state("clarity", 2), state("bubbles", 3))
	p := h.with(pond)
	d := p.snapshot(t.Context()).data.Rooms[0].Devices[0]
	if d.Main == nil || d.Main.Title != "Water" || d.Main.Text != "green" || d.State != "offline" {
		t.Fatalf("%+v %+v", d, d.Main)
	}
	var lines []string
	for _, m := range slices.Concat(d.Metrics, d.More, d.Small) {
		lines = append(lines, fmt.Sprintf("%s %s warn %t", m.Title, m.Number(), m.Warn))
	}
	want := []string{"pH <b>9.3</b> warn true", "Inlet: pH <b>7.0</b> warn false", "Bubbles <b>3</b> warn false", "Algae <b>12</b> warn false", `Charge <b>81</b> <span class="unit">%</span> warn false`}
	if !slices.Equal(lines, want) {
		t.Errorf("\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	if _, body := get(t, listen(t, p).URL+"/status"); strings.Contains(body, "3071") || !strings.Contains(body, ">green<") {
		t.Error("the page shows what the entry hides, or not the word for the headline")
	}
}

// TestTheWholeCatalogueIsShownSo: each entry's headline, titles and words are on the
// page, and what it hides is not.
func TestTheWholeCatalogueIsShownSo(t *testing.T) {
	for _, m := range catalogue.All() {
		if m.OfDevices() {
			continue
		}
		h := newFixture(t)
		r := reading.Reading{Name: m.Name, Tags: map[string]string{}, Fields: map[string]float64{}, Text: map[string]string{}, Time: h.now}
		for _, k := range m.Labels {
			r.Tags[k] = "label " + k
		}
		for _, k := range m.Text {
			r.Text[k] = "text " + k
		}
		for _, f := range m.Fields {
			r.Fields[f.Key] = f.Max
		}
		h.ok(h.st.Write(t.Context(), []reading.Reading{r}))
		got := h.data().Measurements
		if len(got) != 1 || len(got[0].Series) != 1 || got[0].Title != m.Title {
			t.Errorf("%s: %+v", m.Name, got)
			continue
		}
		s := got[0].Series[0]
		if s.Values[0].Key != m.Fields[0].Key || len(s.Texts) != len(m.Text)-len(m.HideText) {
			t.Errorf("%s: its headline is %s, its texts %q", m.Name, s.Values[0].Key, s.Texts)
		}
		for _, f := range m.Fields {
			i := slices.IndexFunc(s.Values, func(v Value) bool { return v.Key == f.Key })
			if hidden := f.Show == catalogue.Hidden; hidden != (i < 0) {
				t.Errorf("%s %s: hidden %t, value %d", m.Name, f.Key, hidden, i)
			} else if i >= 0 && (s.Values[i].Title != f.Title || s.Values[i].Text != f.Word(f.Max)) {
				t.Errorf("%s %s: %+v", m.Name, f.Key, s.Values[i])
			}
		}
	}
}

// A measurement of hearth.yml need not repeat what the catalogue knows of its keys.
func TestWhatIsMappedIsShownAsTheCatalogueKnowsIt(t *testing.T) {
	h := newFixture(t)
	h.device("mapped", "Gate", "", state("battery_percent", 50), state("bell", 1), state("contact", 0), state("voltage_volts", 12.5))
	p := h.page()
	limits := func(key, title string) catalogue.Field {
		return catalogue.Field{Key: key, Title: title, Min: -catalogue.Limits, Max: catalogue.Limits}
	}
	p.Declared = func() []catalogue.Measurement {
		return []catalogue.Measurement{{Name: "gates", Labels: []string{catalogue.DeviceLabel}, Fields: []catalogue.Field{limits("bell", "Bell"), limits("contact", ""), limits("voltage_volts", "")}}}
	}
	d := p.snapshot(t.Context()).data.Rooms[0].Devices[0]
	var lines []string
	for _, m := range append([]Metric{*d.Main}, d.all()[:3]...) {
		lines = append(lines, fmt.Sprintf("%s %s %s", m.Title, m.Text, m.Unit))
	}
	want := []string{"Contact open ", "Bell  ", "Battery  %", "Voltage  V"}
	if !slices.Equal(lines, want) {
		t.Errorf("%q, want %q", lines, want)
	}
}

// A field of hearth.yml takes precedence over the catalogue's with the same key, for the
// devices that a mapping or an edge agent reports.
func TestAMappedFieldTakesPrecedence(t *testing.T) {
	pool := catalogue.Measurement{Name: "pool", Labels: []string{catalogue.DeviceLabel}, Devices: []string{"edge", "mapped", "node"}, Fields: []catalogue.Field{
		{Key: "temperature_celsius", Title: "Water", Max: catalogue.Limits, Warn: catalogue.Threshold{Above: 30, HasAbove: true}}}}
	for kind, want := range map[string]string{"mapped": "Water true", "edge": "Water true", "zigbee": "Temperature false"} {
		h := newFixture(t)
		h.device(kind, "Pool", "", state("temperature_celsius", 35))
		p := h.page()
		p.Declared = func() []catalogue.Measurement { return []catalogue.Measurement{pool} }
		m := p.snapshot(t.Context()).data.Rooms[0].Devices[0].Main
		if got := fmt.Sprint(m.Title, " ", m.Warn); got != want {
			t.Errorf("%s: %s, want %s", kind, got, want)
		}
	}
}

// hearth.yml may add fields to a measurement of the catalogue: the others stay as they are.
func TestAnExtendedMeasurementIsShownAsBefore(t *testing.T) {
	h := newFixture(t)
	h.device("mapped", "Tower", "", state("load_percent", 20), state("battery_percent", 90), state("voltage_volts", 230), state("bell", 1), state("linkquality", 80))
	p := h.page()
	show := func() string {
		p.collector = nil
		p.last = nil
		d := p.snapshot(t.Context()).data.Rooms[0].Devices[0]
		out := []string{d.Main.Key}
		for _, m := range d.all()[:4] {
			out = append(out, m.Key)
		}
		return strings.Join(out, " ")
	}
	if got, want := show(), "load_percent battery_percent voltage_volts bell linkquality"; got != want {
		t.Errorf("before: %s, want %s", got, want)
	}
	ups, _ := catalogue.Get("ups")
	ups.Fields = append(slices.Clone(ups.Fields), catalogue.Field{Key: "bell", Title: "Bell", Max: 1})
	p.Declared = func() []catalogue.Measurement { return []catalogue.Measurement{ups} }
	if got, want := show(), "load_percent battery_percent voltage_volts bell linkquality"; got != want {
		t.Errorf("extended: %s, want %s", got, want)
	}
}

func TestAFunctionThatIsNotInTheCatalogueIsShownByItsName(t *testing.T) {
	h := newFixture(t)
	h.seen(store.Function{Name: "bees", Configured: true, LastSeen: h.now}, store.Function{Name: "asana", Configured: true, LastSeen: h.now})
	for _, source := range []string{"bees", "asana"} {
		h.item(source)
	}
	d := h.data()
	var got []string
	for _, l := range d.Lists {
		got = append(got, l.Title)
	}
	if want := "[Tasks bees]"; fmt.Sprint(got) != want || d.Functions[1].About != "" || d.Functions[0].About == "" {
		t.Errorf("%v, want %v: %+v", got, want, d.Functions)
	}
}

// item is one open item of a source.
func (h fixture) item(source string) {
	h.t.Helper()
	r, err := h.st.Begin(h.t.Context(), store.Run{Function: source, Trigger: "cron", Started: h.now}, time.Minute, nil)
	h.ok(err)
	_, _, err = h.st.SaveItems(h.t.Context(), r, []store.List{{Source: source, Target: "one", Items: []item.Item{{ID: "1", Title: "an item", At: h.now}}}}, nil)
	h.ok(err)
}
