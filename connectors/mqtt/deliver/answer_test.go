package deliver

import (
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hearth-home/hearth/connectors/mqtt/deadletter"
	"github.com/hearth-home/hearth/shared/wire"
)

// TestAnInvalidPickIsIgnored: an older connector must not drop more than a newer
// function meant. The other picks of the answer are carried out.
func TestAnInvalidPickIsIgnored(t *testing.T) {
	own := subscriber{Name: "f", Subscription: wire.Subscription{Filters: []string{"house/#"}}}
	mirror := subscriber{Name: "m", Subscription: wire.Subscription{Filters: []string{"hearth/#"}}}
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for pick, want := range map[string]struct{ own, mirror *deadletter.Query }{
		`{"topic":"a/#"}`:                            {&deadletter.Query{Function: "f", Topic: "a/#"}, &deadletter.Query{Function: "m", Topic: "a/#"}},
		`{"id":"x","function":"f"}`:                  {&deadletter.Query{Function: "f", ID: "x"}, &deadletter.Query{Function: "f", ID: "x"}},
		`{"id":"x","function":"g"}`:                  {nil, &deadletter.Query{Function: "g", ID: "x"}},
		`{"reason":"r","function":"*"}`:              {nil, &deadletter.Query{Reason: "r"}},
		`{"cause":"r"}`:                              {&deadletter.Query{Function: "f", Cause: "r"}, &deadletter.Query{Function: "m", Cause: "r"}},
		`{"all":true,"cause":"r"}`:                   {nil, nil},
		`{"all":true}`:                               {&deadletter.Query{Function: "f"}, &deadletter.Query{Function: "m"}},
		`{"all":true,"function":"*"}`:                {nil, &deadletter.Query{All: true}},
		`{"all":true,"topic":"a"}`:                   {nil, nil},
		`{}`:                                         {nil, nil},
		`{"function":"*"}`:                           {nil, nil},
		`{"topic":"a","younger":"1h"}`:               {nil, nil},
		`{"topic":7}`:                                {nil, nil},
		`"all"`:                                      {nil, nil},
		`{"id":"x","before":"yesterday"}`:            {nil, nil},
		`{"id":"x","before":"2026-11-23T12:00:00Z"}`: {&deadletter.Query{Function: "f", ID: "x", Before: at}, &deadletter.Query{Function: "m", ID: "x", Before: at}},
	} {
		for _, tc := range []struct {
			f    subscriber
			want *deadletter.Query
		}{{own, want.own}, {mirror, want.mirror}} {
			good := json.RawMessage(`{"id":"good"}`)
			a := answer{Drop: []json.RawMessage{json.RawMessage(pick), good}}
			var wanted []deadletter.Request
			if tc.want != nil {
				wanted = append(wanted, deadletter.Request{Drop: true, Query: *tc.want})
			}
			wanted = append(wanted, deadletter.Request{Drop: true, Query: deadletter.Query{Function: tc.f.Name, ID: "good"}})
			if got := a.requests(tc.f, slog.New(slog.DiscardHandler)); !cmp.Equal(got, wanted) {
				t.Errorf("%s from %s: %+v, want %+v", pick, tc.f.Name, got, wanted)
			}
		}
	}
}
