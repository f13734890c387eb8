package store_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// measurement returns a name that no other test uses, because tests share a bucket.
func measurement(t *testing.T) string { return "m" + strings.ToLower(rand.Text()) }

func write(t *testing.T, s *store.Store, rs ...reading.Reading) {
	t.Helper()
	if err := s.Write(t.Context(), rs); err != nil {
		t.Fatal(err)
	}
}

// lines returns the readings stored in an hour around noon, in line protocol.
func lines(t *testing.T, s *store.Store, name string, tags map[string]string) []string {
	t.Helper()
	rs, err := s.Between(t.Context(), name, tags, noon.Add(-time.Hour), noon.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return lineOf(rs)
}

func lineOf(rs []reading.Reading) []string {
	out := make([]string, len(rs))
	for i, r := range rs {
		out[i] = r.Line()
	}
	return out
}

func TestWritingTwiceStoresOnce(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		name := measurement(t)
		r := reading.Reading{Name: name, Tags: map[string]string{"room": "office"}, Fields: map[string]float64{"co2_ppm": 612}, Time: noon}
		write(t, s, r)
		write(t, s, r, r)
		if got, want := lines(t, s, name, nil), []string{r.Line()}; !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}

func TestReadingsOfOnePointAreMergedAndTheLaterValueWins(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		r := reading.Reading{Name: measurement(t), Tags: map[string]string{"room": "office", "empty": ""}, Time: noon,
			Fields: map[string]float64{"a": 1, "b": 0.1}, Text: map[string]string{"x": "old", "y": "stays"}}
		write(t, s, r)
		more := r
		more.Fields, more.Text = map[string]float64{"b": 1e-9, "c": -12345678.875}, map[string]string{"x": "new"}
		write(t, s, more)
		want := r
		want.Fields = map[string]float64{"a": 1, "b": 1e-9, "c": -12345678.875}
		want.Text = map[string]string{"x": "new", "y": "stays"}
		if diff := cmp.Diff([]string{want.Line()}, lines(t, s, r.Name, nil)); diff != "" {
			t.Error(diff)
		}
	})
}

var odd = []string{
	"a b", "a,b", "a=b", `"quoted"`, `it's`, "Zürich 東京 🌡", "$5 ${r._value}", "100%", "'; drop table readings; --", "#hash", "a\\b", "trailing\\",
	"new\nline", "tab\there", "carriage\r\nreturn", "<b>&amp;</b>", "null", "true", "{}", " ", "a  ",
}

func TestOddCharactersComeBackAsWritten(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		name := measurement(t)
		var all []reading.Reading
		for i, o := range odd {
			all = append(all, reading.Reading{Name: name, Tags: map[string]string{"odd": o, "n": fmt.Sprint(i)}, Time: noon,
				Fields: map[string]float64{"v": float64(i)}, Text: map[string]string{"text": o, "empty": ""}})
		}
		write(t, s, all...)
		want, err := store.Normal(all)
		if err != nil {
			t.Fatal(err)
		}
		byLine := lineOf(want)
		slices.Sort(byLine)
		got := lines(t, s, name, nil)
		slices.Sort(got)
		if diff := cmp.Diff(byLine, got); diff != "" {
			t.Error(diff)
		}
		for _, r := range want {
			if got := lines(t, s, name, map[string]string{"odd": r.Tags["odd"]}); !slices.Contains(got, r.Line()) {
				t.Errorf("tag %q finds %q", r.Tags["odd"], got)
			}
		}
		if stored, unchanged, err := merge(t.Context(), s, all); stored != 0 || unchanged != len(all) || err != nil {
			t.Errorf("a rerun stores %d, %d of %d unchanged: %v", stored, unchanged, len(all), err)
		}
	})
}

