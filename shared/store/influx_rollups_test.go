package store_test

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/testserver"
)

// byBoth runs a test against InfluxDB 1.8, read by InfluxQL and, as InfluxDB 2, by Flux,
// which is slow there.
func byBoth(t *testing.T, test func(t *testing.T, s store.Series, flux bool)) {
	address, bucket := testserver.Influx(t)
	open := func(t *testing.T, address string) store.Series {
		s, err := store.OpenInflux(store.Influx{URL: address, Org: "home", Bucket: bucket, Token: planted(t, "influx-token", "any:any-token")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	t.Run("InfluxQL", func(t *testing.T) { test(t, open(t, address), false) })
	t.Run("Flux", func(t *testing.T) {
		target, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		proxy := httputil.NewSingleHostReverseProxy(target)
		proxy.ModifyResponse = func(res *http.Response) error {
			res.Header.Set("X-Influxdb-Version", "v2.7.1")
			return nil
		}
		test(t, open(t, serve(t, proxy)), true)
	})
}

// rolledUp returns the roll-ups of some readings, by series and field.
func rolledUp(rs []reading.Reading, resolution time.Duration) []store.RollupSeries {
	var out []store.RollupSeries
	for _, s := range windows(rs, store.Query{Name: rs[0].Name, From: time.Unix(0, 0), To: noon.AddDate(10, 0, 0), Step: resolution}) {
		of := store.RollupSeries{Tags: s.Tags, Field: s.Field}
		for n, w := range s.Windows {
			of.Rows = append(of.Rows, store.Rollup{Start: w.Start, Sum: w.Mean * float64(w.Count), Min: w.Min, Max: w.Max, Last: w.Last, Count: w.Count, Suspect: n % 3})
		}
		out = append(out, of)
	}
	return out
}

// someReadings returns readings of three rooms from a time on, one a step.
func someReadings(name string, from time.Time, step time.Duration, n int) []reading.Reading {
	out := make([]reading.Reading, n)
	for i := range out {
		out[i] = reading.Reading{Name: name, Tags: map[string]string{"room": fmt.Sprint(`it's "`, i%3, `"`), "floor": "1"}, Text: map[string]string{"sky": "clear"},
			Fields: map[string]float64{"a": math.Sin(float64(i)) * 1e3}, Time: from.Add(time.Duration(i) * step)}
		if i%2 == 0 {
			out[i].Fields["b, c=d"] = float64(-i)
		}
	}
	return out
}

// collected returns what fn was called with, by series and field.
type collected[T any] map[string][]T

func (c collected[T]) add(tags map[string]string, field string, rows []T) error {
	key := reading.Reading{Name: "m", Tags: tags}.Series() + " " + field
	c[key] = append(c[key], rows...)
	return nil
}

var about = cmpopts.EquateApprox(1e-12, 1e-12)

func TestRollupsComeBackAsWritten(t *testing.T) {
	byBoth(t, func(t *testing.T, s store.Series, _ bool) {
		name := measurement(t)
		for _, resolution := range []time.Duration{store.FiveMinutes, store.Hour} {
			all := rolledUp(someReadings(name, noon, 77*time.Second, 900), resolution)
			for range 2 {
				if err := s.WriteRollups(t.Context(), resolution, name, all); err != nil {
					t.Fatal(err)
				}
			}
			for n := range all { // one row was wrong, and a part for late values is added
				all[n].Rows[1] = store.Rollup{Start: all[n].Rows[1].Start, Sum: 6, Min: 1, Max: 3, Last: 2, Count: 3}
				all[n].Rows = slices.Insert(all[n].Rows, 3, store.Rollup{Start: all[n].Rows[2].Start.Add(time.Second), Sum: -1e300, Min: -1e300, Max: -1e300, Last: -1e300, Count: 1, Suspect: 1})
			}
			if err := s.WriteRollups(t.Context(), resolution, name, all); err != nil {
				t.Fatal(err)
			}
			q := store.Query{Name: name, Tags: map[string]string{"room": `it's "1"`}, Fields: []string{"b, c=d", "none"}, From: noon.Truncate(time.Hour).Add(resolution), To: noon.Truncate(time.Hour).Add(4 * resolution)}
			got, want := collected[store.Rollup]{}, collected[store.Rollup]{}
			for _, of := range all {
				if of.Tags["room"] == q.Tags["room"] && of.Field == "b, c=d" {
					rows := slices.DeleteFunc(slices.Clone(of.Rows), func(r store.Rollup) bool { return r.Start.Before(q.From) || !r.Start.Before(q.To) })
					want.add(of.Tags, of.Field, rows)
				}
			}
			if err := s.ReadRollups(t.Context(), resolution, q, got.add); err != nil {
				t.Fatal(err)
			}
			if diff := gocmp.Diff(want, got, about); diff != "" || len(got) != 1 {
				t.Errorf("%s: %s", resolution, diff)
			}
		}
	})
}

func TestWindowsOfRollups(t *testing.T) {
	byBoth(t, func(t *testing.T, s store.Series, flux bool) {
		name := measurement(t)
		from := time.Date(2026, 3, 28, 10, 0, 0, 0, time.UTC) // the clocks of Europe change on the 29th
		all := someReadings(name, from, 277*time.Second, 800)
		for _, resolution := range []time.Duration{store.FiveMinutes, store.Hour} {
			if err := s.WriteRollups(t.Context(), resolution, name, rolledUp(all, resolution)); err != nil {
				t.Fatal(err)
			}
		}
		berlin, err := time.LoadLocation("Europe/Berlin")
		if err != nil {
			t.Fatal(err)
		}
		kathmandu, err := time.LoadLocation("Asia/Kathmandu")
		if err != nil {
			t.Fatal(err)
		}
		for _, tc := range []struct {
			resolution, step time.Duration
			zone             *time.Location
		}{
			{store.FiveMinutes, 15 * time.Minute, nil}, {store.FiveMinutes, 24 * time.Hour, kathmandu}, {store.Hour, time.Hour, nil}, {store.Hour, 5 * time.Hour, nil},
			{store.Hour, 24 * time.Hour, nil}, {store.Hour, 24 * time.Hour, berlin}, {store.Hour, 7 * 24 * time.Hour, berlin},
		} {
			for _, to := range []time.Time{from.Add(50 * time.Hour), from.AddDate(1, 0, 0)} {
				if flux && (to.After(from.Add(50*time.Hour)) != (tc.zone == berlin) || tc.step == 15*time.Minute) {
					continue
				}
				q := store.Query{Name: name, From: from.Add(2 * time.Hour), To: to, Step: tc.step, Zone: tc.zone}
				if flux {
					q.Fields = []string{"a"}
				}
				want := windows(all, q)
				got := aggregated(t, s, tc.resolution, q)
				if diff := gocmp.Diff(want, got, about); diff != "" {
					t.Errorf("%+v: %.2000s", tc, diff)
				}
			}
		}
		// A row counts to the window in which it begins, the suspect values too.
		got := collected[store.Window]{}
		q := store.Query{Name: name, Fields: []string{"a"}, Tags: map[string]string{"room": `it's "0"`}, From: from, To: from.Add(5 * time.Hour), Step: 7 * time.Hour, Suspects: true}
		if err := s.AggregateRollups(t.Context(), store.Hour, q, got.add); err != nil || len(got) != 1 {
			t.Fatal(got, err)
		}
		for key, ws := range got { // the rows 0 to 4 have 0, 1, 2, 0, 1 suspect values, and a window begins at 13:00
			suspect := 0
			for _, w := range ws {
				suspect += w.Suspect
			}
			if suspect != 4 {
				t.Errorf("%s: %+v", key, ws)
			}
		}
	})
}

// aggregated returns the windows, merged as Store.Windows does.
func aggregated(t *testing.T, s store.Series, resolution time.Duration, q store.Query) []store.WindowSeries {
	t.Helper()
	at := map[string]*store.WindowSeries{}
	if err := s.AggregateRollups(t.Context(), resolution, q, func(tags map[string]string, field string, ws []store.Window) error {
		key := reading.Reading{Name: q.Name, Tags: tags}.Series() + "\x00" + field
		if at[key] == nil {
			at[key] = &store.WindowSeries{Tags: tags, Field: field}
		}
		into := at[key]
		for _, w := range ws {
			w.Start, _ = q.Window(w.Start)
			if last := len(into.Windows) - 1; last >= 0 && into.Windows[last].Start.Equal(w.Start) {
				p := &into.Windows[last]
				n := p.Count + w.Count
				*p = store.Window{Start: p.Start, Mean: (p.Mean*float64(p.Count) + w.Mean*float64(w.Count)) / float64(n), Min: min(p.Min, w.Min), Max: max(p.Max, w.Max), Last: w.Last, Count: n}
				continue
			}
			into.Windows = append(into.Windows, w)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	var out []store.WindowSeries
	for _, of := range at {
		out = append(out, *of)
	}
	slices.SortFunc(out, func(a, b store.WindowSeries) int {
		return cmp.Or(cmp.Compare(reading.Reading{Tags: a.Tags}.Series(), reading.Reading{Tags: b.Tags}.Series()), cmp.Compare(a.Field, b.Field))
	})
	return out
}

// More spans than one request has.
func TestValuesInSpans(t *testing.T) {
	byBoth(t, func(t *testing.T, s store.Series, flux bool) {
		name := measurement(t)
		all := someReadings(name, noon, 77*time.Second, 2000)
		if err := s.Write(t.Context(), all); err != nil {
			t.Fatal(err)
		}
		n := 600
		if flux {
			n = 30 // with the empty ones more than 50
		}
		var spans []store.TimeSpan
		for n := range n {
			from := noon.Add(time.Duration(n) * 4 * time.Minute)
			spans = append(spans, store.TimeSpan{From: from, To: from.Add(77 * time.Second)}, store.TimeSpan{From: from.Add(100 * time.Second), To: from.Add(100 * time.Second)})
		}
		spans[1].To = spans[1].From.Add(54*time.Second + 1) // 154 s after noon and a nanosecond
		inside := func(at time.Time) bool {
			return slices.ContainsFunc(spans, func(s store.TimeSpan) bool { return !at.Before(s.From) && at.Before(s.To) })
		}
		for _, q := range []store.Query{{Name: name}, {Name: name, Fields: []string{"a", "sky"}, Tags: map[string]string{"room": `it's "2"`}}} {
			want, got := collected[store.Value]{}, collected[store.Value]{}
			for _, r := range all {
				for f, v := range r.Fields {
					if inside(r.Time) && (q.Tags == nil || f == "a" && r.Tags["room"] == q.Tags["room"]) {
						want.add(r.Tags, f, []store.Value{{Time: r.Time, V: v}})
					}
				}
			}
			if err := s.ValuesIn(t.Context(), q, spans, got.add); err != nil {
				t.Fatal(err)
			}
			if diff := gocmp.Diff(want, got); diff != "" || len(got) == 0 {
				t.Errorf("%.2000s", diff)
			}
		}
		for what, q := range map[string]store.Query{"no such measurement": {Name: name + "x"}, "a text": {Name: name, Fields: []string{"sky"}}} {
			if err := s.ValuesIn(t.Context(), q, spans, collected[store.Value]{}.add); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

func TestRollupsThatCannotBeStored(t *testing.T) {
	address, bucket := testserver.Influx(t)
	s, err := store.OpenInflux(store.Influx{URL: address, Bucket: bucket, Token: planted(t, "influx-token", "any:any-token")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	good := store.Rollup{Start: noon.Truncate(time.Hour), Sum: 1, Min: 1, Max: 1, Last: 1, Count: 1}
	for what, change := range map[string]func(*store.RollupSeries, *store.Rollup){
		"a field of a roll-up": func(s *store.RollupSeries, _ *store.Rollup) { s.Field = "v:sum" },
		"a reserved tag":       func(s *store.RollupSeries, _ *store.Rollup) { s.Tags = map[string]string{"_field": "x"} },
		"no values":            func(_ *store.RollupSeries, r *store.Rollup) { r.Count = 0 },
		"no number":            func(_ *store.RollupSeries, r *store.Rollup) { r.Last = math.NaN() },
		"a time in year 1":     func(_ *store.RollupSeries, r *store.Rollup) { r.Start = time.Time{} },
	} {
		of, row := store.RollupSeries{Field: "v"}, good
		change(&of, &row)
		of.Rows = []store.Rollup{row}
		if err := s.WriteRollups(t.Context(), store.Hour, "m", []store.RollupSeries{of}); !errors.Is(err, store.ErrUnstorable) {
			t.Errorf("%s: %v", what, err)
		}
	}
	// The longest field that a reading may have.
	r := reading.Reading{Name: measurement(t), Fields: map[string]float64{}, Time: noon}
	field := strings.Repeat("f", 65535-len(":suspect")-4-len(r.Name))
	r.Fields[field] = 1
	if err := s.Write(t.Context(), []reading.Reading{r}); err != nil {
		t.Fatal(err)
	}
	good.Sum = math.Inf(1) // values near the largest number
	if err := s.WriteRollups(t.Context(), store.Hour, r.Name, []store.RollupSeries{{Field: field, Rows: []store.Rollup{good}}}); err != nil {
		t.Error(err)
	}
}

func TestReadyForRollups(t *testing.T) {
	const empty = `{"code":"invalid","message":"writing requires points"}`
	for what, tc := range map[string]struct {
		write, query answer
		want         string // in the error; "": none
	}{
		"usable":       {answer{400, asJSON, "", empty}, answer{200, "text/csv", "", ""}, ""},
		"accepts none": {answer{204, asJSON, "", ""}, answer{200, "text/csv", "", ""}, ""},
		"missing":      {answer{404, asJSON, "", `{"code":"not found","message":"bucket \"home_5m\" not found"}`}, answer{}, "the bucket home_5m is missing: run hearth migrate with INFLUX_ADMIN_TOKEN"},
		"no write":     {answer{403, asJSON, "", `{"code":"forbidden","message":"insufficient permissions for write"}`}, answer{}, "the token may not write to the bucket home_5m"},
		"no read":      {answer{400, asJSON, "", empty}, answer{404, asJSON, "", `{"code":"not found","message":"could not find bucket \"home_5m\""}`}, "the token may not read the bucket home_5m"},
		"wrong token":  {answer{401, asJSON, "", `{"code":"unauthorized","message":"unauthorized access"}`}, answer{}, "401"},
		"wrong org":    {answer{404, asJSON, "", `{"code":"not found","message":"organization name \"home\" not found"}`}, answer{}, "organization name"},
		"busy":         {answer{503, asJSON, "", `{"code":"unavailable","message":"later"}`}, answer{}, "503"},
	} {
		t.Run(what, func(t *testing.T) {
			asked := 0
			i := influxAt(t, func(w http.ResponseWriter, r *http.Request) {
				asked++
				switch r.URL.Path {
				case "/ping":
					w.Header().Set("X-Influxdb-Version", "v2.7.1")
				case "/api/v2/write":
					if body, err := io.ReadAll(r.Body); len(body) != 0 || err != nil {
						t.Errorf("%q is written, %v", body, err)
					}
					tc.write.serve(w, r)
				default:
					tc.query.serve(w, r)
				}
			})
			err := i.ReadyForRollups(t.Context())
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("%v, want %q", err, tc.want)
			}
			before := asked
			if err := i.ReadyForRollups(t.Context()); (err == nil) != (tc.want == "") || (asked > before) == (tc.want == "") {
				t.Errorf("asked again: %v, %d requests", err, asked-before)
			}
		})
	}
}

func TestReadyForRollupsOn18(t *testing.T) {
	address, bucket := testserver.Influx(t)
	db, _, _ := strings.Cut(bucket, "/")
	for bucket, want := range map[string]string{
		bucket:       "",
		db:           "",
		"nowhere":    "the bucket nowhere_5m is missing: run hearth migrate with INFLUX_ADMIN_TOKEN",
		db + "/long": "the bucket " + db + "_5m/long is missing: run hearth migrate with INFLUX_ADMIN_TOKEN",
	} {
		s, err := store.OpenInflux(store.Influx{URL: address, Bucket: bucket, Token: planted(t, "influx-token", "any:any-token")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		if err := s.ReadyForRollups(t.Context()); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", bucket, err, want)
		}
	}
}
