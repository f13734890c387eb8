package glance

import (
	"testing"

	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/store"
)

func TestARoomIsGuessedFromTheBeginningOfAName(t *testing.T) {
	for name, want := range map[string][2]string{ // place, title
		"office-air": {"Office", "Air"}, "Bedroom CO2": {"Bedroom", "CO2"}, "living_room_lamp": {"Living room", "Lamp"}, "LivingRoom/TV": {"Living room", "TV"},
		"Wohnzimmer Thermostat": {"Wohnzimmer", "Thermostat"}, "kueche-fenster": {"Küche", "Fenster"}, "Gäste-WC Licht": {"Gäste-WC", "Licht"},
		"bedroom-2-climate": {"Bedroom 2", "Climate"}, "office 2": {"Office", "2"}, "Kitchen": {"Kitchen", "Kitchen"},
		"official-scale": {"", "official-scale"}, "air-office": {"", "air-office"}, "0x00158d0001": {"", "0x00158d0001"}, "": {"", ""}, "—": {"", "—"},
		"<script>": {"", "<script>"}, "Bad<script>": {"Bad", "Script>"},
	} {
		place := guessPlace(name)
		if title := withoutPlace(name, place); place != want[0] || title != want[1] {
			t.Errorf("%q: place %q, title %q, want %q", name, place, title, want)
		}
	}
}

func TestTheRoomOfTheRegisterWins(t *testing.T) {
	f := newFixture(t)
	f.Device("edge", "Office air", "Attic", store.DeviceState{Metric: "co2_ppm", Value: 700})
	f.Device("edge", "Attic climate", "Attic", store.DeviceState{Metric: "temperature_celsius", Value: 17})
	f.Device("edge", "bedroom-co2", "", store.DeviceState{Metric: "co2_ppm", Value: 700}, pagetest.State("simulated", 1))
	w, err := f.glance().world(t.Context(), View{})
	f.OK(err)
	ds, err := w.devices(t.Context())
	f.OK(err)
	got := map[string][2]string{}
	for _, d := range ds {
		got[d.ID] = [2]string{d.Place, d.Title}
		if d.Sample != (d.ID == "bedroom-co2") {
			t.Errorf("%s: sample %v", d.ID, d.Sample)
		}
	}
	want := map[string][2]string{"office-air": {"Attic", "Office air"}, "attic-climate": {"Attic", "Climate"}, "bedroom-co2": {"Bedroom", "Co2"}}
	for id, w := range want {
		if got[id] != w {
			t.Errorf("%s: %q, want %q", id, got[id], w)
		}
	}
}
