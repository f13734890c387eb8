package function

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
)

// TestAComputedDeviceOfZigbeePlugs: the message of a plug makes a value of the device
// that it is a member of.
func TestAComputedDeviceOfZigbeePlugs(t *testing.T) {
	f := serveWithDevices(t, batchtest.SQLite(t))
	yml := `devices: [{device: laundry, measurement: power, fields: {power: {sum: washer.power_watts, unit: kW, max: 2e9}}}]`
	if err := os.WriteFile(filepath.Join(f.Secrets, "hearth-settings"), []byte(yml), 0o600); err != nil {
		t.Fatal(err)
	}
	f.Clock(noon.Add(time.Hour))
	f.Post(t, message(time.Hour, "washer", `{"power":12.5}`))
	same(t, "readings", f.Lines(t, "power"), []string{"power,device=laundry power_watts=12500 1795438800000000000"})
}
