package function

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/wire"
)

// noon is when the messages of these tests were measured.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// message is a message that arrived so long after noon.
func message(after time.Duration, topic, payload string) wire.Message {
	return wire.Message{Topic: topic, Time: noon.Add(after), Payload: []byte(payload)}
}

// edgeReading is a reading of node pi4, boot b1.
func edgeReading(seq int, after time.Duration, fields string) wire.Message {
	return message(after+50*time.Millisecond, "hearth/pi4/office-air", fmt.Sprintf(
		`{"device":"office-air","sensor":"scd4x","time":%q,"boot":"b1","seq":%d,"fields":{%s},"quality":"ok"}`,
		noon.Add(after).Format(time.RFC3339Nano), seq, fields))
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func TestAnEdgeReadingIsStoredAndAcknowledged(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	m := edgeReading(1, 0, `"co2_ppm":612,"temperature_celsius":21.5`)
	for range 2 { // a duplicate is stored once and acknowledged again
		a := f.Post(t, m)
		if got := a.Stored["pi4"]; got != (wire.StoredUpTo{Boot: "b1", Seq: 1}) {
			t.Errorf("stored %+v", a.Stored)
		}
	}
	same(t, "readings", f.Lines(t, "air"), []string{`air,device=office-air co2_ppm=612,temperature_celsius=21.5 1795435200000000000`})
	same(t, "states", f.States(t), []string{
		"office-air co2_ppm = 612 12:00:00.000 ok",
		"office-air temperature_celsius = 21.5 12:00:00.000 ok",
	})
}

func TestReadingsThatTheEdgeDroppedAreMissingAtOnce(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	f.Post(t, edgeReading(1, 0, `"co2_ppm":612`))
	m := edgeReading(50, time.Minute, `"co2_ppm":613`)
	m.Payload = []byte(strings.Replace(string(m.Payload), `"seq":50`, `"seq":50,"gone":49`, 1))
	a := f.Post(t, m)
	if got := a.Stored["pi4"]; got != (wire.StoredUpTo{Boot: "b1", Seq: 50}) {
		t.Errorf("stored %+v", a.Stored)
	}
	if seqs, err := f.Store.EdgeSeqs(t.Context()); err != nil || seqs[0].Missing != 48 {
		t.Errorf("%+v, %v, want 48 missing", seqs, err)
	}
}

func TestEdgePayloads(t *testing.T) {
	for name, tc := range map[string]struct {
		payload string
		lines   []string
		reason  string // in the refusal
	}{
		"another_sensor_kind_by_its_fields": {
			`{"device":"x","sensor":"brandnew","time":"2026-11-23T12:00:00Z","fields":{"power_watts":12}}`,
			[]string{"power,device=x power_watts=12 1795435200000000000"}, ""},
		"a_newer_kind_says_its_measurement": {
			`{"device":"x","sensor":"brandnew","measurement":"ups","time":"2026-11-23T12:00:00Z","fields":{"voltage_volts":12}}`,
			[]string{"ups,device=x voltage_volts=12 1795435200000000000"}, ""},
		"its_kinds_measurement": {
			`{"device":"x","sensor":"mhz19b","measurement":"air","time":"2026-11-23T12:00:00Z","fields":{"co2_ppm":400}}`,
			[]string{"air,device=x co2_ppm=400 1795435200000000000"}, ""},
		"an_older_agent_says_no_measurement": {
			`{"device":"x","sensor":"mhz19b","time":"2026-11-23T12:00:00Z","fields":{"co2_ppm":400}}`,
			[]string{"air,device=x co2_ppm=400,quality_code=1 1795435200000000000"}, ""},
		"another_measurement_than_its_kinds": {
			`{"device":"x","sensor":"mhz19b","measurement":"soil","time":"2026-11-23T12:00:00Z","fields":{"co2_ppm":612}}`,
			nil, `its measurement is "soil", but that of the sensor kind mhz19b is air`},
		"a_measurement_that_no_sensor_brings": {
			`{"device":"x","sensor":"brandnew","measurement":"stocks","time":"2026-11-23T12:00:00Z","fields":{"power_watts":612}}`,
			nil, `its measurement is "stocks", which no sensor brings`},
		"parts": {
			`{"device":"strip","sensor":"kasa","time":"2026-11-23T12:00:00Z","fields":{"socket_2_power_watts":3.5,"on":true,"signal_dbm":null}}`,
			[]string{"power,device=strip on=1,socket_2_power_watts=3.5 1795435200000000000"}, ""},
		"texts": {
			`{"device":"rack","sensor":"nut","time":"2026-11-23T12:00:00Z","fields":{"on_mains":1},"text":{"status":"OL CHRG","serial":"S1"}}`,
			[]string{`ups,device=rack on_mains=1,status="OL CHRG" 1795435200000000000`}, ""},
		"no_device_is_named_by_the_topic": {
			`{"sensor":"dht22","time":"2026-11-23T12:00:00Z","fields":{"temperature_celsius":20}}`,
			[]string{"air,device=dev-1 temperature_celsius=20 1795435200000000000"}, ""},
		"no_time_is_arrival": {
			`{"device":"x","sensor":"dht22","fields":{"temperature_celsius":20}}`,
			[]string{"air,device=x temperature_celsius=20 1795435201000000000"}, ""},
		"warming_up": {
			`{"device":"x","sensor":"mhz19b","time":"2026-11-23T12:00:00Z","fields":{"co2_ppm":612},"quality":"warming_up"}`,
			[]string{"air,device=x co2_ppm=612,quality_code=1 1795435200000000000"}, ""},
		"suspect_by_the_edge": {
			`{"device":"x","sensor":"dht22","time":"2026-11-23T12:00:00Z","fields":{"temperature_celsius":20},"quality":"suspect","reason":"stuck"}`,
			[]string{`air,device=x quality_code=2,temperature_celsius=20,suspect="*" 1795435200000000000`}, ""},
		"out_of_range_is_kept_and_marked": {
			`{"device":"x","sensor":"dht22","time":"2026-11-23T12:00:00Z","fields":{"temperature_celsius":-140,"humidity_percent":40}}`,
			[]string{`air,device=x humidity_percent=40,quality_code=2,temperature_celsius=-140,suspect="temperature_celsius" 1795435200000000000`}, ""},
		"an_unknown_field_leaves_the_others": {
			`{"device":"x","sensor":"dht22","time":"2026-11-23T12:00:00Z","fields":{"temperature_celsius":20,"colour":3}}`,
			[]string{"air,device=x temperature_celsius=20 1795435200000000000"}, `no mapping for colour of the sensor kind "dht22"`},
		"simulated": {
			`{"device":"x","sensor":"dht22","time":"2026-11-23T12:00:00Z","fields":{"temperature_celsius":20},"quality":"ok","sample":true}`,
			[]string{"air,device=x,sample=true temperature_celsius=20 1795435200000000000"}, ""},
		"a_text_leaves_the_others": {
			`{"device":"x","sensor":"dht22","time":"2026-11-23T12:00:00Z","fields":{"humidity_percent":"wet","temperature_celsius":20}}`,
			[]string{"air,device=x temperature_celsius=20 1795435200000000000"}, `"humidity_percent": the value is not a number`},
		"nan_leaves_the_others": {
			`{"device":"x","sensor":"dht22","time":"2026-11-23T12:00:00Z","fields":{"humidity_percent":nan,"temperature_celsius":20}}`,
			[]string{"air,device=x temperature_celsius=20 1795435200000000000"}, ""},
		"not_json":       {`hello`, nil, "JSON"},
		"truncated":      {`{"device":"x","fields":{"temperature_celsius":2`, nil, "JSON"},
		"no_fields":      {`{"device":"x","sensor":"dht22"}`, nil, "fields"},
		"empty_fields":   {`{"device":"x","sensor":"dht22","fields":{}}`, nil, "no number in the message"},
		"changed_type":   {`{"device":"x","sensor":"dht22","fields":{"temperature_celsius":"20"}}`, nil, "not a number"},
		"the_year_1970":  {`{"device":"x","sensor":"dht22","time":"1970-01-01T00:00:07Z","fields":{"temperature_celsius":20}}`, nil, "the time 1970-01-01T00:00:07Z is outside 2000-01-01 to "},
		"the_future":     {`{"device":"x","sensor":"dht22","time":"2027-11-23T12:00:00Z","fields":{"temperature_celsius":20}}`, nil, "the time 2027-11-23T12:00:00Z is outside 2000-01-01T00:00:00Z to "},
		"a_strange_time": {`{"device":"x","sensor":"dht22","time":"yesterday","fields":{"temperature_celsius":20}}`, nil, "RFC 3339"},
		"a_long_name":    {`{"device":"` + strings.Repeat("x", 500) + `","sensor":"dht22","fields":{"temperature_celsius":20}}`, nil, "longer"},
		"removed":        {``, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := batchtest.Serve(t, New, batchtest.SQLite(t))
			good := edgeReading(1, 0, `"co2_ppm":612`)
			a := f.Post(t, message(time.Second, "hearth/pi4/dev-1", tc.payload), good)
			switch {
			case tc.reason == "" && len(a.Rejected) > 0:
				t.Errorf("rejected: %+v", a.Rejected)
			case tc.reason != "" && (len(a.Rejected) != 1 || !strings.Contains(a.Rejected[0].Reason, tc.reason)):
				t.Errorf("rejected %+v, want %q", a.Rejected, tc.reason)
			}
			want := append([]string{"air,device=office-air co2_ppm=612 1795435200000000000"}, tc.lines...)
			got := f.Lines(t, "air", "power", "ups")
			if len(tc.lines) > 0 && strings.HasPrefix(tc.lines[0], "air,device=d") {
				want[0], want[1] = want[1], want[0]
			}
			same(t, "readings", got, want)
		})
	}
}

