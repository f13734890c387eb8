package store_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hearth-home/hearth/shared/store"
)

func request(physical, kind, device string) store.DeviceRequest {
	return store.DeviceRequest{Physical: physical, Kind: kind, Device: device, Name: device, About: json.RawMessage(`{"a": 1}`)}
}

func adopt(t *testing.T, s *store.Store, ws ...store.DeviceRequest) []string {
	t.Helper()
	ids, err := s.AdoptDevices(t.Context(), ws, noon)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, id := range ids {
		out = append(out, id.Device)
	}
	return out
}

func TestAPhysicalThingIsOneDeviceForEver(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		first := adopt(t, s, request("0x1", "zigbee", "office"), request("edge/office", "edge", "office"), request("0x2", "zigbee", "office"))
		if want := []string{"office", "office-2", "office-3"}; !slices.Equal(first, want) {
			t.Errorf("%v, want %v", first, want)
		}
		again := adopt(t, s, request("0x2", "zigbee", "another name"), request("0x1", "zigbee", "x"))
		if want := []string{"office-3", "office"}; !slices.Equal(again, want) {
			t.Errorf("again %v, want %v", again, want)
		}
	})
}

func TestSeveralAdoptingAtOnceAgree(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		var wg sync.WaitGroup
		got := make([]string, 8)
		for i := range got {
			wg.Go(func() {
				ids, err := s.AdoptDevices(t.Context(), []store.DeviceRequest{request("0x1", "zigbee", "office"), request(fmt.Sprintf("own %d", i), "edge", "own")}, noon)
				if err != nil {
					t.Error(err)
					return
				}
				got[i] = ids[0].Device
			})
		}
		wg.Wait()
		if len(slices.Compact(slices.Clone(got))) != 1 {
			t.Errorf("0x1 is %v", got)
		}
		ids, err := s.DeviceIDs(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		devices := map[string]bool{}
		for _, id := range ids {
			devices[id.Device] = true
		}
		if len(ids) != 9 || len(devices) != 9 {
			t.Errorf("%d things are %d devices", len(ids), len(devices))
		}
	})
}

func TestADeviceLeavesAndAnotherTakesItsPlace(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		adopt(t, s, request("0x1", "zigbee", "garage"))
		id := store.DeviceID{Physical: "0x1", Device: "garage", Name: "Garage door", About: json.RawMessage(`{}`)}
		if err := s.DescribeDevices(t.Context(), []store.DeviceID{id}); err != nil {
			t.Fatal(err)
		}
		if err := s.LeaveDevices(t.Context(), []string{"0x1"}, noon.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		next := request("0x2", "zigbee", "garage-door")
		next.Name = "Garage door"
		if got := adopt(t, s, next); got[0] != "garage" {
			t.Errorf("the next is %v", got)
		}
		ds, err := s.Devices(t.Context())
		if err != nil || len(ds) != 1 || ds[0].Name != "Garage door" {
			t.Errorf("%+v, %v", ds, err)
		}
	})
}

func TestWhatAPersonDecidesStays(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		adopt(t, s, request("0x1", "zigbee", "old"), request("0x2", "zigbee", "new"))
		until := noon.Add(time.Hour)
		decided := []store.DeviceSetting{{Device: "old", Name: "Fridge", Room: "Kitchen", Physical: []string{"0x2"}, Maintenance: until}}
		for range 2 {
			if err := s.ConfigureDevices(t.Context(), decided, noon.Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
		}
		// The bridge renames it; the person's name stays.
		if err := s.DescribeDevices(t.Context(), []store.DeviceID{{Physical: "0x2", Device: "old", Name: "renamed", About: json.RawMessage(`{}`)}}); err != nil {
			t.Fatal(err)
		}
		ds, err := s.Devices(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if d := ds[1]; d.ID != "old" || d.Name != "Fridge" || d.Room != "Kitchen" || !d.Maintenance.Equal(until) || d.ReplacedBy != "" {
			t.Errorf("%+v", d)
		}
		if d := ds[0]; d.ID != "new" || d.ReplacedBy != "old" {
			t.Errorf("%+v", d)
		}
		ids, err := s.DeviceIDs(t.Context(), true)
		if err != nil || len(ids) != 3 {
			t.Errorf("%+v, %v", ids, err)
		}
	})
}

