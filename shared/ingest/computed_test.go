package ingest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/computed"
	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/store"
)

// rack computes the power of a rack from a plug of the function sensors and one of
// zigbee, and from all that are called rack-….
func rack() *computed.Set {
	power := catalogue.Field{Key: "power_watts", Max: 1000}
	same := func(v float64) float64 { return v }
	age := 15 * time.Minute
	return computed.NewSet([]*computed.Value{
		{Device: "rack", Measurement: "power", Key: "power_watts", Field: &power, Convert: same, MaxAge: age, Derived: true,
			Terms: []computed.Term{{Device: "edge-plug", Metric: "power_watts"}, {Device: "zigbee-plug", Metric: "power_watts"}}},
		{Device: "all", Measurement: "power", Key: "power_watts", Field: &power, Convert: same, MaxAge: age,
			Terms: []computed.Term{{Group: func(id string) bool { return strings.HasPrefix(id, "rack-") }, Metric: "power_watts"}}},
		{Device: "rack", Measurement: "power", Key: "headroom_watts", Field: &catalogue.Field{Key: "headroom_watts", Max: 5000}, Convert: func(v float64) float64 { return 2000 - v }, MaxAge: age, Derived: true,
			Terms: []computed.Term{{Device: "edge-plug", Metric: "power_watts"}, {Device: "zigbee-plug", Metric: "power_watts"}}},
	})
}

// process is one process of a function, with its own register.
type process struct {
	*harness
	kind string
}

func (h *harness) process(function string) *process {
	kind := map[string]string{"sensors": "edge", "zigbee": "zigbee"}[function]
	return &process{&harness{h.t, h.st, &device.Register{Function: function}}, kind}
}

// watts is a report of a plug's power.
type watts struct {
	device  string
	minute  int
	power   float64
	quality quality.Quality
}

// plugs returns the batch of a process with reports of plugs, before Store.
func (p *process) plugs(plugs ...watts) *Batch {
	p.t.Helper()
	b, err := Begin(p.t.Context(), p.st, p.r, catalogue.Get, at(600))
	if err != nil {
		p.t.Fatal(err)
	}
	b.Compute(rack())
	for i, r := range plugs {
		physical := p.kind + "/" + r.device
		if err := b.Adopt(p.t.Context(), []store.DeviceRequest{{Physical: physical, Kind: p.kind, Device: r.device, Name: r.device}}); err != nil {
			p.t.Fatal(err)
		}
		measurement := map[string]string{"edge": "power", "zigbee": "zigbee"}[p.kind]
		b.Add(i, Report{Measurement: measurement, Device: b.Find([]byte(physical)).Logical, Time: at(r.minute), Arrived: at(r.minute), Quality: r.quality,
			Values: []device.Value{{Key: "power_watts", V: r.power, Field: &catalogue.Field{Key: "power_watts", Max: 1e6}}}})
	}
	b.Done(nil)
	return b
}

func (p *process) post(plugs ...watts) {
	p.t.Helper()
	if err := save(p.t.Context(), p.plugs(plugs...)); err != nil {
		p.t.Fatal(err)
	}
}

// racks returns the computed readings: device, fields and minute.
func (h *harness) racks() (out []string) {
	h.t.Helper()
	for _, l := range h.lines("power") {
		if strings.HasPrefix(l, "power,device=rack ") || strings.HasPrefix(l, "power,device=all") {
			out = append(out, strings.TrimPrefix(l, "power,device="))
		}
	}
	return out
}

// TestAComputedValueSeesTheMembersOfTheOtherFunction: the register of a process does not
// have the states that another function has written.
func TestAComputedValueSeesTheMembersOfTheOtherFunction(t *testing.T) {
	h := newHarness(t)
	sensors, zigbee := h.process("sensors"), h.process("zigbee")
	sensors.post(watts{device: "edge-plug", minute: 0, power: 100})
	h.want("readings with one member", h.racks())
	zigbee.post(watts{device: "zigbee-plug", minute: 1, power: 50})
	sensors.post(watts{device: "edge-plug", minute: 2, power: 110})
	zigbee.post(watts{device: "zigbee-plug", minute: 3, power: 0})
	sensors.post(watts{device: "edge-plug", minute: 4, power: 120})
	h.want("readings", h.racks(),
		"rack headroom_watts=1850,power_watts=150 1780315260000000000", "rack headroom_watts=1840,power_watts=160 1780315320000000000",
		"rack headroom_watts=1890,power_watts=110 1780315380000000000", "rack headroom_watts=1880,power_watts=120 1780315440000000000")
	states, err := h.st.DeviceStates(t.Context(), "rack")
	if err != nil || len(states) != 2 || states[1].Value != 120 || !states[1].Time.Equal(at(4)) || *states[1].Good != 120 || states[1].Quality != "ok" {
		t.Errorf("%+v, %v", states, err)
	}
}