func TestARetainedReadingWithoutATimeSetsOnlyTheState(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	m := message(0, "hearth/pi4/x", `{"device":"x","sensor":"dht22","fields":{"temperature_celsius":20}}`)
	m.Retained = true
	f.Post(t, m)
	same(t, "readings", f.Lines(t, "air"), []string{})
	same(t, "states", f.States(t), []string{"x temperature_celsius = 20 ? ok retained"})
	f.Post(t, message(-time.Hour, "hearth/pi4/x", `{"device":"x","sensor":"dht22","time":"2026-11-23T11:00:00Z","fields":{"temperature_celsius":19}}`))
	same(t, "a state with a time is newer", f.States(t), []string{"x temperature_celsius = 19 11:00:00.000 ok"})
}

func TestAReadingWithoutAClockThatIsSentAgainIsStoredOnce(t *testing.T) {
	st := batchtest.SQLite(t)
	payload := `{"device":"x","sensor":"dht22","boot":"b7","seq":4,"fields":{"temperature_celsius":20},"quality":"clock_unsynced"}`
	batchtest.Serve(t, New, st).Post(t, message(0, "hearth/pi4/x", payload), message(time.Minute, "hearth/pi4/x", payload))
	f := batchtest.Serve(t, New, st) // another process
	f.Post(t, message(2*time.Minute, "hearth/pi4/x", payload))
	same(t, "readings", f.Lines(t, "air"), []string{"air,device=x quality_code=3,temperature_celsius=20 1795435200000000000"})
}