func TestNormalChangesOnlyWhatCannotBeStored(t *testing.T) {
	rs, err := store.Normal([]reading.Reading{{Name: "m", Tags: map[string]string{"a": "x\\y\nz", "b": ""}, Time: noon,
		Fields: map[string]float64{"v": 1}, Text: map[string]string{"t": "1\r\n2\\3\x00\xff"}}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := rs[0].Line(), `m,a=x/y\ z v=1,t="1`+"\n"+`2\\3`+"\uFFFD"+`" 1795435200123456000`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestBetweenIsHalfOpenAndOrdered(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		name := measurement(t)
		var all []reading.Reading
		for i := range 10 {
			for _, room := range []string{"office", "bath"} {
				all = append(all, reading.Reading{Name: name, Tags: map[string]string{"room": room, "floor": "1"},
					Fields: map[string]float64{"v": float64(i)}, Time: noon.Add(time.Duration(9-i) * time.Nanosecond)})
			}
		}
		write(t, s, all...)
		got, err := s.Between(t.Context(), name, map[string]string{"floor": "1"}, noon.Add(2), noon.Add(5))
		if err != nil {
			t.Fatal(err)
		}
		var seen []string
		for _, r := range got {
			seen = append(seen, fmt.Sprintf("%s %d", r.Tags["room"], r.Time.Sub(noon)))
		}
		want := []string{"bath 2", "bath 3", "bath 4", "office 2", "office 3", "office 4"}
		if !slices.Equal(seen, want) {
			t.Errorf("%v, want %v", seen, want)
		}
		if got, err := s.Between(t.Context(), name, nil, noon, noon); len(got) != 0 || err != nil {
			t.Errorf("an empty range gives %v, %v", got, err)
		}
		if got, err := s.Between(t.Context(), name, map[string]string{"floor": "2"}, time.Time{}, noon.AddDate(100, 0, 0)); len(got) != 0 || err != nil {
			t.Errorf("no such floor gives %v, %v", got, err)
		}
		if got, err := s.Between(t.Context(), name, nil, time.Time{}, noon.AddDate(500, 0, 0)); len(got) != len(all) || err != nil {
			t.Errorf("all of time gives %d, %v, want %d", len(got), err, len(all))
		}
	})
}

func TestLatestIsTheNewestOfEverySeries(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		name := measurement(t)
		at := func(room string, d time.Duration, fields map[string]float64) reading.Reading {
			return reading.Reading{Name: name, Tags: map[string]string{"room": room}, Fields: fields, Time: noon.Add(d)}
		}
		newest := at("office", time.Hour, map[string]float64{"a": 2})
		forecast := at("garden", 30*24*time.Hour, map[string]float64{"a": 4})
		write(t, s, at("office", 0, map[string]float64{"a": 1, "only_before": 7}), newest, at("cellar", -48*time.Hour, map[string]float64{"a": 3}), forecast)
		got, err := s.Latest(t.Context(), name, noon.Add(-24*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{forecast.Line(), newest.Line()}, lineOf(got)); diff != "" {
			t.Error(diff)
		}
	})
}

// merge stores the readings that Fresh returns, as shared/ingest does for a source.
func merge(ctx context.Context, s *store.Store, rs []reading.Reading) (stored, unchanged int, err error) {
	fresh, unchanged, err := s.Fresh(ctx, rs)
	if err != nil || len(fresh) == 0 {
		return 0, unchanged, err
	}
	return len(fresh), unchanged, s.Commit(ctx, "store what is fresh", store.Batch{Readings: fresh}, nil)
}

func TestFreshReturnsOnlyReadingsThatDiffer(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		name, other := measurement(t)+"a", measurement(t)+"b"
		var all []reading.Reading
		for i := range 50 {
			for _, n := range []string{name, other} {
				all = append(all, reading.Reading{Name: n, Tags: map[string]string{"place": "home"}, Time: noon.Add(time.Duration(i) * time.Second),
					Fields: map[string]float64{"v": float64(i) / 3}, Text: map[string]string{"sky": "clear"}})
			}
		}
		merged := func(rs []reading.Reading, stored, unchanged int) {
			t.Helper()
			a, b, err := merge(t.Context(), s, rs)
			if a != stored || b != unchanged || err != nil {
				t.Errorf("stored %d, unchanged %d, %v; want %d, %d", a, b, err, stored, unchanged)
			}
		}
		merged(nil, 0, 0)
		merged(all[:60], 60, 0)
		merged(all, 40, 60)
		merged(all, 0, 100)
		changed := slices.Clone(all)
		changed[7].Fields = map[string]float64{"v": -1}
		changed[8].Text = map[string]string{"sky": "cloudy"}
		changed[9].Fields = map[string]float64{"w": 1}
		merged(changed, 3, 97)
		merged(changed, 0, 100)
		twice := []reading.Reading{changed[0], changed[0]}
		twice[1].Fields = map[string]float64{"v": 99}
		merged(twice, 1, 0) // one point: the later value wins
		if got := lines(t, s, name, nil); len(got) != 50 {
			t.Errorf("%d points, want 50", len(got))
		}
	})
}