func TestAnEntryWithoutANameOrRoomTakesThemBack(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		adopt(t, s, request("0x1", "zigbee", "fridge"), request("topic/a", "mapped", "oven"))
		until := noon.Add(time.Hour)
		for i, tc := range []struct {
			d          store.DeviceSetting
			name, room string
		}{
			{store.DeviceSetting{Device: "fridge"}, "fridge", ""}, // never given: as its source calls it
			{store.DeviceSetting{Device: "fridge", Name: "The fridge", Room: "Kitchen", Maintenance: until}, "The fridge", "Kitchen"},
			{store.DeviceSetting{Device: "fridge", Name: "The fridge"}, "The fridge", ""},
			{store.DeviceSetting{Device: "fridge", Room: "Cellar"}, "fridge", "Cellar"},
			{store.DeviceSetting{Device: "fridge", Physical: []string{"0x1", "topic/a"}}, "fridge", ""}, // kept, though it is an oven too
			{store.DeviceSetting{Device: "new", Name: "New", Physical: []string{"hearth.yml/new"}}, "New", ""},
			{store.DeviceSetting{Device: "new", Physical: []string{"hearth.yml/new"}}, "new", ""}, // no source calls it anything
		} {
			tc.d.Kind = "mapped"
			if err := s.ConfigureDevices(t.Context(), []store.DeviceSetting{tc.d}, noon.Add(time.Duration(i)*time.Minute)); err != nil {
				t.Fatal(err)
			}
			ds, err := s.Devices(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range ds {
				if d.ID == tc.d.Device && (d.Name != tc.name || d.Room != tc.room || !d.Maintenance.Equal(tc.d.Maintenance)) {
					t.Errorf("step %d: %+v, want %q in %q", i, d, tc.name, tc.room)
				}
			}
		}
		// The source's newest name counts, once a person's is gone.
		given := store.DeviceSetting{Device: "fridge", Kind: "mapped", Name: "Mine"}
		for _, step := range []func() error{
			func() error { return s.ConfigureDevices(t.Context(), []store.DeviceSetting{given}, noon) },
			func() error {
				return s.DescribeDevices(t.Context(), []store.DeviceID{{Physical: "0x1", Device: "fridge", Name: "renamed", About: json.RawMessage(`{}`)}})
			},
			func() error { return s.LeaveDevices(t.Context(), []string{"topic/a"}, noon.Add(time.Hour)) },
			func() error {
				given.Name = ""
				return s.ConfigureDevices(t.Context(), []store.DeviceSetting{given}, noon)
			},
		} {
			if err := step(); err != nil {
				t.Fatal(err)
			}
		}
		if ds, err := s.Devices(t.Context()); err != nil || ds[0].Name != "renamed" {
			t.Errorf("%+v, %v", ds, err)
		}
	})
}

func TestMaintenanceLastsUntilTheLaterEnd(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		early, late := noon.Add(time.Hour), noon.Add(2*time.Hour)
		for _, tc := range []struct {
			device                string
			written, button, want time.Time
		}{
			{"a", early, late, late}, {"b", late, early, late}, {"c", early, time.Time{}, early}, {"d", time.Time{}, late, late}, {"e", late, late, late}, {"f", time.Time{}, time.Time{}, time.Time{}},
		} {
			if err := s.ConfigureDevices(t.Context(), []store.DeviceSetting{{Device: tc.device, Kind: "mapped", Maintenance: tc.written}}, noon); err != nil {
				t.Fatal(err)
			}
			for kind, until := range map[string]time.Time{store.Maintenance: tc.button, store.Silence: late.Add(time.Hour)} { // another kind says nothing of it
				if until.IsZero() {
					continue
				}
				if err := s.SetUntil(t.Context(), store.UntilDate{Kind: kind, Subject: tc.device, Until: until, Set: noon}); err != nil {
					t.Fatal(err)
				}
			}
			ds, err := s.Devices(t.Context())
			if err != nil || len(ds) == 0 {
				t.Fatal(ds, err)
			}
			if d := ds[len(ds)-1]; d.ID != tc.device || !d.Maintenance.Equal(tc.want) {
				t.Errorf("%+v, want maintenance until %v", d, tc.want)
			}
		}
	})
}

