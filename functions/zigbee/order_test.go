package function

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/wire"
)

// TestOrderAndDuplicatesChangeNothing sends the same messages in another order, some
// of them twice, in other batches, with restarts of the function in between.
func TestOrderAndDuplicatesChangeNothing(t *testing.T) {
	rounds := 0
	rapid.Check(t, func(rt *rapid.T) {
		if rounds++; rounds > 30 { // each opens two databases
			return
		}
		var ms []wire.Message
		for i := range rapid.IntRange(1, 40).Draw(rt, "messages") {
			after := time.Duration(i) * time.Second
			seen := noon.Add(after - 300*time.Millisecond)
			var m wire.Message
			switch rapid.IntRange(0, 4).Draw(rt, "kind") {
			case 0:
				m = message(after, "garage_temp", fmt.Sprintf(`{"temperature":%d,"last_seen":%q}`, 20+i%3, seen.Format(time.RFC3339Nano)))
			case 1:
				m = message(after, "washer", fmt.Sprintf(`{"power":%d,"state":"ON"}`, i*3))
			case 2:
				m = message(after, "button", fmt.Sprintf(`{"action":"single","last_seen":%d}`, seen.UnixMilli()))
			case 3:
				m = message(after, "washer/availability", fmt.Sprintf(`{"state":%q}`, []string{"online", "offline"}[i%2]))
			default:
				m = retained(message(after, "lamp", fmt.Sprintf(`{"brightness":%d,"color_mode":"xy"}`, i)))
			}
			m.ID = fmt.Sprint("m", i)
			ms = append(ms, m)
		}
		withDuplicates := slices.Concat(ms, rapid.SliceOfN(rapid.SampledFrom(ms), 0, 10).Draw(rt, "again"))
		lines, states := storedAfter(t, rt, ms) // in order, once
		lines2, states2 := storedAfter(t, rt, rapid.Permutation(withDuplicates).Draw(rt, "order"))
		if d := cmp.Diff(lines, lines2) + cmp.Diff(states, states2); d != "" {
			rt.Fatalf("(-in order +otherwise):\n%s", d)
		}
	})
}

// storedAfter returns what is stored after messages in batches of random sizes, with
// random restarts.
func storedAfter(t *testing.T, rt *rapid.T, ms []wire.Message) (lines, states []string) {
	st := batchtest.SQLite(t)
	f := serveWithDevices(t, st)
	for len(ms) > 0 {
		n := rapid.IntRange(1, len(ms)).Draw(rt, "batch")
		f.Post(t, slices.Clone(ms[:n])...)
		if ms = ms[n:]; rapid.Bool().Draw(rt, "restart") {
			f = batchtest.Serve(t, New, st)
		}
	}
	return f.Lines(t, "zigbee", "zigbee_action"), f.States(t)
}

// stores are the databases that hearth runs on.
var stores = map[string]func(testing.TB) *store.Store{"sqlite": batchtest.SQLite, "servers": batchtest.Servers}

func TestEveryStore(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			st := open(t)
			f := serveWithDevices(t, st)
			f.Post(t, message(0, "garage_temp", `{"temperature":20,"battery":90}`), message(0, "button", `{"action":"single"}`),
				message(time.Second, "washer/availability", `online`), message(time.Second, "nobody", `{}`))
			f = batchtest.Serve(t, New, st)
			f.Post(t, retained(message(time.Minute, "bridge/devices", strings.Replace(list(t), `"garage_temp"`, `"Garage"`, 1))), message(2*time.Minute, "Garage", `{"temperature":21}`))
			same(t, "readings", f.Lines(t, "zigbee", "zigbee_action"), []string{
				"zigbee,device=garage_temp battery_percent=90,temperature_celsius=20 1795435200000000000",
				"zigbee,device=garage_temp temperature_celsius=21 1795435320000000000",
				"zigbee,device=washer available=1 1795435201000000000",
				`zigbee_action,device=button presses=1,action="single" 1795435200000000000`})
			same(t, "states", f.States(t), []string{`button action = "single" 12:00:00.000 ok`, "garage_temp battery_percent = 90 12:00:00.000 ok",
				"garage_temp temperature_celsius = 21 12:02:00.000 ok", "washer available = 1 12:00:01.000 ok",
				"zigbee2mqtt devices = 6 12:01:00.000 ok retained", "zigbee2mqtt groups = 1 11:00:00.000 ok retained"})
		})
	}
}

func TestWithoutTheDatabaseTheWholeBatchIsRetried(t *testing.T) {
	f := serveWithDevices(t, batchtest.SQLite(t))
	good := f.Store
	f.Store = batchtest.SQLite(t)
	f.Store.Close()
	m := message(0, "garage_temp", `{"temperature":20}`)
	if code, body := f.Try(t, m); code != http.StatusServiceUnavailable {
		t.Errorf("%d %s", code, body)
	}
	f.Store = good
	f.Post(t, m)
	same(t, "readings", f.Lines(t, "zigbee"), []string{"zigbee,device=garage_temp temperature_celsius=20 1795435200000000000"})
}

// FuzzMessage sends any payload on any topic together with a valid message. Both are
// answered, and the valid one is stored.
func FuzzMessage(f *testing.F) {
	st := batchtest.SQLite(f)
	series := st.Series
	st.Series = batchtest.Null{Series: series}
	h := serveWithDevices(f, st)
	for _, seed := range [][2]string{{"garage_temp", `{"temperature":20,"last_seen":1795435200000}`}, {"lamp", `{"color":{"x":0.4},"state":"ON"}`}, {"bridge/devices", list(f)},
		{"bridge/state", `{"state":"online"}`}, {"washer/availability", `offline`}, {"bridge/groups", `[{"id":1,"friendly_name":"x"}]`}, {"mystery", `{"":1,"_a":2,"time":3,"A B":4}`}} {
		f.Add(seed[0], []byte(seed[1]))
	}
	f.Fuzz(func(t *testing.T, topic string, payload []byte) {
		m := message(-time.Hour, topic, string(payload))
		a := h.Post(t, m, message(0, "garage_temp", `{"temperature":20}`))
		if len(a.Rejected)+len(a.Retry) > 2 {
			t.Errorf("%+v", a)
		}
	})
}