func TestWriteRefusesUnstorableReadings(t *testing.T) {
	good := reading.Reading{Name: "m", Tags: map[string]string{"room": "office"}, Fields: map[string]float64{"v": 1}, Time: noon}
	bad := map[string]func(*reading.Reading){
		"seconds_as_years": func(r *reading.Reading) { r.Time = time.Unix(1795435200000, 0) },
		"before_1900":      func(r *reading.Reading) { r.Time = time.Date(1899, 1, 1, 0, 0, 0, 0, time.UTC) },
		"no_time":          func(r *reading.Reading) { r.Time = time.Time{} },
		"no_value":         func(r *reading.Reading) { r.Fields = nil },
		"reserved_tag":     func(r *reading.Reading) { r.Tags = map[string]string{"_field": "x"} },
		"reserved_field":   func(r *reading.Reading) { r.Fields = map[string]float64{"time": 1} },
		"tag_and_field":    func(r *reading.Reading) { r.Fields = map[string]float64{"room": 1} },
		"number_and_text":  func(r *reading.Reading) { r.Text = map[string]string{"v": "1"} },
	}
	each(t, func(t *testing.T, s *store.Store) {
		for _, name := range slices.Sorted(maps.Keys(bad)) {
			good.Name = measurement(t)
			r := good
			bad[name](&r)
			if err := s.Write(t.Context(), []reading.Reading{good, r}); !errors.Is(err, store.ErrUnstorable) {
				t.Errorf("%s: %v", name, err)
			}
			if got := lines(t, s, good.Name, nil); len(got) != 0 {
				t.Errorf("%s: a refused batch stored %v", name, got)
			}
		}
	})
}

func TestDropSamplesDropsOnlySamples(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		a, b := measurement(t)+"a", measurement(t)+`b "odd" name`
		at := func(name, sample string, d time.Duration) reading.Reading {
			return reading.Reading{Name: name, Tags: map[string]string{"place": "home", "sample": sample}, Fields: map[string]float64{"v": 1}, Time: noon.Add(d)}
		}
		keep := []reading.Reading{at(a, "", 0), at(b, "", time.Minute)}
		write(t, s, append([]reading.Reading{at(a, "true", 0), at(a, "true", 30*24*time.Hour), at(b, "true", 0)}, keep...)...)
		if err := s.DropSamples(t.Context(), []string{a, "never_written", b}); err != nil {
			t.Fatal(err)
		}
		for i, name := range []string{a, b} {
			rs, err := s.Between(t.Context(), name, nil, time.Time{}, noon.AddDate(1, 0, 0))
			if got := lineOf(rs); err != nil || len(got) != 1 || got[0] != keep[i].Line() {
				t.Errorf("left: %v, %v", got, err)
			}
		}
		write(t, s, at(a, "true", 0)) // samples can be stored again
		if got := lines(t, s, a, nil); len(got) != 2 {
			t.Errorf("%v, want 2", got)
		}
	})
}

func TestConcurrentWritesAllArrive(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		name := measurement(t)
		var all sync.WaitGroup
		for w := range 20 {
			all.Go(func() {
				for i := range 10 {
					r := reading.Reading{Name: name, Tags: map[string]string{"writer": fmt.Sprint(w)}, Fields: map[string]float64{"v": float64(i)},
						Time: noon.Add(time.Duration(i) * time.Second)}
					if err := s.Write(t.Context(), []reading.Reading{r}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		if got := lines(t, s, name, nil); len(got) != 200 {
			t.Errorf("%d, want 200", len(got))
		}
	})
}

func TestErrorsDoNotContainTheToken(t *testing.T) {
	i, err := store.OpenInflux(store.Influx{URL: "http://127.0.0.1:1", Token: planted(t, "influx-token", "tok-very-secret")})
	if err != nil {
		t.Fatal(err)
	}
	err = i.Write(t.Context(), []reading.Reading{{Name: "m", Fields: map[string]float64{"v": 1}, Time: noon}})
	if err == nil || strings.Contains(err.Error(), "tok-very-secret") {
		t.Errorf("%v", err)
	}
}
