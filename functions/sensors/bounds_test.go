package function

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/wire"
)

// bootReading is a reading of node pi4 of a boot.
func bootReading(boot string, seq int, after time.Duration) wire.Message {
	return message(after, "hearth/pi4/office-air", fmt.Sprintf(`{"device":"office-air","sensor":"scd4x","time":%q,"boot":%q,"seq":%d,"fields":{"co2_ppm":612}}`,
		noon.Add(after).Format(time.RFC3339Nano), boot, seq))
}

func TestANodesOwnBootIsAcknowledgedAmongEndlessOthers(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	after := time.Duration(0)
	step := func() time.Duration { after += time.Millisecond; return after }
	for seq := 1; seq <= 20; seq++ {
		f.Post(t, bootReading("own", seq, step()))
	}
	for round := range 10 {
		var flood []wire.Message
		for i := range 300 {
			flood = append(flood, bootReading(fmt.Sprint("evil", round, "-", i), 1, step()))
		}
		f.Post(t, flood...)
		seq := 21 + round
		if a := f.Post(t, bootReading("own", seq, step())); a.Stored["pi4"] != (wire.StoredUpTo{Boot: "own", Seq: uint64(seq)}) {
			t.Fatalf("round %d: %+v", round, a.Stored)
		}
	}
	seqs, err := f.Store.EdgeSeqs(t.Context())
	if err != nil || len(seqs) != store.MaxBoots {
		t.Errorf("%d boots, %v", len(seqs), err)
	}
	if n := len(f.Lines(t, "air")); n != 30+3000 {
		t.Errorf("%d readings are stored, want all", n)
	}
}

// A boot whose numbering was deleted may still bring readings, from the spool of its
// node. They must be acknowledged, and what came before is not missing.
func TestABootWhoseNumbersWereDeletedIsAcknowledgedAgain(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	for seq := 1; seq <= 3; seq++ {
		f.Post(t, bootReading("old", seq, time.Duration(seq)*time.Second))
	}
	for i := range store.MaxBoots + 10 {
		for seq := 1; seq <= 4; seq++ {
			f.Post(t, bootReading(fmt.Sprint("b", i), seq, time.Minute+time.Duration(4*i+seq)*time.Second))
		}
	}
	if a := f.Post(t, bootReading("old", 4, time.Hour)); len(a.Rejected) > 0 || len(a.Stored) != 0 {
		t.Errorf("%+v", a)
	}
	if a := f.Post(t, bootReading("old", 4, time.Hour), bootReading("old", 5, time.Hour+holeTimeout+time.Second)); a.Stored["pi4"] != (wire.StoredUpTo{Boot: "old", Seq: 5}) {
		t.Errorf("%+v", a.Stored)
	}
	seqs, err := f.Store.EdgeSeqs(t.Context())
	for _, e := range seqs {
		if e.Missing > 0 {
			t.Errorf("%+v, %v", e, err)
		}
	}
}

func TestCanariesOfEndlessConnectorsAreRejected(t *testing.T) {
	canary := func(name string, after time.Duration) wire.Message {
		return message(after, "hearth/canary/"+name, fmt.Sprintf(`{"sent":%q,"n":1}`, noon.Add(after).Format(time.RFC3339Nano)))
	}
	st := batchtest.SQLite(t)
	f := batchtest.Serve(t, New, st)
	f.Post(t, canary("main", 0))
	var ms []wire.Message
	for i := range 50 {
		ms = append(ms, canary(fmt.Sprint("evil", i), time.Second))
	}
	if a := f.Post(t, ms...); len(a.Rejected) != 50-maxConnectors+1 || !strings.Contains(a.Rejected[0].Reason, "canaries of 20 other connectors") {
		t.Errorf("%+v", a)
	}
	for _, f := range []*batchtest.Served{f, batchtest.Serve(t, New, st)} { // and after a restart
		if a := f.Post(t, canary("main", time.Minute), canary("new", time.Minute)); len(a.Rejected) != 1 {
			t.Errorf("%+v", a)
		}
	}
	if a := f.Post(t, canary("new", keepConnectors+time.Hour)); len(a.Rejected) != 0 {
		t.Errorf("it is refused for good: %+v", a)
	}
}

func TestEndlessNumbersInANodesStatusAreRejected(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	var rejected int
	for i := range 100 {
		var numbers []string
		for j := range 10 {
			numbers = append(numbers, fmt.Sprintf(`"n%d":1`, 10*i+j))
		}
		a := f.Post(t, message(time.Duration(i)*time.Second, "hearth/pi4/status", `{"state":"online","boot":"b",`+strings.Join(numbers, ",")+`}`))
		rejected += len(a.Rejected)
	}
	if n := len(f.States(t)); n > 250 || n < 200 || rejected < 70 {
		t.Errorf("%d states, %d rejected", n, rejected)
	}
}