// TestReplicasComputeFromEachOthersStates: two batches of two processes, each of which
// began before the other was stored.
func TestReplicasComputeFromEachOthersStates(t *testing.T) {
	h := newHarness(t)
	one, two := h.process("sensors"), h.process("sensors")
	one.post(watts{device: "rack-a", minute: 0, power: 1}, watts{device: "rack-b", minute: 0, power: 2})
	a, b := one.plugs(watts{device: "rack-a", minute: 1, power: 10}), two.plugs(watts{device: "rack-b", minute: 1, power: 20})
	if err := errors.Join(save(t.Context(), b), save(t.Context(), a)); err != nil {
		t.Fatal(err)
	}
	h.want("readings", h.racks(), "all power_watts=3 1780315200000000000", "all power_watts=30 1780315260000000000")
	if s, err := h.st.DeviceStates(t.Context(), "all"); err != nil || len(s) != 1 || s[0].Value != 30 || !s[0].Changed.Equal(at(1)) {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestADuplicateComputesWhatWasNotStored: the process died, or the database failed, after
// the batch was stored. The connector sends it again.
func TestADuplicateComputesWhatWasNotStored(t *testing.T) {
	h := newHarness(t)
	p := h.process("sensors")
	message := []watts{{device: "rack-a", minute: 0, power: 1}, {device: "rack-b", minute: 0, power: 2}}
	b := p.plugs(message...)
	whole := h.st.Series
	writes := &observedSeries{Series: whole}
	writes.before = func() { writes.fails = writes.calls == 2 }
	p.st.Series = writes
	if err := save(t.Context(), b); !errors.Is(err, errUnreachable) {
		t.Fatal(err)
	}
	p.st.Series = whole
	if s, err := h.st.DeviceStates(t.Context(), "all"); err != nil || len(s) != 0 {
		t.Fatalf("%+v, %v", s, err)
	}
	for range 2 {
		again := h.process("sensors")
		again.post(message...)
		h.want("readings", h.racks(), "all power_watts=3 1780315200000000000")
	}
	count := &observedSeries{Series: whole}
	p.st.Series = count
	h.process("sensors").post(message...)
	if count.calls != 0 {
		t.Errorf("%d writes for a batch that is stored", count.calls)
	}
}

// TestABatchOfManyTimesComputesEach: after an outage a batch holds many readings of each
// member. Its retry computes the same, and so does one that comes again.
func TestABatchOfManyTimesComputesEach(t *testing.T) {
	h := newHarness(t)
	h.process("zigbee").post(watts{device: "zigbee-plug", minute: 0, power: 5})
	var backlog []watts
	for minute := 1; minute <= 3; minute++ {
		backlog = append(backlog, watts{device: "rack-a", minute: minute, power: float64(minute)}, watts{device: "rack-b", minute: minute, power: 10},
			watts{device: "edge-plug", minute: minute, power: float64(100 * minute)})
	}
	backlog = append(backlog, watts{device: "rack-a", minute: 2, power: 2}) // it comes twice
	p := h.process("sensors")
	whole := h.st.Series
	p.st.Series = &observedSeries{Series: whole, fails: true}
	if err := save(t.Context(), p.plugs(backlog...)); !errors.Is(err, errUnreachable) {
		t.Fatal(err)
	}
	p.st.Series = whole
	want := []string{
		"all power_watts=11 1780315260000000000", "all power_watts=12 1780315320000000000", "all power_watts=13 1780315380000000000",
		"rack headroom_watts=1895,power_watts=105 1780315260000000000", "rack headroom_watts=1795,power_watts=205 1780315320000000000", "rack headroom_watts=1695,power_watts=305 1780315380000000000"}
	for range 2 {
		p.post(backlog...)
		h.want("readings", h.racks(), want...)
		p = h.process("sensors") // another process, to which the batch comes again
	}
	h.want("all readings", h.racks(), want...)
}

func TestComputedValuesThatAreLeftOut(t *testing.T) {
	for name, tc := range map[string]struct {
		plugs []watts
		want  []string
	}{
		"an_old_member":            {[]watts{{device: "rack-a", minute: 0, power: 1}, {device: "rack-b", minute: 16, power: 2}}, []string{"all power_watts=1 1780315200000000000"}},
		"a_member_that_is_back":    {[]watts{{device: "rack-a", minute: 0, power: 1}, {device: "rack-b", minute: 16, power: 2}, {device: "rack-a", minute: 17, power: 3}}, []string{"all power_watts=1 1780315200000000000", "all power_watts=5 1780316220000000000"}},
		"a_suspect_member":         {[]watts{{device: "rack-a", minute: 0, power: 1}, {device: "rack-a", minute: 1, power: 99, quality: quality.Suspect}}, []string{"all power_watts=1 1780315200000000000"}},
		"one_that_is_late":         {[]watts{{device: "rack-a", minute: 5, power: 1}, {device: "rack-b", minute: 6, power: 2}, {device: "rack-a", minute: 4, power: 77}}, []string{"all power_watts=1 1780315500000000000", "all power_watts=3 1780315560000000000"}},
		"out_of_its_range":         {[]watts{{device: "rack-a", minute: 0, power: 600}, {device: "rack-b", minute: 0, power: 700}}, []string{`all power_watts=1300,quality_code=2,suspect="power_watts" 1780315200000000000`}},
		"neither_is_of_the_rack":   {[]watts{{device: "other", minute: 0, power: 1}}, nil},
		"one_reading_of_one_batch": {[]watts{{device: "rack-a", minute: 0, power: 1}, {device: "rack-b", minute: 0, power: 2}, {device: "rack-a", minute: 0, power: 1}}, []string{"all power_watts=3 1780315200000000000"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.process("sensors").post(tc.plugs...)
			want := []string{}
			got := append([]string{}, h.racks()...)
			h.want("readings", got, append(want, tc.want...)...)
		})
	}
}

func TestAComputedValueOfASimulatedMemberIsSampleData(t *testing.T) {
	h := newHarness(t)
	p := h.process("sensors")
	p.post(watts{device: "rack-a", minute: 0, power: 1})
	for _, simulated := range []float64{1, 0} {
		b, err := Begin(t.Context(), p.st, p.r, catalogue.Get, at(600))
		if err != nil {
			t.Fatal(err)
		}
		b.Compute(rack())
		d := b.Find([]byte("edge/rack-a")).Logical
		minute := 2 - int(simulated)
		b.SetState(d, "simulated", "", simulated, at(minute), false)
		b.Add(0, Report{Measurement: "power", Device: d, Time: at(minute), Arrived: at(minute), Simulated: simulated == 1, Values: []device.Value{{Key: "power_watts", V: 7}}})
		b.Done(nil)
		if err := save(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		s, err := h.st.StatesOf(t.Context(), []string{"all", "nothing"})
		if err != nil || len(s) != 2 || s[1].Metric != "simulated" || s[1].Value != simulated {
			t.Errorf("%v: %+v, %v", simulated, s, err)
		}
	}
	h.want("readings", h.racks(), "all power_watts=1 1780315200000000000", "all power_watts=7 1780315320000000000", "all,sample=true power_watts=7 1780315260000000000")
}

// TestWithoutComputedValuesNothingIsRead: most houses have none.
func TestWithoutComputedValuesNothingIsRead(t *testing.T) {
	h := newHarness(t)
	p := h.process("sensors")
	b, err := Begin(t.Context(), p.st, p.r, catalogue.Get, at(600))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Adopt(t.Context(), []store.DeviceRequest{{Physical: "edge/rack-a", Kind: "edge", Device: "rack-a", Name: "rack-a"}}); err != nil {
		t.Fatal(err)
	}
	b.Compute(nil)
	report := Report{Measurement: "power", Device: b.Find([]byte("edge/rack-a")).Logical, Time: noon, Arrived: noon, Values: []device.Value{{Key: "power_watts", V: 7}}}
	b.Add(0, report)
	if n := testing.AllocsPerRun(100, func() { b.noteMember(&report); b.gatherMembers() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	b.Done(nil)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.compute(canceled); err != nil {
		t.Error(err)
	}
}
