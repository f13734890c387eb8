package status

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
)

// fixture is a store with devices that have reported values.
type fixture struct {
	t     *testing.T
	st    *store.Store
	rooms *[]store.DeviceSetting // the rooms of all devices
	now   time.Time              // the time of the page; all times in the store are relative to it
}

func newFixture(t *testing.T) fixture {
	t.Helper()
	return fixtureAt(t, now)
}

func fixtureAt(t *testing.T, now time.Time) fixture {
	t.Helper()
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hearth.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return fixture{t, st, new([]store.DeviceSetting), now}
}

func (h fixture) ok(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// device registers a device with its latest values, and returns its id.
func (h fixture) device(kind, name, room string, states ...store.DeviceState) string {
	h.t.Helper()
	ids, err := h.st.AdoptDevices(h.t.Context(), []store.DeviceRequest{{Physical: kind + "/" + name, Kind: kind, Device: strings.ToLower(strings.ReplaceAll(name, " ", "-")), Name: name}}, h.now)
	h.ok(err)
	if room != "" {
		*h.rooms = append(*h.rooms, store.DeviceSetting{Device: ids[0].Device, Room: room})
		h.ok(h.st.ConfigureDevices(h.t.Context(), *h.rooms, h.now))
	}
	for i := range states {
		states[i].Device = ids[0].Device
		if states[i].Quality == "" {
			states[i].Quality = "ok"
		}
		if states[i].Time.IsZero() {
			states[i].Time = h.now.Add(-time.Minute)
		}
		states[i].Arrived, states[i].Changed = states[i].Time, states[i].Time
	}
	h.ok(saveDevices(h.t.Context(), h.st, store.DeviceChange{States: states}))
	return ids[0].Device
}

func (h fixture) page() *Page {
	p := &Page{Inputs: Inputs{
		Open: func(context.Context) (*store.Store, error) { return h.st, nil }, Now: func() time.Time { return h.now },
		Redact: func(s string) string { return strings.ReplaceAll(s, "geheim", "[secret]") }, RedactCut: func(s string) string { return strings.ReplaceAll(s, "geheim", "[secret]") },
		Propose: func(topic string, _ []byte) (string, error) { return "devices:\n  - topic: " + topic, nil },
		Hearth:  "hearth",
	}}
	return p
}

func (h fixture) data() Data { return h.page().snapshot(h.t.Context()).data }

func state(metric string, v float64) store.DeviceState {
	return store.DeviceState{Metric: metric, Value: v}
}

func TestDevicesStandByRoomAndTheUnknownRoomIsLast(t *testing.T) {
	h := newFixture(t)
	h.device("edge", "Stray", "", state("temperature_celsius", 20))
	h.device("zigbee", "Window", "Office", state("contact", 0))
	h.device("edge", "Desk", "Office", state("temperature_celsius", 21))
	h.device("edge", "Fridge", "Kitchen", state("temperature_celsius", 4))
	h.device("node", "pi", "", state("online", 1))
	h.device("edge", "mute", "Office") // it has never reported anything
	var got []string
	for _, r := range h.data().Rooms {
		for _, d := range r.Devices {
			got = append(got, r.Name+": "+d.Name)
		}
	}
	if want := "[Kitchen: Fridge Office: Desk Office: Window : Stray Nodes and bridges: pi]"; fmt.Sprint(got) != want {
		t.Errorf("rooms = %v, want %v", got, want)
	}
}

func TestATileShowsTheCatalogueOrderAndWords(t *testing.T) {
	h := newFixture(t)
	plug := h.device("edge", "Plug", "", state("voltage_volts", 230.4), state("power_watts", 83.26), state("on", 1), state("energy_kwh", 1644.3), state("signal_dbm", -58))
	door := h.device("zigbee", "Door", "", state("contact", 1), state("battery_percent", 9), state("linkquality", 87), state("available", 0))
	co2 := h.device("edge", "Air", "", store.DeviceState{Metric: "co2_ppm", Value: 1650, Quality: "suspect", Reason: "co2_ppm went from 400 to 1650"},
		store.DeviceState{Metric: "temperature_celsius", Value: 7.99, Quality: "warming_up"},
		store.DeviceState{Metric: "humidity_percent", Value: 45, Time: now.Add(-48 * time.Hour)})
	tiles := map[string]Device{}
	for _, r := range h.data().Rooms {
		for _, d := range r.Devices {
			tiles[d.ID] = d
		}
	}
	if d := tiles[plug]; d.Main.Key != "power_watts" || d.Main.Title != "Power" || len(d.Metrics) != 3 || d.Metrics[0].Text != "on" || d.Metrics[2].Title != "Voltage" || d.Small[0].Key != "signal_dbm" {
		t.Errorf("plug = %+v %+v", *d.Main, d.Metrics)
	}
	if d := tiles[door]; d.State != "offline" || d.Main.Text != "closed" || len(d.Small) != 2 || !d.Small[0].Warn || d.Small[0].Title != "Battery" {
		t.Errorf("door = %+v %+v", *d.Main, d.Small)
	}
	if d := tiles[co2]; d.Quality != "suspect" || !strings.Contains(d.Reasons(), "went from 400") || d.Main.Key != "temperature_celsius" || len(d.Metrics) != 1 || len(d.More) != 1 {
		t.Errorf("air = %+v, want the value that is two days old folded away", d)
	}
	_, body := get(t, listen(t, h.page()).URL+"/status")
	for _, want := range []string{"<b>8.0</b>", "<b>83.3</b>", "suspect 1650 ppm<", ">closed<", ">suspect</span>", ">offline</span>"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s\n%s", want, body)
		}
	}
}

