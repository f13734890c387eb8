package status

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hearth-home/hearth/shared/store"
)

// A tile has the id and the topic of its device, for hearth.yml, and as its name the
// least of the topic that no other device has.
func TestATileHasTheIDAndTheTopicOfItsDevice(t *testing.T) {
	h := newFixture(t)
	add := func(physical, kind, id, name, about string) {
		t.Helper()
		ids, err := h.st.AdoptDevices(t.Context(), []store.DeviceRequest{{Physical: physical, Kind: kind, Device: id, Name: name, About: json.RawMessage(about)}}, h.now)
		h.ok(err)
		s := state("temperature_celsius", 20)
		s.Device, s.Time, s.Arrived, s.Changed, s.Quality = ids[0].Device, h.now, h.now, h.now, "ok"
		h.ok(saveDevices(t.Context(), h.st, store.DeviceChange{States: []store.DeviceState{s}}))
	}
	for _, topic := range []string{"home/kitchen/climate", "home/office/climate", "garden/bed1/state", "/embedded/lab_plug1", "sensors/data", "a/fridge", "desk"} {
		add("topic/"+topic, "mapped", strings.ReplaceAll(strings.Trim(topic, "/"), "/", "-"), topic, "")
	}
	add("topic/rtl_433/pi/events#model=Acurite-Tower,id=11524", "mapped", "rtl_433-pi-events-acurite-tower-11524", "rtl_433/pi/events/Acurite-Tower 11524", `{"topic":"rtl_433/pi/events"}`)
	add("mapped/oven", "mapped", "oven", "oven", `{"topic":"tele/oven/SENSOR"}`)
	add("mapped/x", "mapped", "x", "x", `{"topic":"key/geheim"}`)
	add("0x1", "zigbee", "fridge", "fridge", `{"base":"zigbee2mqtt"}`)
	add("edge/air", "edge", "air", "air", "")
	h.ok(h.st.ConfigureDevices(t.Context(), []store.DeviceSetting{{Device: "home-office-climate", Name: "My office", Physical: []string{"hearth.yml/x"}}}, h.now))
	got := map[string]string{}
	for _, r := range h.data().Rooms {
		for _, d := range r.Devices {
			got[d.ID] = fmt.Sprint(d.Name, " at ", d.Topic)
		}
	}
	want := map[string]string{
		"home-kitchen-climate": "climate at home/kitchen/climate", "home-office-climate": "My office at home/office/climate", "garden-bed1-state": "bed1 at garden/bed1/state",
		"embedded-lab_plug1": "lab_plug1 at /embedded/lab_plug1", "sensors-data": "sensors/data at sensors/data", "a-fridge": "a/fridge at a/fridge", "desk": "desk at desk",
		"rtl_433-pi-events-acurite-tower-11524": "Acurite-Tower 11524 at rtl_433/pi/events", "oven": "oven at tele/oven/SENSOR", "fridge": "fridge at zigbee2mqtt/fridge", "air": "air at ", "x": "x at key/[secret]",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	h.ok(h.st.ConfigureDevices(t.Context(), nil, h.now))
	_, html := get(t, listen(t, h.page()).URL+"/status")
	for _, s := range []string{"device <code>home-kitchen-climate</code><br>topic <code>home/kitchen/climate</code>", "kitchen/climate", "office/climate", "<p class=\"ids\">device <code>air</code></p>"} {
		if !strings.Contains(html, s) {
			t.Errorf("the page has no %s", s)
		}
	}
}
