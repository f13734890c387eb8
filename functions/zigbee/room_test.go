package function

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/wire"
)

// TestTheRoomIsLimitedPerBase: what has no room is rejected by name, and taken as soon
// as there is room, without another list.
func TestTheRoomIsLimitedPerBase(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := batchtest.Serve(t, New, open(t), "ZIGBEE_BASES", "zigbee2mqtt,attic/zigbee2mqtt")
			const why = "no room in the register for more devices of zigbee2mqtt/#: make room with: hearth device forget --from zigbee2mqtt --dry-run"
			a := f.Post(t, retained(message(0, "bridge/devices", manyDevices(1250))))
			if len(a.Replay) != 999 || len(a.Rejected) != 1 || a.Rejected[0].Reason != why {
				t.Fatalf("%d new names, rejected %+v", len(a.Replay), a.Rejected)
			}
			late := message(time.Second, "sensor 7", `{"temperature":20}`) // by address, and so by name, the first 999 have room
			none := message(time.Second, "sensor 1150", `{"temperature":20}`)
			availability := message(time.Second, "sensor 1150/availability", `{"state":"online"}`)
			if a := f.Post(t, late, none, availability); len(a.Rejected) != 2 || a.Rejected[0].Reason != why || a.Rejected[1].Reason != why {
				t.Fatalf("%+v", a)
			}
			attic := wire.Message{Topic: "attic/zigbee2mqtt/bridge/devices", Time: noon.Add(time.Minute), Payload: []byte(strings.ReplaceAll(list(t), "0x", "0xa"))}
			if a := f.Post(t, retained(attic)); len(a.Rejected) != 0 || len(a.Replay) < 3 {
				t.Errorf("the other base: %+v", a)
			}
			var ids []string
			for i := range 200 {
				ids = append(ids, fmt.Sprint("sensor-", i))
			}
			if _, err := f.Store.ForgetDevices(t.Context(), ids); err != nil {
				t.Fatal(err)
			}
			none.Time, none.ID = none.Time.Add(time.Hour), ""
			a = f.Post(t, none)
			if len(a.Rejected)+len(a.Retry) != 0 || !slices.ContainsFunc(a.Replay, func(p wire.Pick) bool { return p.Topic == "zigbee2mqtt/sensor 1150/#" }) {
				t.Errorf("%d rejected, %d retried, replay %d", len(a.Rejected), len(a.Retry), len(a.Replay))
			}
		})
	}
}
