package store_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/testserver"
)

func TestDeleteRangeDeletesOnlyTheRange(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		name, other := measurement(t)+` odd "name"`, measurement(t)+"b"
		at := func(name, room string, n int) reading.Reading {
			return reading.Reading{Name: name, Tags: map[string]string{"room": room, "floor": "1"}, Fields: map[string]float64{"v": float64(n)}, Text: map[string]string{"t": "x"},
				Time: noon.Add(time.Duration(n))}
		}
		var all []reading.Reading
		for n := range 6 {
			all = append(all, at(name, `it's "here"`, n), at(name, "bath", n), at(other, "bath", n))
		}
		write(t, s, all...)
		gone := func(r reading.Reading, name string, room string, from, to int) bool {
			n := int(r.Time.Sub(noon))
			return r.Name == name && (room == "" || r.Tags["room"] == room) && n >= from && n < to
		}
		for _, d := range []struct {
			room     string
			from, to int
		}{{`it's "here"`, 2, 4}, {"", 4, 5}, {"cellar", 0, 6}, {"", 3, 3}} {
			var tags map[string]string
			if d.room != "" {
				tags = map[string]string{"room": d.room, "floor": "1"}
			}
			if err := s.DeleteRange(t.Context(), name, tags, noon.Add(time.Duration(d.from)), noon.Add(time.Duration(d.to))); err != nil {
				t.Fatal(err)
			}
			all = slices.DeleteFunc(all, func(r reading.Reading) bool { return gone(r, name, d.room, d.from, d.to) })
		}
		for _, n := range []string{name, other} {
			var want []string
			for _, r := range all {
				if r.Name == n {
					want = append(want, r.Line())
				}
			}
			got := lines(t, s, n, nil)
			slices.Sort(want)
			slices.Sort(got)
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		}
		for name, tags := range map[string]map[string]string{"": nil, other: {"room": ""}} {
			if err := s.DeleteRange(t.Context(), name, tags, time.Time{}, noon.AddDate(100, 0, 0)); err == nil {
				t.Errorf("%q %v is deleted", name, tags)
			}
		}
		if err := s.DeleteRange(t.Context(), other, nil, time.Time{}, noon.AddDate(300, 0, 0)); err != nil || len(lines(t, s, other, nil)) != 0 {
			t.Errorf("all of time: %v", err)
		}
	})
}

// More readings than one read or delete handles, many of them in one second.
func TestEverythingReturnsReadingsDayByDay(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		a, b, old := measurement(t)+"a", measurement(t)+"b", measurement(t)+"old"
		var all []reading.Reading
		for i := range 45_000 {
			r := reading.Reading{Name: a, Tags: map[string]string{"room": fmt.Sprint(i % 3)}, Fields: map[string]float64{"v": float64(i)}, Time: noon.Add(time.Duration(i) * 20 * time.Microsecond)}
			if i >= 22_000 {
				r.Time = noon.Add(24*time.Hour + time.Duration(i)*10*time.Second)
			}
			all = append(all, r)
		}
		for i := range 300 {
			all = append(all, reading.Reading{Name: b, Text: map[string]string{"t": fmt.Sprint(i)}, Time: noon.Add(time.Duration(i) * time.Hour)})
		}
		all = append(all, reading.Reading{Name: old, Fields: map[string]float64{"v": 1}, Time: noon.AddDate(-40, 0, 0)})
		write(t, s, all...)
		read := func(from, to time.Time) []string {
			var out []string
			var newest time.Time
			for r, err := range s.Everything(t.Context(), from, to) {
				if err != nil {
					t.Fatal(err)
				}
				if r.Name != a && r.Name != b && r.Name != old {
					continue // of another test, which shares the bucket
				}
				if d := r.Time.Truncate(24 * time.Hour); d.Before(newest) {
					t.Fatalf("%s comes after %s", d, newest)
				} else {
					newest = d
				}
				out = append(out, r.Line())
			}
			slices.Sort(out)
			return out
		}
		want := func(from, to time.Time) []string {
			var out []string
			for _, r := range all {
				if !r.Time.Before(from) && r.Time.Before(to) {
					out = append(out, r.Line())
				}
			}
			slices.Sort(out)
			return out
		}
		always := time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC)
		for _, span := range [][2]time.Time{{always, noon.AddDate(1, 0, 0)}, {noon.Add(20 * time.Microsecond), noon.Add(40 * time.Hour)}, {noon, noon}} {
			if got, want := read(span[0], span[1]), want(span[0], span[1]); !slices.Equal(got, want) {
				t.Errorf("%v: %d readings, want %d", span, len(got), len(want))
			}
		}
		for _, err := range s.Everything(t.Context(), always, noon.AddDate(1, 0, 0)) {
			if err != nil {
				t.Error(err)
			}
			break // the caller ends the sequence
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for _, err := range s.Everything(ctx, always, noon) {
			if err == nil {
				t.Error("a cancelled call reads on")
			}
		}
		if err := s.DeleteRange(t.Context(), a, nil, noon.Add(time.Second), noon.AddDate(1, 0, 0)); err != nil || len(read(always, noon.AddDate(1, 0, 0))) != 22_301 {
			t.Errorf("%v, %d left", err, len(read(always, noon.AddDate(1, 0, 0))))
		}
	})
}

// InfluxDB 1.x deletes in every retention policy of a database. So if there is more than
// one, a delete is refused.
func TestADeleteIsRefusedWithTwoRetentionPolicies(t *testing.T) {
	address, bucket := testserver.Influx(t)
	db, _, _ := strings.Cut(bucket, "/")
	series := func(bucket string) store.Series {
		s, err := store.OpenInflux(store.Influx{URL: address, Bucket: bucket, Token: planted(t, "influx-token", "any:any-token")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	res, err := http.PostForm(address+"/query", url.Values{"q": {`CREATE RETENTION POLICY "others" ON ` + db + ` DURATION INF REPLICATION 1`}})
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatal(res, err)
	}
	res.Body.Close()
	ours, others := series(bucket), series(db+"/others")
	for _, s := range []store.Series{ours, others} {
		if err := s.Write(t.Context(), []reading.Reading{{Name: "weather", Fields: map[string]float64{"v": 1}, Time: noon}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := ours.DeleteRange(t.Context(), "weather", nil, noon, noon.Add(1)); err == nil || !strings.Contains(err.Error(), "retention policies") {
		t.Errorf("%v, want a refusal that names the policies", err)
	}
	if rs, err := others.BetweenAtMost(t.Context(), 10, "weather", nil, noon, noon.Add(1)); err != nil || len(rs) != 1 {
		t.Errorf("the other policy has %d readings, %v", len(rs), err)
	}
}
