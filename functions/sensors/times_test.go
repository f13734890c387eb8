package function

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/wire"
)

const tasmota = `
house: {zone: Europe/Berlin}
devices: [{topic: tele/+/SENSOR, device: "{2}", time: $.Time, fields: {power_watts: $.ENERGY.Power}}]
`

// sent is a message of a Tasmota plug, with its local time and its arrival, in UTC.
func sent(t *testing.T, local, arrived string, watts int) wire.Message {
	t.Helper()
	at, err := time.Parse(time.DateTime, arrived)
	if err != nil {
		t.Fatal(err)
	}
	return wire.Message{Topic: "tele/plug/SENSOR", Time: at, Payload: fmt.Appendf(nil, `{"Time":%q,"ENERGY":{"Power":%d}}`, local, watts)}
}

// times returns the times in UTC of the readings of power, in order, and marks those with
// a clock that was not set by a star.
func times(t *testing.T, f *batchtest.Served) string {
	t.Helper()
	var out []string
	for _, line := range f.Lines(t, "power") {
		var ns int64
		if _, err := fmt.Sscan(line[strings.LastIndexByte(line, ' '):], &ns); err != nil {
			t.Fatal(err)
		}
		mark := ""
		if strings.Contains(line, "quality_code=3") {
			mark = "*"
		}
		out = append(out, time.Unix(0, ns).UTC().Format("15:04")+mark)
	}
	return strings.Join(out, " ")
}

func TestTheHourThatComesTwice(t *testing.T) {
	const late = "2026-10-25 08:00:00"
	for name, tc := range map[string]struct {
		messages [][2]string // local time and arrival
		want     string
	}{
		"live": {[][2]string{{"2026-10-25T01:55:00", "2026-10-24 23:55:01"}, {"2026-10-25T02:00:00", "2026-10-25 00:00:01"}, {"2026-10-25T02:30:00", "2026-10-25 00:30:01"}, {"2026-10-25T02:59:00", "2026-10-25 00:59:01"},
			{"2026-10-25T02:00:00", "2026-10-25 01:00:01"}, {"2026-10-25T02:30:00", "2026-10-25 01:30:01"}, {"2026-10-25T03:00:00", "2026-10-25 02:00:01"}}, "23:55 00:00 00:30 00:59 01:00 01:30 02:00"},
		"a_minute_slow":             {[][2]string{{"2026-10-25T02:59:30", "2026-10-25 01:00:20"}, {"2026-10-25T02:00:10", "2026-10-25 01:00:40"}}, "00:59 01:00"},
		"kept":                      {[][2]string{{"2026-10-25T01:50:00", late}, {"2026-10-25T02:10:00", late}, {"2026-10-25T02:50:00", late}, {"2026-10-25T02:10:00", late}, {"2026-10-25T02:50:00", late}, {"2026-10-25T03:10:00", late}}, "23:50 00:10 00:50 01:10 01:50 02:10"},
		"kept_from_within_the_hour": {[][2]string{{"2026-10-25T02:10:00", late}, {"2026-10-25T02:50:00", late}, {"2026-10-25T02:10:00", late}, {"2026-10-25T02:50:00", late}}, "00:10 00:50 01:10 01:50"},
		"one_alone":                 {[][2]string{{"2026-10-25T02:10:00", late}}, "01:10"},
		"an_hour_that_never_comes":  {[][2]string{{"2026-03-29T02:10:00", "2026-03-29 01:10:01"}, {"2026-03-29T02:50:00", "2026-03-29 00:50:01"}}, "00:50 01:10"},
	} {
		t.Run(name, func(t *testing.T) {
			var ms []wire.Message
			for i, m := range tc.messages {
				ms = append(ms, sent(t, m[0], m[1], i+1))
			}
			for _, batches := range [][][]wire.Message{{ms}, split(ms)} {
				if name == "kept_from_within_the_hour" && len(batches) > 1 {
					continue // alone, the first is taken for the nearest to its arrival
				}
				f := batchtest.Serve(t, New, batchtest.SQLite(t))
				writeSettings(t, f, tasmota)
				for _, batch := range batches {
					if a := f.Post(t, batch...); len(a.Rejected) > 0 {
						t.Errorf("%+v", a.Rejected)
					}
				}
				if got := times(t, f); got != tc.want {
					t.Errorf("in %d batches %s, want %s", len(batches), got, tc.want)
				}
			}
		})
	}
}