func TestAStateIsReplacedOnlyByANewerOne(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		good := 7.5
		say := func(v float64, at, arrived time.Duration) store.DeviceState {
			d := store.DeviceState{Device: "d", Metric: "m", Value: v, Arrived: noon.Add(arrived), Changed: noon, Quality: "ok", Good: &good, GoodTime: noon}
			if at >= 0 {
				d.Time = noon.Add(at)
			}
			return d
		}
		for _, tc := range []struct {
			state store.DeviceState
			want  float64
		}{
			{say(1, -1, time.Minute), 1}, // without a time
			{say(2, -1, time.Second), 1}, // and arrived earlier
			{say(3, -1, time.Hour), 3},
			{say(4, 0, time.Second), 4}, // any time is newer than none
			{say(5, -1, 2*time.Hour), 4},
			{say(6, time.Second, time.Second), 6},
			{say(7, 0, 3*time.Hour), 6},
			{say(8, time.Second, 2*time.Second), 8}, // the same time, arrived later
			{say(9, time.Second, 2*time.Second), 8},
		} {
			if err := saveDevices(t.Context(), s, store.DeviceChange{States: []store.DeviceState{tc.state}}); err != nil {
				t.Fatal(err)
			}
			got, err := s.DeviceStates(t.Context(), "d")
			if err != nil || len(got) != 1 || got[0].Value != tc.want || *got[0].Good != good {
				t.Errorf("after %v: %+v, %v", tc.state.Value, got, err)
			}
		}
		text := say(0, 2000, 5000)
		text.Text, text.Retained, text.Quality, text.Reason, text.Good = "open\x00", true, "suspect", "stuck", nil
		if err := saveDevices(t.Context(), s, store.DeviceChange{States: []store.DeviceState{text}}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestThousandsOfStatesAtOnce(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		var c store.DeviceChange
		for i := range 3000 {
			c.States = append(c.States, store.DeviceState{Device: fmt.Sprintf("d%d", i%300), Metric: fmt.Sprintf("m%d", i/300), Value: float64(i), Time: noon, Arrived: noon, Changed: noon, Quality: "ok"})
		}
		if err := saveDevices(t.Context(), s, c); err != nil {
			t.Fatal(err)
		}
		got, err := s.DeviceStates(t.Context(), "")
		if err != nil || len(got) != 3000 {
			t.Fatalf("%d, %v", len(got), err)
		}
		if d := got[0]; d.Device != "d0" || d.Metric != "m0" || d.Good != nil || !d.Time.Equal(noon) {
			t.Errorf("%+v", d)
		}
	})
}

func TestCountingIsOneAtATime(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				err := saveDevices(t.Context(), s, store.DeviceChange{Nodes: []string{"pi4"}, Count: func(known []store.EdgeSeq) []store.EdgeSeq {
					e := store.EdgeSeq{Node: "pi4", Boot: "b1", Started: noon, First: true}
					if len(known) > 0 {
						e = known[0]
					}
					e.Upto++
					e.Highest, e.Seen = e.Upto+10, noon
					e.Holes, e.Lost = []store.Span{{From: 3, To: 1 << 52, Since: 7}}, nil
					return []store.EdgeSeq{e}
				}})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		got, err := s.EdgeSeqs(t.Context())
		want := []store.EdgeSeq{{Node: "pi4", Boot: "b1", Started: noon, Seen: noon, Upto: 10, Highest: 20, First: true, Holes: []store.Span{{From: 3, To: 1 << 52, Since: 7}}, Lost: []store.Span{}}}
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, d)
		}
	})
}

