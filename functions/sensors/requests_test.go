package function

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/wire"
)

// TestARequestForDeadLettersIsInTheAnswer: the page stores a person's requests in the
// database. The connector gets each in the next answer, and only a few times.
func TestARequestForDeadLettersIsInTheAnswer(t *testing.T) {
	h := batchtest.Serve(t, New, batchtest.SQLite(t))
	next := func(after time.Duration) wire.Answer {
		return h.Post(t, message(after, "hearth/canary/main", `{"sent":"2026-11-23T12:00:00Z","n":1}`))
	}
	if a := next(0); len(a.Replay)+len(a.Drop) > 0 {
		t.Errorf("without a request: %+v", a)
	}
	at := message(0, "", "").Time
	for i, r := range []store.DeadRequest{
		{ID: "1", Action: store.Replay, Function: "zigbee", Topic: "zigbee2mqtt/#"}, {ID: "2", Action: store.Drop, Letter: "1abc"}, {ID: "3", Action: store.Drop, Function: "zigbee"},
	} {
		r.Requested = at.Add(time.Duration(i) * time.Millisecond)
		if err := h.Store.AddDeadRequest(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	a := next(time.Minute)
	want := wire.Answer{
		Replay: []wire.Pick{{Function: "zigbee", Topic: "zigbee2mqtt/#", Before: at}},
		Drop:   []wire.Pick{{Function: "*", ID: "1abc", Before: at.Add(time.Millisecond)}, {Function: "zigbee", All: true, Before: at.Add(2 * time.Millisecond)}},
	}
	if got := (wire.Answer{Replay: a.Replay, Drop: a.Drop}); !cmp.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if a := next(time.Minute + 2*time.Second); len(a.Replay)+len(a.Drop) > 0 {
		t.Errorf("handed out again at once: %+v", a)
	}
}