func TestANodeOfSimulatedSensorsIsMarked(t *testing.T) {
	h := newFixture(t)
	h.device("node", "sample", "", state("online", 1), state("simulated", 1))
	h.device("node", "pi", "", state("online", 1), state("simulated", 0))
	data := h.data()
	if !data.Sample {
		t.Error("the page does not say what the mark means")
	}
	for _, d := range data.Rooms[0].Devices {
		if d.Sample != (d.Name == "sample") || len(d.all()) > 0 {
			t.Errorf("%s: sample %t, %+v", d.Name, d.Sample, d.all())
		}
	}
}

func TestMissingNumbersStandAtTheirNode(t *testing.T) {
	h := newFixture(t)
	id := h.device("node", "pi", "", state("online", 1))
	h.ok(saveDevices(t.Context(), h.st, store.DeviceChange{Nodes: []string{"pi"}, Count: func([]store.EdgeSeq) []store.EdgeSeq {
		return []store.EdgeSeq{{Node: "pi", Boot: "a", Started: now, Seen: now, Upto: 90, Highest: 90, Missing: 5}, {Node: "pi", Boot: "b", Started: now, Seen: now, Upto: 9, Highest: 9, Missing: 2}}
	}}))
	if d := h.data().Rooms[0].Devices[0]; d.ID != id || d.Missing != 7 {
		t.Errorf("node = %+v, want 7 missing", d)
	}
	if _, body := get(t, listen(t, h.page()).URL+"/status"); !strings.Contains(body, "7 missing") {
		t.Error("the page does not show it")
	}
}

func TestWhatDevicesMeasureIsNotRepeatedBelow(t *testing.T) {
	h := newFixture(t)
	id := h.device("edge", "Desk", "", state("temperature_celsius", 21))
	var rs []reading.Reading
	for i := range 48 {
		rs = append(rs, reading.Reading{Name: "air", Tags: map[string]string{"device": id}, Fields: map[string]float64{"temperature_celsius": 20 + float64(i%3)}, Time: now.Add(-time.Duration(i+1) * 30 * time.Minute)})
	}
	h.ok(h.st.Write(t.Context(), rs))
	d := h.data()
	if len(d.Measurements) != 0 {
		t.Errorf("measurements = %+v", d.Measurements)
	}
	if s := d.Rooms[0].Devices[0].Spark; strings.Count(s.Points, ",") != 47 || s.About != "between 20.0 and 22.0 °C" {
		t.Errorf("its line = %+v", s)
	}
}

