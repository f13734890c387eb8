package device

import (
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/store"
)

func TestNewer(t *testing.T) {
	state := store.DeviceState{Time: noon, Arrived: noon}
	for name, tc := range map[string]struct {
		was        store.DeviceState
		t, arrived time.Time
		want       bool
	}{
		"nothing is known":                {store.DeviceState{}, time.Time{}, noon, true},
		"later":                           {state, noon.Add(time.Microsecond), noon.Add(-time.Hour), true},
		"earlier":                         {state, noon.Add(-time.Microsecond), noon.Add(time.Hour), false},
		"finer than the store keeps":      {state, noon.Add(time.Nanosecond), noon, false},
		"the same time, arrived later":    {state, noon, noon.Add(time.Microsecond), true},
		"the same time and arrival":       {state, noon, noon, false},
		"the same time, arrived earlier":  {state, noon, noon.Add(-time.Microsecond), false},
		"of an unknown time":              {state, time.Time{}, noon.Add(time.Hour), false},
		"after one of an unknown time":    {store.DeviceState{Arrived: noon}, noon.Add(-time.Hour), noon, true},
		"both unknown, and arrived later": {store.DeviceState{Arrived: noon}, time.Time{}, noon.Add(time.Second), true},
	} {
		if got := (&Metric{State: tc.was}).Newer(tc.t, tc.arrived); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestRepeats(t *testing.T) {
	for name, tc := range map[string]struct {
		was  store.DeviceState
		v    float64
		t    time.Time
		want bool
	}{
		"the same":                    {store.DeviceState{Value: 5, Time: noon}, 5, noon, true},
		"another number":              {store.DeviceState{Value: 5, Time: noon}, 6, noon, false},
		"another time":                {store.DeviceState{Value: 5, Time: noon}, 5, noon.Add(1), false},
		"no time":                     {store.DeviceState{Value: 5}, 5, time.Time{}, false},
		"0 where the state is a text": {store.DeviceState{Text: "on", Time: noon}, 0, noon, false},
	} {
		if got := (&Metric{State: tc.was}).Repeats(tc.v, tc.t); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestTheLastGoodValueIsKeptWithItsTime(t *testing.T) {
	m := &Metric{State: store.DeviceState{Device: "d", Metric: "m", Value: 99}}
	if row := m.Stored(); row.Good != nil || !row.GoodTime.IsZero() {
		t.Errorf("%+v", row)
	}
	m.Good, m.GoodTime = 0, noon
	row := m.Stored()
	if row.Good == nil || *row.Good != 0 || !row.GoodTime.Equal(noon) || row.Value != 99 {
		t.Errorf("%+v", row)
	}
	if back := fromRow(row); back.Good != 0 || !back.GoodTime.Equal(noon) {
		t.Errorf("%+v", back)
	}
}

// TestWhatACounterRemembersIsKept: and since when it has its value.
func TestWhatACounterRemembersIsKept(t *testing.T) {
	kwh := catalogue.Field{Key: "energy_kwh", Unit: "kWh", Max: catalogue.Limits, Counter: true}
	m := newMetric(store.DeviceState{Device: "d", Metric: "energy_today_kwh"})
	for i, v := range []float64{22.413, 0, 0, 0} {
		if got := m.Judge(&kwh, v, noon.Add(time.Duration(i)*time.Minute), true); got.Outlier {
			m.AddOutlier(&quality.Flagged{})
		}
	}
	m.State.Value, m.State.Changed = 0, noon.Add(time.Minute)
	row := m.Stored()
	back := fromRow(row)
	if !m.Daily || !back.Daily || row.Counter == "" || back.Memo() != row.Counter || !back.Since.Equal(noon.Add(time.Minute)) {
		t.Errorf("%+v, %+v", row, back)
	}
}
