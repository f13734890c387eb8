package function

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
)

const detectors = `[{"ieee_address":"0x00000000000000a1","type":"EndDevice","friendly_name":"cellar","definition":{"model":"M","vendor":"V","exposes":[
	{"type":"binary","property":"water_leak","value_on":true,"value_off":false},{"type":"binary","property":"tamper","value_on":true,"value_off":false},
	{"type":"binary","property":"battery_low","value_on":true,"value_off":false},{"type":"numeric","property":"battery","unit":"%"}]}},
	{"ieee_address":"0x00000000000000a2","type":"EndDevice","friendly_name":"door","definition":{"model":"M","vendor":"V","exposes":[
	{"type":"binary","property":"contact","value_on":false,"value_off":true},{"type":"binary","property":"occupancy","value_on":true,"value_off":false}]}}]`

// TestTheHousesOwnDangers: what a detector says is told at once, and what the broker kept
// is not.
func TestTheHousesOwnDangers(t *testing.T) {
	for name, tc := range map[string]struct {
		yml, topic, before, payload string
		retained                    bool
		want                        string
	}{
		"leak":         {"", "cellar", `{"water_leak":false}`, `{"water_leak":true}`, false, "critical security Water leak: cellar"},
		"tamper":       {"", "cellar", `{"tamper":false}`, `{"tamper":true}`, false, "critical security Tamper: cellar"},
		"kept":         {"", "cellar", `{"water_leak":false}`, `{"water_leak":true}`, true, ""},
		"battery":      {"", "cellar", `{"battery":40,"battery_low":false}`, `{"battery":9,"battery_low":true}`, false, "warning devices Battery low: cellar"},
		"door":         {"", "door", `{"contact":true}`, `{"contact":false}`, false, ""}, // 10 minutes later
		"motion":       {"", "door", `{"occupancy":false}`, `{"occupancy":true}`, false, ""},
		"away: door":   {"away: 2026-11-24", "door", `{"contact":true}`, `{"contact":false}`, false, "critical security Open: door"},
		"away: motion": {"away: 2026-11-24", "door", `{"occupancy":false}`, `{"occupancy":true}`, false, "critical security Somebody is there: door"},
	} {
		t.Run(name, func(t *testing.T) {
			st := batchtest.SQLite(t)
			f := batchtest.Serve(t, New, st, "ALERTS_MODE", "show")
			if err := os.WriteFile(filepath.Join(f.Secrets, "hearth-settings"), []byte(tc.yml), 0o600); err != nil {
				t.Fatal(err)
			}
			f.Post(t, retained(message(-time.Hour, "bridge/devices", detectors)))
			f.Post(t, message(0, tc.topic, tc.before))
			m := message(10*time.Second, tc.topic, tc.payload)
			m.Retained = tc.retained
			f.Post(t, m)
			var got []string
			messages, err := st.Outbox(t.Context(), 10)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range messages {
				title, _, _ := strings.Cut(m.Text, "\n")
				got = append(got, string(m.Alert.Severity)+" "+string(m.Channel)+" "+title)
				if m.Destination != alert.ToPage {
					t.Errorf("sent to %s", m.Destination)
				}
			}
			if text := strings.Join(got, "; "); text != tc.want {
				t.Errorf("%q, want %q", text, tc.want)
			}
		})
	}
}