func TestStatusAndLateWills(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	f.Post(t,
		message(0, "hearth/pi4/status", `{"state":"online","boot":"b1","dropped":3}`),
		message(time.Second, "hearth/pi4/status", `{"state":"online","boot":"b2","dropped":0}`),
		message(2*time.Second, "hearth/pi4/status", `{"state":"offline","boot":"b1"}`))
	same(t, "the last will of b1 leaves the state of b2", f.States(t), []string{
		`edge-pi4 boot = "b2" 12:00:01.000 ok`, "edge-pi4 dropped = 0 12:00:01.000 ok", "edge-pi4 online = 1 12:00:01.000 ok"})
	f.Post(t, message(3*time.Second, "hearth/pi4/status", `offline`))
	if got := f.States(t)[2]; got != "edge-pi4 online = 0 12:00:03.000 ok" {
		t.Error(got)
	}
	if a := f.Post(t, message(4*time.Second, "hearth/pi4/status", `{"state":"tired"}`), message(5*time.Second, "hearth/pi4/stored", `{}`)); len(a.Rejected) != 1 {
		t.Errorf("%+v", a)
	}
}

// A connector reports why it cannot use its broker, and that it can again. Its name on the
// page is its client id.
func TestAConnectorsProblemIsAState(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	report := func(after time.Duration, payload string, want ...string) {
		t.Helper()
		f.Post(t, message(after, "hearth/hearth-connector/status", payload))
		same(t, payload, f.States(t), want)
	}
	report(0, `{"state":"online","boot":""}`, "edge-hearth-connector online = 1 12:00:00.000 ok")
	report(time.Second, `{"state":"offline","boot":"","problem":"nothing listens"}`,
		"edge-hearth-connector online = 0 12:00:01.000 ok", `edge-hearth-connector problem = "nothing listens" 12:00:01.000 ok`)
	report(2*time.Second, `{"state":"online","boot":""}`,
		"edge-hearth-connector online = 1 12:00:02.000 ok", `edge-hearth-connector problem = "none" 12:00:02.000 ok`)
}