func TestAnArrivalIsTheFirst(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		a := store.EdgeArrival{Node: "pi4", Boot: "b1", Seq: 7, Time: noon.Add(123)}
		later := a
		later.Time = noon.Add(time.Minute)
		for _, as := range [][]store.EdgeArrival{{a, later}, {later}} {
			got, err := s.FirstArrivals(t.Context(), as)
			if err != nil {
				t.Fatal(err)
			}
			for _, at := range got {
				if !at.Equal(a.Time) {
					t.Errorf("%v, want %v", at, a.Time)
				}
			}
		}
	})
}

func TestDeadLettersAreMirrored(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		d := store.DeadLetter{ID: "a", Function: "f", Topic: "t", Reason: strings.Repeat("x", 300), First: noon, Last: noon, Count: 1, Size: 3, Sample: []byte{0, 1, 0xff}, Told: noon}
		gone := d
		gone.Gone, gone.Told = true, noon.Add(time.Second)
		other := d
		other.Function, other.Sample = "g", []byte{7}
		for _, some := range [][]store.DeadLetter{{d, other}, {gone}, {d}} {
			if err := saveDevices(t.Context(), s, store.DeviceChange{Dead: some}); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.DeadLetters(t.Context(), 10)
		if diff := cmp.Diff([]store.DeadLetter{other}, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
}

func TestDeadLettersThatAreGoneAreDeletedSomeAtATime(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		var letters []store.DeadLetter
		for i := range 10 {
			letters = append(letters, store.DeadLetter{ID: fmt.Sprint(i), Function: "f", Reason: "r", First: noon, Last: noon, Told: noon.Add(time.Duration(i) * time.Hour), Gone: i != 3})
		}
		if err := saveDevices(t.Context(), s, store.DeviceChange{Dead: letters}); err != nil {
			t.Fatal(err)
		}
		for i, want := range []int64{4, 2, 0} { // of 0 to 6, but for 3
			n, err := s.PruneDeadLetters(t.Context(), noon.Add(7*time.Hour), 4)
			if err != nil || n != want {
				t.Errorf("%d: deleted %d, %v, want %d", i, n, err, want)
			}
		}
		if got := s.CountDeadLetters(t); got != 4 {
			t.Errorf("%d are left, want the open one and three", got)
		}
		if plan := s.Explain(t, `select id, function from dead_letters where gone and told < '2026-01-01' order by told limit 4`); !strings.Contains(plan, "dead_letters_gone") {
			t.Errorf("the index is not used: %s", plan)
		}
	})
}

func TestAfterTwoHaveWrittenBothClaimAnew(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		claim := func(writer string, want bool) {
			t.Helper()
			if was, err := s.ClaimDevices(t.Context(), "f", writer); err != nil || was != want {
				t.Errorf("%s claims: %v, %v, want %v", writer, was, err, want)
			}
		}
		write := func(writer string) {
			t.Helper()
			c := store.DeviceChange{Function: "f", Writer: writer,
				States: []store.DeviceState{{Device: "d", Metric: "m", Time: noon, Arrived: noon, Changed: noon, Quality: "ok"}}}
			if err := saveDevices(t.Context(), s, c); err != nil {
				t.Errorf("%s writes: %v", writer, err)
			}
		}
		claim("a", false)
		claim("a", true)
		write("a")
		claim("a", true)
		claim("b", false)
		write("a")
		claim("a", false)
		claim("a", true)
		write("b") // a transaction of a may still be under way
		claim("b", false)
		write("b")
		claim("b", true)
		claim("a", false)
		if was, err := s.ClaimDevices(t.Context(), "g", "a"); was || err != nil {
			t.Errorf("of another function: %v, %v", was, err)
		}
	})
}

