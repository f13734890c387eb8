package chaos

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

// edgeReading has the keys of a message at hearth/<node>/<device> that these tests check.
type edgeReading struct {
	Device, Sensor, Boot string
	Seq                  uint64
	Time                 time.Time
	Fields               map[string]float64
}

// edgeNumber identifies a reading of a node, across restarts.
type edgeNumber struct {
	boot string
	seq  uint64
}

// value is the field that InfluxDB is asked for.
func (r edgeReading) value() float64 { return r.Fields[identify[r.Sensor][1]] }

// delivered returns the readings of a node that the broker sent to the connector. The
// test fails if two deliveries of a reading differ.
func (p *pi) delivered() map[edgeNumber]edgeReading {
	t := p.h.t
	t.Helper()
	out := map[edgeNumber]edgeReading{}
	for payload := range p.h.tap.all() {
		var r edgeReading
		if json.Unmarshal([]byte(payload), &r) != nil || r.Seq == 0 || !strings.HasPrefix(r.Device, p.node+"-") {
			continue // a status, a canary, another node
		}
		k := edgeNumber{r.Boot, r.Seq}
		if old, twice := out[k]; twice {
			t.Errorf("%v was delivered as %+v and as %+v", k, old, r)
		}
		out[k] = r
	}
	return out
}

// all returns the payloads that the broker has sent, and how often each.
func (p *tap) all() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make(map[string]int, len(p.delivered))
	for payload, n := range p.delivered {
		out[payload] = n
	}
	return out
}

// verify checks that every reading that the agent took is stored exactly once.
func (p *pi) verify() {
	t := p.h.t
	t.Helper()
	st := p.h.open()
	var runs map[string]store.EdgeSeq
	if !eventually(func() bool { runs = p.counted(st); return p.wrong(runs) == "" }) {
		t.Errorf("%s: %s", p.node, p.wrong(runs))
	}
	p.h.awaitIdle(t)
	var delivered map[edgeNumber]edgeReading
	sum := 0
	eventually(func() bool { // the last run's readings can still be on their way
		delivered, runs, sum = p.delivered(), p.counted(st), 0
		for _, e := range runs {
			sum += int(e.Highest)
		}
		return sum == len(delivered)
	})
	for boot, e := range runs {
		for seq := uint64(1); seq <= e.Highest; seq++ {
			if _, ok := delivered[edgeNumber{boot, seq}]; !ok {
				t.Errorf("%s, run %s: number %d counts as stored and was never delivered", p.node, boot, seq)
				break
			}
		}
	}
	if sum != len(delivered) {
		t.Errorf("%s: %d readings were delivered, %d are counted", p.node, len(delivered), sum)
	}
	want := map[string][]edgeReading{} // by device
	for _, r := range delivered {
		want[r.Device] = append(want[r.Device], r)
	}
	if len(want) != len(fast) {
		t.Errorf("%s: readings of %d devices, want %d", p.node, len(want), len(fast))
	}
	for device, rs := range want {
		p.h.verifyDevice(device, rs)
	}
	t.Logf("%s: %d readings of %d runs", p.node, sum, len(runs))
}

// counted returns how far the platform has stored each run of a node, by boot.
func (p *pi) counted(st *store.Store) map[string]store.EdgeSeq {
	p.h.t.Helper()
	seqs, err := st.EdgeSeqs(p.h.t.Context())
	if err != nil {
		p.h.t.Fatal(err)
	}
	runs := map[string]store.EdgeSeq{}
	for _, e := range seqs {
		if e.Node == p.node {
			runs[e.Boot] = e
		}
	}
	return runs
}

// wrong describes a run with a missing number, or one that ends before its last number
// in p.kept. It returns "" if all runs are complete.
func (p *pi) wrong(runs map[string]store.EdgeSeq) string {
	for boot, e := range runs {
		kept := p.kept[boot]
		if e.Upto != e.Highest || e.Missing != 0 || len(e.Holes) > 0 || e.Highest < kept || p.exact[boot] && e.Highest != kept {
			return fmt.Sprintf("run %s: stored up to %d of %d, %d missing, holes %v; %d were kept", boot, e.Upto, e.Highest, e.Missing, e.Holes, kept)
		}
	}
	for boot, kept := range p.kept {
		if _, ok := runs[boot]; !ok && kept > 0 {
			return fmt.Sprintf("run %s: nothing is stored of %d that were kept", boot, kept)
		}
	}
	return ""
}

// verifyDevice checks that InfluxDB has one point for each reading of a device, and no
// other point.
func (h *hearth) verifyDevice(device string, want []edgeReading) {
	h.t.Helper()
	at := identify[want[0].Sensor]
	all, err := h.query(fmt.Sprintf(`SELECT %q FROM %q WHERE device = '%s' GROUP BY device`, at[1], at[0], device))
	if err != nil {
		h.t.Fatal(err)
	}
	got := map[time.Time]float64{}
	for _, p := range all[device] {
		got[p.at] = p.v
	}
	for _, r := range want {
		if v, ok := got[r.Time.UTC()]; !ok || v != r.value() {
			h.t.Errorf("%s: stored %g (there is a point: %t), want one point of %+v", device, v, ok, r)
		}
		delete(got, r.Time.UTC())
	}
	for at, v := range got {
		h.t.Errorf("%s: the point %g at %s belongs to no reading", device, v, at)
	}
}
