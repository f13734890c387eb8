package topology

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

func TestWhatDevicesDependOn(t *testing.T) {
	about := json.RawMessage(`{"base":"attic/zigbee2mqtt","model":"x"}`)
	m := Of([]store.Device{
		{ID: "edge-pi4", Kind: "node", Publisher: "hearth/pi4"}, {ID: "attic", Kind: "bridge"}, {ID: "group", Kind: "group"},
		{ID: "air", Kind: "edge", Publisher: "hearth/pi4"}, {ID: "co2", Kind: "edge", Publisher: "hearth/pi4"},
		{ID: "lost", Kind: "edge", Publisher: "hearth/unknown"}, {ID: "mapped", Kind: "mapped"},
		{ID: "lamp", Kind: "zigbee", Publisher: "attic/zigbee2mqtt"}, {ID: "gone", Kind: "zigbee"},
	}, []store.DeviceID{
		{Physical: "node/pi4", Device: "edge-pi4"}, {Physical: "attic/zigbee2mqtt/bridge", Device: "attic"}, {Physical: "edge/air", Device: "air"},
		{Physical: "0x01", Device: "lamp", About: about}, {Physical: "0x02", Device: "gone", About: about, Until: time.Unix(1, 0)},
	})
	for device, want := range map[string]string{
		"air":    "[node/edge-pi4 broker] [ups-link-lost/air/link_lost node-offline/edge-pi4 broker-silent store-away]",
		"lamp":   "[bridge/attic broker] [ups-link-lost/lamp/link_lost bridge-offline/attic broker-silent store-away]",
		"lost":   "[broker] [ups-link-lost/lost/link_lost broker-silent store-away]",
		"mapped": "[broker] [ups-link-lost/mapped/link_lost broker-silent store-away]",
		"gone":   "[broker] [ups-link-lost/gone/link_lost broker-silent store-away]",
	} {
		if got := fmt.Sprint(m.Parents(device), " ", m.Roots(device)); got != want {
			t.Errorf("%s: %s, want %s", device, got, want)
		}
	}
	if got := fmt.Sprint(m.Below("edge-pi4"), m.Below("attic"), m.Below("air")); got != "[air co2] [lamp] []" {
		t.Error(got)
	}
}
