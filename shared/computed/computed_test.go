package computed

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// states reads lines of "device.metric=value@minute quality"; a quality may be followed by
// the last good value and its minute, as in suspect/7@3. A value may be a text.
func states(t *testing.T, lines ...string) States {
	t.Helper()
	out := States{}
	for _, l := range lines {
		var minute, goodMinute int
		var good float64
		name, rest, _ := strings.Cut(l, "=")
		device, metric, _ := strings.Cut(name, ".")
		value, rest, _ := strings.Cut(rest, "@")
		at, quality, _ := strings.Cut(rest, " ")
		quality, last, hasGood := strings.Cut(quality, "/")
		s := store.DeviceState{Device: device, Metric: metric, Quality: quality}
		if _, err := fmt.Sscan(value, &s.Value); err != nil {
			s.Text = value
		}
		if _, err := fmt.Sscan(at, &minute); err == nil {
			s.Time = noon.Add(time.Duration(minute) * time.Minute)
		}
		s.Arrived = noon.Add(time.Duration(minute)*time.Minute + time.Second)
		if hasGood {
			if _, err := fmt.Sscanf(last, "%g@%d", &good, &goodMinute); err != nil {
				t.Fatal(err)
			}
			s.Good, s.GoodTime = &good, noon.Add(time.Duration(goodMinute)*time.Minute)
		}
		if out[device] == nil {
			out[device] = map[string]store.DeviceState{}
		}
		out[device][metric] = s
	}
	return out
}

func same(v float64) float64 { return v }