func TestCanaryAndDeadLetters(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	dead := func(after time.Duration, count int, gone string) wire.Message {
		return message(after, "hearth/dead/abc", fmt.Sprintf(`{"id":"abc","function":"zigbee","topic":"zigbee2mqtt/x","reason":"no device","first":"2026-11-23T11:00:00Z",
			"last":"2026-11-23T11:30:00Z","count":%d,"size":2,"sample_base64":"e30=","gone":%s}`, count, gone))
	}
	a := f.Post(t, message(80*time.Millisecond, "hearth/canary/main", `{"sent":"2026-11-23T12:00:00Z","n":17}`),
		dead(2*time.Second, 2, "false"), dead(time.Second, 1, "false"), message(3*time.Second, "hearth/dead/x", `{}`), message(4*time.Second, "hearth/canary/main", `?`))
	if len(a.Rejected) != 2 {
		t.Errorf("rejected %+v", a.Rejected)
	}
	same(t, "canary", f.Lines(t, "canary"), []string{"canary,connector=main latency_seconds=4.02 1795435200000000000"})
	letters, err := f.Store.DeadLetters(t.Context(), 10)
	if err != nil || len(letters) != 1 || letters[0].Count != 2 || string(letters[0].Sample) != "{}" {
		t.Fatalf("%+v, %v", letters, err)
	}
	f.Post(t, dead(5*time.Second, 2, "true"))
	f.Post(t, dead(500*time.Millisecond, 1, "false")) // a late notice
	if letters, err := f.Store.DeadLetters(t.Context(), 10); err != nil || len(letters) != 0 {
		t.Errorf("%+v, %v", letters, err)
	}
}

func TestABodyThatIsNotABatchIsRefused(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	for _, body := range []string{``, `{}`, `[`, `[{}]`, `[{"id":"1","subject":"x","time":"?"}]`, `[{"id":"1","subject":"x","time":"2026-11-23T12:00:00Z","data_base64":"?"}]`} {
		if code, answer := f.Call(t, []byte(body)); code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", body, code, answer)
		}
	}
}

