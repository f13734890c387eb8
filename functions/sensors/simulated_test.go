package function

import (
	"fmt"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
)

func TestADeviceIsSimulatedUntilARealSensorReports(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	for i, c := range []struct {
		sample string
		want   []string
	}{
		{"false", nil},
		{"true", []string{"office-air simulated = 1 12:02:00.000 ok"}},
		{"true", []string{"office-air simulated = 1 12:02:00.000 ok"}}, // written once
		{"false", []string{"office-air simulated = 0 12:04:00.000 ok"}},
		{"false", []string{"office-air simulated = 0 12:04:00.000 ok"}},
		{"true", []string{"office-air simulated = 1 12:06:00.000 ok"}},
	} {
		after := time.Duration(i+1) * time.Minute
		f.Post(t, message(after, "hearth/pi4/office-air", fmt.Sprintf(`{"device":"office-air","sensor":"scd4x","boot":"b","seq":%d,"time":%q,"sample":%s,"fields":{"co2_ppm":612}}`,
			i+1, noon.Add(after).Format(time.RFC3339Nano), c.sample)))
		want := append([]string{"office-air co2_ppm = 612 " + noon.Add(after).Format("15:04:05.000") + " ok"}, c.want...)
		same(t, fmt.Sprint(i), f.States(t), want)
	}
}
