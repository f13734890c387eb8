package ingest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/rules"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
)

// watchful is a harness whose batches are judged.
type watchful struct {
	*harness
	watch Watch
	name  string // of the device
}

func newWatchful(t testing.TB, yml string) *watchful {
	f := settings.Parse([]byte(yml))
	set := rules.Compile(f, nil)
	if err := f.Err(); err != nil {
		t.Fatal(err)
	}
	return &watchful{newHarness(t), Watch{&alert.House{Destinations: []string{alert.ToSlack}}, set}, "a"}
}

// batch returns a batch of reports of the device that arrives a second after the last.
func (w *watchful) batch(reports ...Report) *Batch {
	w.t.Helper()
	now := reports[len(reports)-1].Arrived.Add(time.Second)
	b, err := Begin(w.t.Context(), w.st, w.r, catalogue.Get, now)
	if err != nil {
		w.t.Fatal(err)
	}
	defer b.Done(nil)
	h := *w.watch.House
	h.Active = map[string]bool{}
	active, err := w.st.ActiveAlerts(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, a := range active {
		h.Active[a.Key] = true
	}
	b.Watch(&h, w.watch.Rules)
	dev := w.device(b)
	for i, r := range reports {
		r.Device = dev
		b.Add(i, r)
	}
	return b
}

func (w *watchful) device(b *Batch) *device.Device {
	w.t.Helper()
	if err := b.Adopt(w.t.Context(), []store.DeviceRequest{{Physical: "edge/" + w.name, Kind: "edge", Device: w.name, Name: w.name}}); err != nil {
		w.t.Fatal(err)
	}
	return b.Find([]byte("edge/" + w.name)).Logical
}

func (w *watchful) store(reports ...Report) {
	w.t.Helper()
	if _, err := w.batch(reports...).Store(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// told returns the messages so far, oldest first: "fired: CO₂ is 1,620 ppm, above 1,500 ppm".
func (w *watchful) told() []string {
	w.t.Helper()
	messages, err := w.st.Outbox(w.t.Context(), 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for _, m := range slices.Backward(messages) {
		out = append(out, string(m.What)+": "+m.Alert.Text)
	}
	return out
}

func TestAThresholdIsJudgedAsReadingsArrive(t *testing.T) {
	w := newWatchful(t, "")
	for minute, v := range []float64{900, 1600, 1620, 1640, 1400, 1250, 1290} {
		w.store(air(minute, "co2_ppm", v))
	}
	w.want("told", w.told(), "fired: CO₂ is 1,640 ppm, above 1,500 ppm", "resolved: CO₂ is 1,250 ppm")
	states, err := w.st.Alerts(t.Context(), 10)
	if err != nil || len(states) != 1 {
		t.Fatal(states, err)
	}
	s := states[0]
	if s.Key != "air-co2-high/a/co2_ppm" || !s.Since.Equal(at(1)) || !s.Fired.Equal(at(3)) || !s.Ended.Equal(at(5)) || *s.Worst != 1640 || s.Name != "a" || s.Parents[len(s.Parents)-1] != "broker" {
		t.Errorf("%+v", s)
	}
}

// TestWhatSaysNothingOfNowRaisesAndResolvesNothing: neither late, retained, replayed nor
// suspect values, nor any that is older than the latest.
func TestWhatSaysNothingOfNowRaisesAndResolvesNothing(t *testing.T) {
	for name, change := range map[string]func(*Report){
		"late":       func(r *Report) { r.Time = r.Time.Add(-2*time.Minute - 2*time.Second) },
		"retained":   func(r *Report) { r.Retained = true },
		"replayed":   func(r *Report) { r.Replayed = true },
		"suspect":    func(r *Report) { r.Quality = quality.Suspect },
		"warming up": func(r *Report) { r.Quality = quality.WarmingUp },
		"unsynced":   func(r *Report) { r.Quality = quality.ClockUnsynced },
		"no time":    func(r *Report) { r.Time = time.Time{} },
		"bad value":  func(r *Report) { r.Values[0].Bad = "no" },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWatchful(t, "rules: {air-co2-high: {for: 0s}}")
			high := air(10, "co2_ppm", 1700)
			change(&high)
			w.store(high)
			w.want("raised", w.told())
			w.store(air(20, "co2_ppm", 1700))
			low := air(30, "co2_ppm", 700)
			change(&low)
			w.store(low)
			w.want("resolved", w.told(), "fired: CO₂ is 1,700 ppm, above 1,500 ppm")
			w.store(air(40, "co2_ppm", 700))
			w.want("at last", w.told(), "fired: CO₂ is 1,700 ppm, above 1,500 ppm", "resolved: CO₂ is 700 ppm")
		})
	}
}

// TestABatchThatIsRetriedTellsOnce: after a failure at any moment, the connector sends the
// batch again.
func TestABatchThatIsRetriedTellsOnce(t *testing.T) {
	w := newWatchful(t, "rules: {air-co2-high: {for: 0s}}")
	series := &observedSeries{Series: w.st.Series, fails: true}
	w.st.Series = series
	if _, err := w.batch(air(1, "co2_ppm", 1700)).Store(t.Context()); !errors.Is(err, errUnreachable) && err == nil {
		t.Fatal("the write should fail")
	}
	series.fails = false
	w.store(air(1, "co2_ppm", 1700))
	w.store(air(1, "co2_ppm", 1700))
	w.want("told", w.told(), "fired: CO₂ is 1,700 ppm, above 1,500 ppm")
}

func TestAnAlertOfASimulatedSensorIsSample(t *testing.T) {
	w := newWatchful(t, "rules: {air-co2-high: {for: 0s}}")
	r := air(1, "co2_ppm", 1700)
	r.Simulated = true
	w.store(r)
	messages, err := w.st.Outbox(t.Context(), 10)
	if err != nil || len(messages) != 1 || !messages[0].Sample || messages[0].Destination != alert.ToPage {
		t.Errorf("%+v %v", messages, err)
	}
}

// TestABatteryIsToldOnce: a device that reports its charge needs no alert for its flag.
func TestABatteryIsToldOnce(t *testing.T) {
	w := newWatchful(t, "")
	low := func(minute int, percent ...float64) Report {
		r := Report{Measurement: "zigbee", Time: at(minute), Arrived: at(minute)}
		for _, v := range percent {
			r.Values = append(r.Values, device.Value{Key: "battery_percent", V: v})
		}
		r.Values = append(r.Values, device.Value{Key: "battery_low", V: 1})
		return r
	}
	w.store(low(1, 8))
	w.want("with a charge", w.told(), "fired: Battery is 8%, below 15%")
	flagged := newWatchful(t, "")
	flagged.store(low(1))
	flagged.want("without", flagged.told(), "fired: ")
}

// TestANumberWithTheNameOfASwitchIsNoAlarm: a gas meter declares gas as a number.
func TestANumberWithTheNameOfASwitchIsNoAlarm(t *testing.T) {
	w := newWatchful(t, "")
	meter := catalogue.Field{Key: "gas", Unit: "m³", Max: catalogue.Limits}
	r := Report{Measurement: "zigbee", Time: at(1), Arrived: at(1), Values: []device.Value{{Key: "gas", V: 1, Field: &meter}}}
	w.store(r)
	w.want("told", w.told())
}

// TestAlertsAreThoseOfANaiveReference: random values and qualities at random times, of
// which some arrive late, make the alert that a plain reading of the rule makes.
func TestAlertsAreThoseOfANaiveReference(t *testing.T) {
	w := newWatchful(t, "rules: {air-co2-high: {above: {enter: 1500, leave: 1300}, for: 3m, clear_for: 2m}}")
	w.watch.House.Destinations = nil // flapping is not told of here
	devices := 0
	rapid.Check(t, func(rt *rapid.T) {
		devices++
		w.name = fmt.Sprint("a", devices)
		key := "air-co2-high/" + w.name + "/co2_ppm"
		var firing bool
		var since, clear, newest, arrived, judged time.Time
		var state float64
		minute := 0
		for range rapid.IntRange(1, 12).Draw(rt, "reports") {
			minute += rapid.IntRange(0, 3).Draw(rt, "minutes")
			late := rapid.SampledFrom([]int{0, 0, 0, 1, 2, 5}).Draw(rt, "late")
			v := rapid.SampledFrom([]float64{1000, 1300, 1301, 1400, 1500, 1501, 1600}).Draw(rt, "v")
			r := air(minute-late, "co2_ppm", v)
			r.Arrived = at(minute)
			if rapid.IntRange(0, 5).Draw(rt, "quality") == 0 {
				r.Quality = quality.Suspect
			}
			w.store(r)
			isNewest := r.Time.After(newest) || r.Time.Equal(newest) && v != state && r.Arrived.After(arrived)
			if isNewest {
				newest, arrived, state = r.Time, r.Arrived, v
			}
			if isNewest && r.Quality == "" && late < 2 && r.Time.After(judged) { // a batch is a second later
				judged = r.Time
				firing, since, clear = reference(firing, since, clear, v, r.Time)
			}
			active, err := w.st.AlertsOf(t.Context(), []string{key})
			if err != nil {
				rt.Fatal(err)
			}
			a := active[key]
			if got, want := fmt.Sprint(a.Open(), a.Phase == alert.Pending), fmt.Sprint(firing, !firing && !since.IsZero()); got != want {
				rt.Fatalf("minute %d, %g: firing and pending are %s, want %s", minute, v, got, want)
			}
		}
	})
}

// reference moves an alert by one value: it fires 3 minutes after values above 1500 began
// without another between, and ends 2 minutes after values of at most 1300 began.
func reference(firing bool, since, clear time.Time, v float64, t time.Time) (bool, time.Time, time.Time) {
	switch {
	case !firing && v <= 1500:
		return false, time.Time{}, time.Time{}
	case !firing && since.IsZero():
		return false, t, time.Time{}
	case !firing:
		return t.Sub(since) >= 3*time.Minute, since, time.Time{}
	case v > 1300:
		return true, since, time.Time{}
	case clear.IsZero():
		return true, since, t
	case t.Sub(clear) >= 2*time.Minute:
		return false, time.Time{}, time.Time{}
	}
	return true, since, clear
}