func TestConcurrentBatchesAreCountedOnce(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	f.Clock(noon.Add(time.Hour))
	var wg sync.WaitGroup
	for sensor := range 4 {
		wg.Go(func() {
			for i := range 20 {
				seq := i*4 + sensor + 1
				m := message(time.Duration(seq)*time.Second, fmt.Sprintf("hearth/pi4/s%d", sensor), fmt.Sprintf(
					`{"device":"s%d","sensor":"dht22","time":%q,"boot":"b1","seq":%d,"fields":{"temperature_celsius":20}}`, sensor, noon.Add(time.Duration(seq)*time.Second).Format(time.RFC3339), seq))
				m.ID = fmt.Sprint(seq)
				if code, body := f.Call(t, batchtest.Body(m)); code != http.StatusOK {
					t.Errorf("%d %s", code, body)
				}
			}
		})
	}
	wg.Wait()
	seqs, err := f.Store.EdgeSeqs(t.Context())
	if err != nil || len(seqs) != 1 || seqs[0].Upto != 80 || seqs[0].Missing != 0 || len(f.Lines(t, "air")) != 80 {
		t.Errorf("%+v, %v, %d readings", seqs, err, len(f.Lines(t, "air")))
	}
}

func TestANameWithControlCharactersIsRejectedWithThatReason(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t), "TELEGRAF_ALLOW", "*.*")
	for i, m := range []wire.Message{
		message(0, "hearth/pi4/x", `{"device":"a\u0000b","sensor":"dht22","fields":{"temperature_celsius":20}}`),
		message(0, "hearth/pi4/x", `{"device":"a\nb","sensor":"dht22","fields":{"temperature_celsius":20}}`),
		message(0, "/embedded/x", `{"device_id":"a\u0000b","temperature":20}`),
		message(0, "telegraf/x", "cpu,host=a\x00b x=1"),
		message(0, "telegraf/x", "cpu,host=a\xffb x=1"),
		message(0, "hearth/a\x00b/status", `{"state":"online"}`),
	} {
		if a := f.Post(t, m); len(a.Rejected) != 1 || !strings.Contains(a.Rejected[0].Reason, "control character") {
			t.Errorf("%d: %+v", i, a)
		}
	}
	if ds, err := f.Store.Devices(t.Context()); err != nil || len(ds) > 0 {
		t.Errorf("%+v, %v", ds, err)
	}
	if a := f.Post(t, message(0, "hearth/"+strings.Repeat("n", 200)+"/status", `{"state":"online"}`)); len(a.Rejected) != 1 {
		t.Errorf("a status that was not stored is not rejected: %+v", a)
	}
}

// An agent of before this release may still have readings in its spool, under the keys of
// then. They are stored under these.
func TestReadingsOfAnOlderAgentAreStored(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	a := f.Post(t, message(0, "hearth/pi4/pi4", `{"device":"pi4","sensor":"host","time":"2026-11-23T11:00:00Z","boot":"b0","seq":1,"fields":{"cpu_thermal_temperature_celsius":51,`+
		`"nvme_composite_temperature_celsius":40,"gpu0_memory_used_bytes":7,"policy0_frequency_hertz":1800000000,"acpitz_2_temperature_celsius":29,"pwmfan_fan_rpm":900,"nvme0n1_read_bytes":5}}`))
	if reasons(a) != "" {
		t.Errorf("rejected %+v", a.Rejected)
	}
	same(t, "readings", f.Lines(t, "host"), []string{"host,device=pi4 acpitz_2_temperature_celsius=29,cpu_thermal_temperature_celsius=51,gpu0_memory_used_bytes=7," +
		"nvme0n1_read_bytes=5,nvme_composite_temperature_celsius=40,policy0_frequency_hertz=1800000000,pwmfan_fan_rpm=900 1795431600000000000"})
}
