package function

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/store"
)

// TestComputedDevices: the power of a rack, and the heating of a PC. They have a name and
// a room as other devices have.
func TestComputedDevices(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := batchtest.Serve(t, New, open(t))
			writeSettings(t, f, `
devices:
  - topic: plugs/+
    device: "{2}"
    fields: {power_watts: $.w}
  - topic: pc/+
    device: "{2}"
    fields: {exhaust_temperature_celsius: $.et, intake_temperature_celsius: $.it}
  - device: rack
    name: The rack
    room: Cellar
    fields:
      power_watts: {sum: [pdu-a.power_watts, pdu-b.power_watts, zigbee-plug.power_watts]}
  - device: all-pdus
    fields: {power_watts: {sum: "pdu-*.power_watts"}}
  - device: office-pc
    fields:
      heating_kelvin: {difference: [office-pc.exhaust_temperature_celsius, office-pc.intake_temperature_celsius]}
`)
			zigbee := func(watts float64, t0 time.Time) { // as the function zigbee stores it
				t.Helper()
				err := f.Store.Commit(t.Context(), "test", store.Batch{}, func(ctx context.Context, tx *store.Tx) error {
					return tx.SaveDevices(ctx, store.DeviceChange{Function: "zigbee", Writer: "z", States: []store.DeviceState{
						{Device: "zigbee-plug", Metric: "power_watts", Value: watts, Time: t0, Arrived: t0, Changed: t0, Quality: "ok"}}})
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			if _, err := f.Store.AdoptDevices(t.Context(), []store.DeviceRequest{{Physical: "0xa4c1380000000099", Kind: "zigbee", Device: "zigbee-plug", Name: "zigbee-plug"}}, noon); err != nil {
				t.Fatal(err)
			}
			plug := func(at time.Duration, name string, watts string) {
				t.Helper()
				if a := f.Post(t, message(at, "plugs/"+name, fmt.Sprintf(`{"w":%s}`, watts))); len(a.Rejected) > 0 {
					t.Fatalf("%+v", a)
				}
			}
			zigbee(7, noon.Add(-time.Hour)) // it reports changes only
			plug(0, "pdu-a", "100")
			plug(time.Minute, "pdu-b", "200.5")
			f.Post(t, message(2*time.Minute, "pc/office-pc", `{"et":31.5,"it":22}`), message(3*time.Minute, "pc/office-pc", `{"et":null,"it":22.5}`))
			zigbee(10, noon.Add(4*time.Minute))
			plug(5*time.Minute, "pdu-a", "0")
			plug(25*time.Minute, "pdu-a", "1") // pdu-b is silent
			same(t, "readings", f.Lines(t, "power", "air"), []string{
				"power,device=all-pdus power_watts=100 1795435200000000000", "power,device=all-pdus power_watts=300.5 1795435260000000000", "power,device=all-pdus power_watts=200.5 1795435500000000000",
				"power,device=pdu-a power_watts=100 1795435200000000000", "power,device=pdu-a power_watts=0 1795435500000000000", "power,device=pdu-a power_watts=1 1795436700000000000",
				"power,device=pdu-b power_watts=200.5 1795435260000000000",
				"power,device=rack power_watts=307.5 1795435260000000000", "power,device=rack power_watts=210.5 1795435500000000000",
				"air,device=office-pc exhaust_temperature_celsius=31.5,heating_kelvin=9.5,intake_temperature_celsius=22 1795435320000000000",
				"air,device=office-pc heating_kelvin=9,intake_temperature_celsius=22.5 1795435380000000000",
			})
			ds, err := f.Store.Devices(t.Context())
			for _, d := range ds {
				if d.ID == "rack" && (d.Name != "The rack" || d.Room != "Cellar") {
					t.Errorf("%+v", d)
				}
			}
			if err != nil || len(ds) != 6 {
				t.Errorf("%+v, %v", ds, err)
			}
		})
	}
}
