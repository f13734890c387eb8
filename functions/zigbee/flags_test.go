package function

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
)

func binaryOf(name, on, off string) string {
	return fmt.Sprintf(`{"type":"binary","name":%q,"property":%q,"access":1,"value_on":%s,"value_off":%s}`, name, name, on, off)
}

func numericOf(name, unit string) string {
	return fmt.Sprintf(`{"type":"numeric","name":%q,"property":%q,"access":1,"unit":%q}`, name, name, unit)
}

// alertsOf returns the messages about a device x with these exposes that reports payloads,
// one each minute: "fired critical Water leak: x".
func alertsOf(t *testing.T, yml, exposes string, payloads ...string) []string {
	t.Helper()
	f := batchtest.Serve(t, New, batchtest.SQLite(t), "ALERTS_MODE", "show")
	if err := os.WriteFile(filepath.Join(f.Secrets, "hearth-settings"), []byte(yml), 0o600); err != nil {
		t.Fatal(err)
	}
	f.Post(t, retained(message(-time.Hour, "bridge/devices", `[{"ieee_address":"0x00158d0001234567","type":"EndDevice","friendly_name":"x","supported":true,"disabled":false,
		"interview_completed":true,"definition":{"model":"M","vendor":"V","exposes":[`+exposes+`]}}]`)))
	for i, p := range payloads {
		if a := f.Post(t, message(time.Duration(i)*time.Minute, "x", p)); len(a.Rejected) > 0 {
			t.Errorf("%s: %+v", p, a.Rejected)
		}
	}
	queued, err := f.Store.Outbox(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, q := range slices.Backward(queued) {
		title, _, _ := strings.Cut(q.Text, "\n")
		out = append(out, fmt.Sprintf("%s %s %s", q.What, q.Alert.Severity, title))
	}
	return out
}

func TestAlertsOfPayloads(t *testing.T) {
	low, percent := binaryOf("battery_low", "true", "false"), numericOf("battery", "%")
	leak := []string{"fired critical Water leak: x", "resolved critical Resolved: Water leak: x"}
	battery := []string{"fired warning Battery low: x", "resolved warning Resolved: Battery low: x"}
	for name, tc := range map[string]struct {
		yml, exposes string
		payloads     []string
		want         []string
	}{
		"a boolean": {"", binaryOf("water_leak", "true", "false"), []string{`{"water_leak":true}`, `{"water_leak":true,"battery":90}`, `{"water_leak":false}`}, leak},
		"an endpoint": {"", binaryOf("water_leak_left", "true", "false") + "," + binaryOf("water_leak_2", "true", "false"),
			[]string{`{"water_leak_left":true,"water_leak_2":false}`, `{"water_leak_left":false,"water_leak_2":false}`}, leak},
		"smoke of an endpoint":    {"", binaryOf("smoke_1", "true", "false"), []string{`{"smoke_1":true}`}, []string{"fired critical Smoke: x"}},
		"no endpoint":             {"", binaryOf("smoke_concentration", "true", "false"), []string{`{"smoke_concentration":true}`}, nil},
		"words":                   {"", binaryOf("water_leak", `"ON"`, `"OFF"`), []string{`{"water_leak":"ON"}`, `{"water_leak":"OFF"}`}, leak},
		"numbers":                 {"", binaryOf("water_leak", "1", "0"), []string{`{"water_leak":1}`, `{"water_leak":0}`}, leak},
		"undeclared":              {"", "", []string{`{"water_leak":"ON"}`, `{"water_leak":false}`}, leak},
		"a gas meter":             {"", numericOf("gas", "m³"), []string{`{"gas":1}`, `{"gas":17}`}, nil},
		"no battery level":        {"", percent, []string{`{"battery":255}`, `{"battery":-1}`, `{"battery":null}`}, nil},
		"a flag":                  {"", low, []string{`{"battery_low":true}`, `{"battery_low":false}`}, battery},
		"a flag beside the level": {"", low + "," + percent, []string{`{"battery_low":true,"battery":12}`, `{"battery_low":false,"battery":90}`}, battery},
		"a level after the flag":  {"", low + "," + percent, []string{`{"battery_low":false}`, `{"battery_low":false,"battery":90}`, `{"battery_low":true,"battery":80}`}, nil},
		"a flag that fired first": {"", low + "," + percent, []string{`{"battery_low":true}`, `{"battery_low":true,"battery":90}`, `{"battery_low":false,"battery":90}`}, battery},
		"motion at home":          {"", binaryOf("occupancy", "true", "false"), []string{`{"occupancy":true}`, `{"occupancy":false}`}, nil},
		"motion while away": {"away: 2026-12-24", binaryOf("occupancy", "true", "false"), []string{`{"occupancy":true}`, `{"occupancy":false}`},
			[]string{"fired critical Somebody is there: x", "resolved critical Resolved: Somebody is there: x"}},
	} {
		t.Run(name, func(t *testing.T) { same(t, "messages", alertsOf(t, tc.yml, tc.exposes, tc.payloads...), tc.want) })
	}
}