// Two mappings take each element of a list, for two fields of one device.
func TestAListOfKeptValuesGetsBothHours(t *testing.T) {
	for list, want := range map[string]string{
		`[{"t":"2026-10-25 02:10","w":1,"v":230},{"t":"2026-10-25 02:50","w":2,"v":231},{"t":"2026-10-25 02:10","w":3,"v":232},{"t":"2026-10-25 02:50","w":4,"v":233}]`: "00:10 00:50 01:10 01:50",
		`[{"t":"2026-10-25 02:10","w":1,"v":230}]`: "01:10",
	} {
		f := batchtest.Serve(t, New, batchtest.SQLite(t))
		writeSettings(t, f, `
house: {zone: Europe/Berlin}
devices:
  - {topic: log, each: $, device: meter, time: $.t, fields: {power_watts: $.w}}
  - {topic: log, each: $, device: meter, time: $.t, measurement: power, fields: {voltage_volts: $.v}}
`)
		m := sent(t, "", "2026-10-25 08:00:00", 0)
		m.Topic, m.Payload = "log", []byte(list)
		if a := f.Post(t, m); len(a.Rejected) > 0 || times(t, f) != want {
			t.Errorf("%s: %s, want %s, %+v", list, times(t, f), want, a.Rejected)
		}
	}
}

func TestAnUnmappedLocalTimeIsTheNearestInTheHousesZone(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	writeSettings(t, f, "house: {zone: Europe/Berlin}\n")
	for i, arrived := range []string{"2026-10-25 00:30:01", "2026-10-25 01:30:01"} {
		m := sent(t, "", arrived, 0)
		m.Topic, m.Payload = "x/plug", fmt.Appendf(nil, `{"time":"2026-10-25 02:30:00","power":%d}`, i)
		if a := f.Post(t, m); len(a.Rejected) > 0 {
			t.Errorf("%+v", a.Rejected)
		}
	}
	if got := times(t, f); got != "00:30 01:30" {
		t.Error(got)
	}
}

// split makes a batch of each message.
func split(ms []wire.Message) (out [][]wire.Message) {
	for _, m := range ms {
		out = append(out, []wire.Message{m})
	}
	return out
}

func TestAMessageOfAClockThatIsNotSetIsKeptAtItsArrival(t *testing.T) {
	for local, want := range map[string]string{
		"1970-01-01T00:00:07": "12:00*", "2000-01-01T00:00:00": "12:00*", "2000-00-00 00:00:00": "12:00*", "0000-00-00T00:00:00": "12:00*", "2015-01-01T00:01:00": "12:00*", "0": "12:00*", "-3600": "12:00*",
		"4711": "12:00*", "2036-02-07T06:28:16": "12:00*", "2026-11-23T15:00:00": "12:00*", // that is 14:00 in UTC
		"2026-11-23T13:04:00": "12:04", "2026-11-23T12:59:00": "11:59", "2026-11-22T13:00:00Z": "13:00", "unknown": "12:00", "": "12:00",
	} {
		f := batchtest.Serve(t, New, batchtest.SQLite(t))
		writeSettings(t, f, tasmota)
		live, retained := sent(t, local, "2026-11-23 12:00:00", 5), sent(t, local, "2026-11-23 12:00:00", 6)
		retained.Topic, retained.Retained = "tele/other/SENSOR", true
		if a := f.Post(t, live); len(a.Rejected) > 0 || times(t, f) != want {
			t.Errorf("%s: %s %+v, want %s", local, times(t, f), a.Rejected, want)
		}
		if strings.HasSuffix(want, "*") {
			if a := f.Post(t, retained); len(a.Rejected) > 0 || times(t, f) != want {
				t.Errorf("%s, retained: %s %+v, want only a state", local, times(t, f), a.Rejected)
			}
		}
	}
}

func TestAnUnmappedMessageOfAClockThatIsNotSetIsKeptAtItsArrival(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	f.Post(t, message(0, "x/plug", `{"power":5,"time":"1970-01-01T00:00:07Z"}`), message(0, "x/meter", `{"power":6,"ts":0}`), message(0, "telegraf/nas", "mem,host=nas total=7i 12"))
	same(t, "readings", f.Lines(t, "host", "power"), []string{"host,device=nas memory_total_bytes=7,quality_code=3" + at, "power,device=x-meter power_watts=6,quality_code=3" + at, "power,device=x-plug power_watts=5,quality_code=3" + at})
}
