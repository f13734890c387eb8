package store_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/hearth-home/hearth/shared/store"
)

// influx2 answers like InfluxDB 2.7. answers has the rows for queries that contain its
// key. It also returns the paths of the requests so far.
func influx2(t *testing.T, version string, answers map[string]string) (store.Series, *[]string) {
	var asked []string
	return influxAt(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		asked = append(asked, r.URL.Path)
		if r.URL.Path == "/ping" {
			w.Header().Set("X-Influxdb-Build", "OSS")
			w.Header().Set("X-Influxdb-Version", version)
			w.WriteHeader(http.StatusNoContent)
			return
		}
		for text, rows := range answers {
			if strings.Contains(string(body), text) {
				w.Header().Set("Content-Type", "text/csv; charset=utf-8")
				io.WriteString(w, strings.ReplaceAll(rows, "\n", "\r\n"))
				return
			}
		}
		t.Errorf("%s %s", r.URL.Path, body)
	}), &asked
}

const lastRows = `#datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,double,string,string,string
#group,false,false,true,true,false,false,true,true,true
#default,_result,,,,,,,,
,result,table,_start,_stop,_time,_value,_field,_measurement,device
,,0,2026-11-23T12:00:30Z,2026-11-23T13:00:00Z,2026-11-23T12:44:00Z,21.5,temperature_celsius,air,office
,,1,2026-11-23T12:00:30Z,2026-11-23T13:00:00Z,2026-11-23T12:44:00Z,612,co2_ppm,air,office

#datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,string,string,string,string
#group,false,false,true,true,false,false,true,true,true
#default,_result,,,,,,,,
,result,table,_start,_stop,_time,_value,_field,_measurement,device
,,2,2026-11-23T12:00:30Z,2026-11-23T13:00:00Z,2026-11-23T12:44:00Z,good,verdict,air,office

`

// windowRows is one result of aggregateWindow(timeSrc: "_start"). The range cuts the
// first window, so this window's time is the range's start.
func windowRows(name, kind, first, second string) string {
	return `#datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,` + kind + `,string,string,string
#group,false,false,true,true,false,false,true,true,true
#default,` + name + `,,,,,,,,
,result,table,_start,_stop,_time,_value,_field,_measurement,device
,,0,2026-11-23T12:00:30Z,2026-11-23T13:00:00Z,2026-11-23T12:00:30Z,` + first + `,temperature_celsius,air,office
,,0,2026-11-23T12:00:30Z,2026-11-23T13:00:00Z,2026-11-23T12:30:00Z,` + second + `,temperature_celsius,air,office

`
}

func TestWindowsByFlux(t *testing.T) {
	i, asked := influx2(t, "v2.7.1", map[string]string{
		`last()"`: lastRows,
		"aggregateWindow(every: 900s, fn: mean, createEmpty: false": windowRows("mean", "double", "20.5", "21") + windowRows("min", "double", "20", "20.5") +
			windowRows("max", "double", "21", "21.5") + windowRows("last", "double", "21", "21.5") + windowRows("count", "long", "2", "3"),
	})
	q := store.Query{Name: "air", Fields: []string{"temperature_celsius", "verdict"}, From: noon.Truncate(time.Hour).Add(30 * time.Second), To: noon.Truncate(time.Hour).Add(time.Hour), Step: 15 * time.Minute}
	hour := noon.Truncate(time.Hour)
	want := []store.WindowSeries{{Tags: map[string]string{"device": "office"}, Field: "temperature_celsius", Windows: []store.Window{
		{Start: hour, Mean: 20.5, Min: 20, Max: 21, Last: 21, Count: 2},
		{Start: hour.Add(30 * time.Minute), Mean: 21, Min: 20.5, Max: 21.5, Last: 21.5, Count: 3},
	}}}
	for range 2 {
		got, err := over(i).RawWindows(t.Context(), q)
		if diff := gocmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
	}
	q.Step, q.Zone = 24*time.Hour, time.FixedZone("", -3600)
	want[0].Windows = []store.Window{{Start: hour.Add(-11 * time.Hour), Mean: 20.8, Min: 20, Max: 21.5, Last: 21.5, Count: 5}}
	got, err := over(i).RawWindows(t.Context(), q)
	if diff := gocmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	same(t, *asked, []string{"/ping", "/api/v2/query", "/api/v2/query", "/api/v2/query", "/api/v2/query", "/api/v2/query", "/api/v2/query"})
}

func TestExtentsByFlux(t *testing.T) {
	i, _ := influx2(t, "v2.7.1", map[string]string{
		"distinct(column: ": "#datatype,string,long,string\n#group,false,false,false\n#default,_result,,\n,result,table,_value\n,,0,air\n,,0,outside\n\n",
		`first()"`:          strings.ReplaceAll(lastRows, "12:44", "12:01"),
		`last()"`:           lastRows,
	})
	got, err := i.Extents(t.Context(), noon.Add(-time.Hour), noon.Add(time.Hour))
	hour := noon.Truncate(time.Hour)
	want := []store.Extent{{Name: "air", First: hour.Add(time.Minute), Last: hour.Add(44 * time.Minute)}, {Name: "outside", First: hour.Add(time.Minute), Last: hour.Add(44 * time.Minute)}}
	if diff := gocmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestBrokenAnswersAboutWindowsAreErrors(t *testing.T) {
	good := windowRows("mean", "double", "20.5", "21")
	for name, rows := range map[string]string{
		"a text":    windowRows("mean", "string", "warm", "cold"),
		"an error":  good + "#datatype,string,string\n#group,true,true\n#default,,\n,error,reference\n,query terminated,897\n",
		"a bad row": good + ",,0,noon\n",
	} {
		i, _ := influx2(t, "v2.7.1", map[string]string{`last()"`: lastRows, "aggregateWindow": rows})
		if got, err := over(i).RawWindows(t.Context(), store.Query{Name: "air", From: noon, To: noon.Add(time.Hour), Step: time.Hour}); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
	for name, body := range map[string]string{
		"an error":      `{"error":"database is locked"}`,
		"cut short":     `{"results":[{"series":[{"name":"air","columns":["fieldKey","fieldType"],"values":[["v","float"]]}]`,
		"of one result": `{"results":[{"statement_id":0,"error":"database not found: home"}]}`,
	} {
		i, _ := influx2(t, "1.8.10", map[string]string{"": body})
		if got, err := over(i).RawWindows(t.Context(), store.Query{Name: "air", From: noon, To: noon.Add(time.Hour), Step: time.Hour}); err == nil {
			t.Errorf("1.8, %s: %v", name, got)
		}
	}
}

// The server may be upgraded while a function runs.
func TestAnUpgradedServerIsAskedForItsVersionAgain(t *testing.T) {
	upgraded := false
	i := influxAt(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/ping" && !upgraded:
			w.Header().Set("X-Influxdb-Version", "1.8.10")
		case r.URL.Path == "/ping":
			w.Header().Set("X-Influxdb-Version", "v2.7.1")
		case r.URL.Path == "/query" && upgraded:
			http.Error(w, `{"code":"not found","message":"no dbrp mapping found"}`, http.StatusNotFound)
		case r.URL.Path == "/query":
			io.WriteString(w, `{"results":[{"statement_id":0}]}`)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	})
	for n, want := range []bool{true, true, false, true} {
		upgraded = n >= 2
		if err := i.DeleteRange(t.Context(), "air", nil, noon, noon.Add(1)); (err == nil) != want {
			t.Errorf("call %d: %v", n, err)
		}
	}
}
