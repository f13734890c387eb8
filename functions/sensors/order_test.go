package function

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/wire"
)

// TestOrderAndDuplicatesChangeNothing sends the same messages in another order, some
// of them twice, in other batches, with restarts of the function in between.
func TestOrderAndDuplicatesChangeNothing(t *testing.T) {
	rounds := 0
	rapid.Check(t, func(rt *rapid.T) {
		if rounds++; rounds > 30 { // each opens two databases
			return
		}
		var ms []wire.Message
		for i := range rapid.IntRange(1, 40).Draw(rt, "messages") {
			after := time.Duration(i) * time.Second
			n := rapid.IntRange(0, 3).Draw(rt, "device")
			var m wire.Message
			switch n {
			case 0:
				m = message(after, "/embedded/plug", fmt.Sprintf(`{"power_usage":%d}`, i%5))
			case 1:
				m = edgeReading(i+1, after, fmt.Sprintf(`"co2_ppm":%d`, 600+i))
			case 2:
				m = message(after, "hearth/pi5/dht", fmt.Sprintf(`{"device":"dht","sensor":"dht22","boot":"b","seq":%d,"quality":"clock_unsynced","fields":{"temperature_celsius":%d}}`, i+1, 20+i%3))
			default:
				m = message(after, "hearth/pi4/status", fmt.Sprintf(`{"state":%q}`, []string{"online", "offline"}[i%2]))
			}
			m.ID = fmt.Sprint("m", i)
			ms = append(ms, m)
		}
		again := slices.Concat(ms, rapid.SliceOfN(rapid.SampledFrom(ms), 0, 10).Draw(rt, "again"))
		lines, states := storedAfter(t, rt, ms)
		lines2, states2 := storedAfter(t, rt, rapid.Permutation(again).Draw(rt, "order"))
		if d := cmp.Diff(lines, lines2) + cmp.Diff(states, states2); d != "" {
			rt.Fatalf("(-in order +otherwise):\n%s", d)
		}
	})
}

// storedAfter returns what is stored after messages in batches of random sizes, with
// random restarts.
func storedAfter(t *testing.T, rt *rapid.T, ms []wire.Message) (lines, states []string) {
	st := batchtest.SQLite(t)
	f := batchtest.Serve(t, New, st)
	for len(ms) > 0 {
		n := rapid.IntRange(1, len(ms)).Draw(rt, "batch")
		f.Post(t, slices.Clone(ms[:n])...)
		if ms = ms[n:]; rapid.Bool().Draw(rt, "restart") {
			f = batchtest.Serve(t, New, st)
		}
	}
	return f.Lines(t, measurements...), f.States(t)
}

func TestAConfirmedStepIsNoLongerSuspect(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	for i, v := range []float64{20, 60, 61, 62} {
		f.Post(t, edgeReading(i+1, time.Duration(i)*time.Minute, fmt.Sprintf(`"temperature_celsius":%v,"humidity_percent":40`, v)))
		if i == 2 {
			if got := f.Lines(t, "air")[1]; !strings.Contains(got, `quality_code=2,temperature_celsius=60,suspect="temperature_celsius"`) {
				t.Error(got)
			}
			if got := f.States(t)[1]; !strings.Contains(got, "= 61 12:02:00.000 suspect: temperature_celsius went from 20 to 61 in 2m0s") {
				t.Error(got)
			}
		}
	}
	var got []string
	for _, l := range f.Lines(t, "air") {
		got = append(got, l[:strings.LastIndexByte(l, ' ')])
	}
	same(t, "readings", got, []string{
		"air,device=office-air humidity_percent=40,temperature_celsius=20",
		`air,device=office-air humidity_percent=40,quality_code=0,temperature_celsius=60,suspect=""`,
		`air,device=office-air humidity_percent=40,quality_code=0,temperature_celsius=61,suspect=""`,
		"air,device=office-air humidity_percent=40,temperature_celsius=62"})
}

func TestEnergyIsCountedOnceAcrossARestartAndADuplicate(t *testing.T) {
	st := batchtest.SQLite(t)
	says := func(i int, kwh float64) wire.Message {
		return message(time.Duration(i)*time.Minute, "hearth/pi4/plug", fmt.Sprintf(`{"device":"plug","sensor":"kasa","time":%q,"boot":"b1","seq":%d,"fields":{"energy_kwh":%v}}`,
			noon.Add(time.Duration(i)*time.Minute).Format(time.RFC3339Nano), i, kwh))
	}
	f := batchtest.Serve(t, New, st)
	f.Post(t, says(1, 10), says(2, 10.25))
	f = batchtest.Serve(t, New, st)
	f.Post(t, says(2, 10.25), says(3, 10.75), says(2, 10.25))
	var got []string
	for _, l := range f.Lines(t, "power") {
		got = append(got, strings.Fields(l)[1])
	}
	same(t, "readings", got, []string{"energy_kwh=10", "energy_delta_kwh=0.25,energy_kwh=10.25", "energy_delta_kwh=0.5,energy_kwh=10.75"})
}

func TestAHoleHoldsBackTheAcknowledgementForTenMinutes(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	upto := func(seq int, after time.Duration) uint64 {
		return f.Post(t, edgeReading(seq, after, `"co2_ppm":600`)).Stored["pi4"].Seq
	}
	for _, tc := range []struct {
		seq   int
		after time.Duration
		want  uint64
	}{{1, 0, 1}, {2, time.Second, 2}, {5, 2 * time.Second, 2}, {4, 3 * time.Second, 2}, {6, 9 * time.Minute, 2}, {7, 11 * time.Minute, 7}, {3, 12 * time.Minute, 7}} {
		if got := upto(tc.seq, tc.after); got != tc.want {
			t.Errorf("after %d: %d, want %d", tc.seq, got, tc.want)
		}
		if tc.seq == 7 {
			if seqs, err := f.Store.EdgeSeqs(t.Context()); err != nil || seqs[0].Missing != 1 {
				t.Errorf("%+v, %v", seqs, err)
			}
		}
	}
	if seqs, err := f.Store.EdgeSeqs(t.Context()); err != nil || seqs[0].Missing != 0 {
		t.Errorf("3 arrived late: %+v, %v", seqs, err)
	}
}

func TestARejectedReadingIsAcknowledged(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	m := message(0, "hearth/pi4/x", `{"device":"x","sensor":"dht22","boot":"b1","seq":1,"time":"1970-01-01T00:00:00Z","fields":{"temperature_celsius":20}}`)
	if a := f.Post(t, m); len(a.Rejected) != 1 || a.Stored["pi4"].Seq != 1 {
		t.Errorf("%+v", a)
	}
}

func TestWithoutTheDatabaseTheWholeBatchIsRetried(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	f.Post(t, edgeReading(1, 0, `"co2_ppm":600`))
	good := f.Store
	f.Store = batchtest.SQLite(t)
	f.Store.Close()
	m := edgeReading(2, time.Minute, `"co2_ppm":601`)
	if code, body := f.Try(t, m); code != http.StatusServiceUnavailable {
		t.Errorf("%d %s", code, body)
	}
	f.Store = good
	if a := f.Post(t, m); a.Stored["pi4"].Seq != 2 {
		t.Errorf("%+v", a)
	}
}