func TestCompute(t *testing.T) {
	sum := &Value{Device: "rack", Key: "w", Terms: []Term{{Device: "a", Metric: "w"}, {Device: "b", Metric: "w"}}, Convert: same, MaxAge: 15 * time.Minute, Derived: true}
	declared := &Value{Device: "rack", Key: "w", Terms: sum.Terms, Convert: same, MaxAge: 15 * time.Minute}
	difference := &Value{Device: "pc", Key: "heat", Terms: []Term{{Device: "pc", Metric: "out"}, {Device: "pc", Metric: "in", Subtract: true}}, Convert: same, MaxAge: time.Minute}
	group := &Value{Device: "rack-all", Key: "w", Terms: []Term{{Group: func(id string) bool { return strings.HasPrefix(id, "rack-") }, Metric: "w"}, {Device: "a", Metric: "w"}},
		Convert: func(v float64) float64 { return v / 1000 }, MaxAge: 15 * time.Minute}
	for name, tc := range map[string]struct {
		v      *Value
		states []string
		want   string // "": none
	}{
		"a_sum":                       {sum, []string{"a.w=10@0 ok", "b.w=2.5@3 ok"}, "12.5 at 3"},
		"one_is_switched_off":         {sum, []string{"a.w=10@0 ok", "b.w=0@3 ok"}, "10 at 3"},
		"one_is_missing":              {sum, []string{"a.w=10@0 ok"}, ""},
		"one_lacks_the_metric":        {sum, []string{"a.w=10@0 ok", "b.volts=230@3 ok"}, ""},
		"one_is_a_text":               {sum, []string{"a.w=10@0 ok", "b.w=unknown@3 ok"}, ""},
		"as_old_as_is_allowed":        {sum, []string{"a.w=10@0 ok", "b.w=2@15 ok"}, "12 at 15"},
		"too_old":                     {sum, []string{"a.w=10@0 ok", "b.w=2@16 ok"}, ""},
		"a_time_that_is_unknown":      {sum, []string{"a.w=10@? ok", "b.w=2@3 ok"}, ""},
		"suspect_counts_as_its_last":  {sum, []string{"a.w=9999@5 suspect/11@2", "b.w=2@3 ok"}, "13 at 3"},
		"suspect_without_a_good_one":  {sum, []string{"a.w=9999@5 suspect", "b.w=2@3 ok"}, ""},
		"the_good_one_is_too_old":     {sum, []string{"a.w=9999@30 suspect/11@2", "b.w=2@30 ok"}, ""},
		"warming_up":                  {sum, []string{"a.w=1@5 warming_up", "b.w=2@5 ok"}, ""},
		"a_clock_that_is_not_set":     {sum, []string{"a.w=1@5 clock_unsynced", "b.w=2@4 ok"}, "3 at 5"},
		"one_went_offline":            {sum, []string{"a.w=1@5 ok", "a.available=0@6 ok", "b.w=2@6 ok"}, ""},
		"one_was_offline_before":      {sum, []string{"a.w=1@5 ok", "a.available=0@4 ok", "b.w=2@6 ok"}, "3 at 6"},
		"one_is_online":               {sum, []string{"a.w=1@5 ok", "a.available=1@6 ok", "b.w=2@6 ok"}, "3 at 6"},
		"simulated":                   {sum, []string{"a.w=1@5 ok", "a.simulated=1@5 ok", "b.w=2@6 ok"}, "3 at 6 simulated"},
		"too_large":                   {&Value{Device: "x", Key: "w", Terms: group.Terms[1:], Convert: func(v float64) float64 { return v * 1e308 * 1e10 }}, []string{"a.w=1@1 ok"}, ""},
		"a_difference":                {difference, []string{"pc.out=31@1 ok", "pc.in=22.5@1 ok"}, "8.5 at 1"},
		"a_difference_with_an_old":    {difference, []string{"pc.out=31@1 ok", "pc.in=22.5@3 ok"}, ""},
		"a_group_and_a_device":        {group, []string{"rack-1.w=1000@1 ok", "rack-2.w=500@2 ok", "other.w=7@3 ok", "rack-3.volts=230@3 ok", "a.w=1@1 ok", "rack-all.w=9@9 ok"}, "1.501 at 2"},
		"a_group_with_an_old_member":  {group, []string{"rack-1.w=1000@1 ok", "rack-2.w=500@20 ok", "a.w=1@1 ok"}, ""},
		"a_group_of_which_none_is_so": {&Value{Device: "x", Key: "w", Terms: group.Terms[:1], Convert: same}, []string{"a.w=1@1 ok"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, ok := NewSet([]*Value{tc.v}).Compute(tc.v, states(t, tc.states...), nil)
			got := ""
			if ok {
				got = fmt.Sprintf("%g at %g", r.V, r.Time.Sub(noon).Minutes())
			}
			if r.Simulated {
				got += " simulated"
			}
			if got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
	late := states(t, "a.w=10@0 ok", "b.w=2@180 ok")
	pauses := map[string]time.Duration{"a": time.Hour}
	if r, ok := NewSet([]*Value{sum}).Compute(sum, late, pauses); !ok || r.V != 12 {
		t.Errorf("a device that reports changes: %v, %v", r, ok)
	}
	if _, ok := NewSet([]*Value{declared}).Compute(declared, late, pauses); ok {
		t.Error("the age that hearth.yml declares does not count")
	}
}

func TestMembers(t *testing.T) {
	rack := func(id string) bool { return strings.HasPrefix(id, "rack") }
	v := &Value{Device: "rack", Key: "w", Terms: []Term{{Group: rack, Metric: "w"}, {Device: "b", Metric: "w"}, {Device: "a", Metric: "x"}}}
	s := NewSet([]*Value{v})
	if got := v.Members([]string{"rack-2", "c", "rack-1", "a"}); !slices.Equal(got, []string{"a", "b", "rack-1", "rack-2"}) {
		t.Error(got)
	}
	for member, want := range map[string]int{"rack-1 w": 1, "rack-1 x": 0, "a x": 1, "a w": 0, "b w": 1, "c w": 0, "rack w": 0, "rack x": 0} {
		device, metric, _ := strings.Cut(member, " ")
		if got := len(s.Of(device, metric)); got != want {
			t.Errorf("%s: %d, want %d", member, got, want)
		}
	}
}