func TestOnlyWhatChangedIsSent(t *testing.T) {
	h := newFixture(t)
	h.device("edge", "Desk", "", state("temperature_celsius", 21))
	p := h.page()
	clock := now
	p.Now = func() time.Time { return clock }
	srv := listen(t, p)
	ask := func(tag string) (code int, next string, sections map[string]string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+"/sections.json", nil)
		h.ok(err)
		req.Header.Set("If-None-Match", tag)
		res, err := http.DefaultClient.Do(req)
		h.ok(err)
		defer res.Body.Close()
		if res.StatusCode == 200 {
			h.ok(json.NewDecoder(res.Body).Decode(&sections))
		}
		return res.StatusCode, res.Header.Get("ETag"), sections
	}
	code, tag, all := ask("")
	if code != 200 || len(all) != len(sections) {
		t.Fatalf("first: %d, %d sections", code, len(all))
	}
	clock = clock.Add(5 * time.Second)
	if code, _, _ := ask(tag); code != http.StatusNotModified {
		t.Errorf("nothing changed: %d", code)
	}
	h.device("edge", "Shelf", "", state("temperature_celsius", 19))
	clock = clock.Add(5 * time.Second)
	code, tag, some := ask("W/" + tag)
	if code != 200 || len(some) != 1 || !strings.Contains(some["house"], "Shelf") || !strings.HasPrefix(some["house"], `<section id="house"`) {
		t.Errorf("one device more: %d %v", code, some)
	}
	if code, _, _ := ask(tag); code != http.StatusNotModified {
		t.Errorf("again: %d", code)
	}
}

func TestManyDevicesStayAPageOfSomeSize(t *testing.T) {
	h := newFixture(t)
	var requests []store.DeviceRequest
	var states []store.DeviceState
	for i := range maxDevices + 50 {
		id := fmt.Sprintf("d%04d", i)
		requests = append(requests, store.DeviceRequest{Physical: "edge/" + id, Kind: "edge", Device: id, Name: id})
		for m := range 40 {
			states = append(states, store.DeviceState{Device: id, Metric: fmt.Sprintf("m%d", m), Time: now, Arrived: now, Changed: now, Quality: "ok"})
		}
	}
	_, err := h.st.AdoptDevices(t.Context(), requests, now)
	h.ok(err)
	h.ok(saveDevices(t.Context(), h.st, store.DeviceChange{States: states}))
	d := h.data()
	n := 0
	for _, r := range d.Rooms {
		n += len(r.Devices)
	}
	if n != maxDevices || d.MoreDevices != 50 {
		t.Errorf("%d devices and %d more", n, d.MoreDevices)
	}
}

func TestANoisyPublisherDoesNotHideOtherDevices(t *testing.T) {
	h := newFixture(t)
	var requests []store.DeviceRequest
	var states []store.DeviceState
	add := func(id, publisher string) {
		requests = append(requests, store.DeviceRequest{Physical: "topic/" + id, Kind: "mapped", Device: id, Name: id, Publisher: publisher})
		states = append(states, store.DeviceState{Device: id, Metric: "temperature_celsius", Time: now, Arrived: now, Changed: now, Quality: "ok"})
	}
	for i := range 600 {
		add(fmt.Sprintf("d%04d", i), fmt.Sprintf("evil/d%04d", i))
	}
	for i := range 5 {
		add(fmt.Sprintf("z%04d", i), "hearth/pi4")
	}
	_, err := h.st.AdoptDevices(t.Context(), requests, now)
	h.ok(err)
	h.ok(saveDevices(t.Context(), h.st, store.DeviceChange{States: states}))
	h.device("edge", "Zz in a room", "Attic", state("temperature_celsius", 20))
	d := h.data()
	var got []string
	for _, r := range d.Rooms {
		for _, device := range r.Devices {
			got = append(got, device.ID)
		}
	}
	if len(got) != maxDevices || d.MoreDevices != 306 || !strings.Contains(strings.Join(got, " "), "zz-in-a-room d0000 d0001") || got[maxDevices-1] != "z0004" {
		t.Errorf("%d devices and %d more: %q", len(got), d.MoreDevices, got)
	}
}