func TestThousandsOfArrivalsAndDeadLettersAtOnce(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		const n = 2000
		var as []store.EdgeArrival
		var letters []store.DeadLetter
		for i := range n {
			as = append(as, store.EdgeArrival{Node: "pi4", Boot: fmt.Sprint("b", i%3), Seq: uint64(n - i), Time: noon.Add(time.Duration(i))})
			letters = append(letters, store.DeadLetter{ID: fmt.Sprint(i), Function: "f", Sample: []byte{byte(i)}, First: noon, Last: noon, Told: noon})
		}
		for range 2 {
			got, err := s.FirstArrivals(t.Context(), as)
			if err != nil || len(got) != n {
				t.Fatal(len(got), err)
			}
			for i := range got {
				if !got[i].Equal(as[i].Time) {
					t.Fatalf("%d: %v, want %v", i, got[i], as[i].Time)
				}
			}
			slices.Reverse(as)
		}
		same := letters[7]
		same.ID, same.Reason, same.Told = "7\x00", "later", noon.Add(time.Second)
		if err := saveDevices(t.Context(), s, store.DeviceChange{Dead: append(letters, same)}); err != nil {
			t.Fatal(err)
		}
		got, err := s.DeadLetters(t.Context(), n+1)
		if err != nil || len(got) != n {
			t.Fatal(len(got), err)
		}
		if i := slices.IndexFunc(got, func(d store.DeadLetter) bool { return d.ID == "7" }); got[i].Reason != "later" {
			t.Errorf("%+v", got[i])
		}
	})
}

// TestWhatADatabaseRefusesIsNotTakenForADatabaseThatIsAway: it would come again
// for ever, and everything behind it.
func TestWhatADatabaseRefusesIsNotTakenForADatabaseThatIsAway(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		long := make([]byte, 8000)
		rand.Read(long)
		err := saveDevices(t.Context(), s, store.DeviceChange{Dead: []store.DeadLetter{{ID: hex.EncodeToString(long), Function: "f", First: noon, Last: noon, Told: noon}}})
		if err != nil && !errors.Is(err, store.ErrUnstorable) {
			t.Error(err)
		}
	})
}

func TestWhatIsTakenOutOfTheSettingsIsTakenBack(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		adopt(t, s, request("0x1", "zigbee", "fridge"))
		fridge := store.DeviceSetting{Device: "fridge", Kind: "mapped", Name: "The fridge", Room: "Kitchen", Maintenance: noon.Add(time.Hour)}
		for _, settings := range [][]store.DeviceSetting{{fridge}, {{Device: "oven", Kind: "mapped", Physical: []string{"0x1"}}}, {}, {}} {
			if err := s.ConfigureDevices(t.Context(), settings, noon); err != nil {
				t.Fatal(err)
			}
			ds, err := s.Devices(t.Context())
			if err != nil || len(ds) == 0 || ds[0].ID != "fridge" {
				t.Fatal(ds, err)
			}
			named := len(settings) > 0 && settings[0].Device == "fridge"
			if d := ds[0]; (d.Name == "The fridge") != named || (d.Room != "") != named || d.Maintenance.IsZero() == named {
				t.Errorf("%+v with %+v", d, settings)
			}
			if len(ds) > 1 && ds[0].ReplacedBy != "oven" && len(settings) > 0 {
				t.Errorf("%+v, want it replaced by the oven", ds[0])
			}
		}
	})
}

func TestTheMappingsThatWereActedOnAreKept(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		for _, want := range [][]string{nil, {"a", "b"}, {"c"}, nil} {
			if err := s.SetNamedMappings(t.Context(), want); err != nil {
				t.Fatal(err)
			}
			if got, err := s.NamedMappings(t.Context()); err != nil || !slices.Equal(got, want) {
				t.Errorf("%v, %v, want %v", got, err, want)
			}
		}
	})
}

// saveDevices stores a change as ingest does.
func saveDevices(ctx context.Context, st *store.Store, c store.DeviceChange) error {
	return st.Commit(ctx, "store what devices say", nil, func(ctx context.Context, tx *store.Tx) error { return tx.SaveDevices(ctx, c) })
}