// BenchmarkSnapshot measures a snapshot of 300 devices, which is made twice a second
// while somebody views the page.
func BenchmarkSnapshot(b *testing.B) {
	st, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "hearth.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer st.Close()
	var requests []store.DeviceRequest
	var states []store.DeviceState
	for i := range 300 {
		id := fmt.Sprintf("d%04d", i)
		requests = append(requests, store.DeviceRequest{Physical: "edge/" + id, Kind: "edge", Device: id, Name: id})
		for _, m := range []string{"temperature_celsius", "humidity_percent", "pressure_hpa", "co2_ppm", "pm2_5_ugm3", "pm10_ugm3", "cpu_usage_percent", "voltage_volts"} {
			states = append(states, store.DeviceState{Device: id, Metric: m, Value: 21, Time: now, Arrived: now, Changed: now, Quality: "ok"})
		}
	}
	if _, err := st.AdoptDevices(b.Context(), requests, now); err != nil {
		b.Fatal(err)
	}
	if err := saveDevices(b.Context(), st, store.DeviceChange{States: states}); err != nil {
		b.Fatal(err)
	}
	clock := now
	p := &Page{Inputs: Inputs{Open: func(context.Context) (*store.Store, error) { return st, nil }, Now: func() time.Time { return clock }, Redact: func(s string) string { return s }, RedactCut: func(s string) string { return s }}}
	p.snapshot(b.Context())
	for b.Loop() {
		clock = clock.Add(time.Second)
		p.snapshot(b.Context())
	}
}

// saveDevices stores a change as ingest does.
func saveDevices(ctx context.Context, st *store.Store, c store.DeviceChange) error {
	return st.Commit(ctx, "store devices", store.Batch{}, func(ctx context.Context, tx *store.Tx) error { return tx.SaveDevices(ctx, c) })
}

func TestAFullRegisterIsANote(t *testing.T) {
	h := newFixture(t)
	var requests []store.DeviceRequest
	for i := range 1000 {
		id := fmt.Sprintf("d%d", i)
		requests = append(requests, store.DeviceRequest{Physical: "topic/tele/" + id, Kind: "mapped", Device: id, Name: id, Publisher: "tele/" + id})
	}
	_, err := h.st.AdoptDevices(t.Context(), requests, now)
	h.ok(err)
	const want = "no room in the register for more devices of tele/#: make room with: hearth device forget --from tele --dry-run"
	if _, body := get(t, listen(t, h.page()).URL+"/status"); !strings.Contains(body, want) {
		t.Errorf("the page does not say %s", want)
	}
}

func TestSimulatedDevicesOfAnEarlierStartAreNotShown(t *testing.T) {
	h := newFixture(t)
	early, late := now.Add(-2*time.Hour), now.Add(-time.Minute)
	at := func(t time.Time, simulated float64) []store.DeviceState {
		return []store.DeviceState{{Metric: "temperature_celsius", Value: 20, Time: t}, {Metric: "simulated", Value: simulated, Time: early}}
	}
	h.device("edge", "Earlier", "", at(early, 1)...)
	h.device("node", "simulated", "", store.DeviceState{Metric: "online", Time: early}, store.DeviceState{Metric: "simulated", Value: 1, Time: early})
	h.device("edge", "Since", "", at(late, 1)...)
	h.device("edge", "Replaced", "", at(early, 0)...)
	h.device("edge", "Real", "", store.DeviceState{Metric: "temperature_celsius", Value: 20, Time: early})
	for since, want := range map[time.Time]string{{}: "[Earlier Real Replaced Since simulated]", now.Add(-time.Hour): "[Real Replaced Since]"} {
		p := h.page()
		p.SimulatedSince = since
		var got []string
		for _, r := range p.snapshot(t.Context()).data.Rooms {
			for _, d := range r.Devices {
				got = append(got, d.Name)
			}
		}
		if fmt.Sprint(got) != want {
			t.Errorf("since %v: %v, want %s", since, got, want)
		}
	}
}
