package function

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/wire"
)

var update = flag.Bool("update", false, "write the golden file")

// TestDevices stores a message of each device in testdata/payloads.json: what it declares
// and sends is as real ones do, shortened. The golden file has the readings and texts.
func TestDevices(t *testing.T) {
	b, err := os.ReadFile("testdata/payloads.json")
	if err != nil {
		t.Fatal(err)
	}
	var devices []struct {
		Name             string
		Exposes, Payload json.RawMessage
	}
	if err := json.Unmarshal(b, &devices); err != nil {
		t.Fatal(err)
	}
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	var entries []string
	var ms []wire.Message
	for i, d := range devices {
		entries = append(entries, fmt.Sprintf(`{"ieee_address":"0x%d","type":"Router","friendly_name":"%02d","definition":{"model":"M","vendor":"V","exposes":%s}}`, i, i+1, d.Exposes))
		ms = append(ms, message(0, fmt.Sprintf("%02d", i+1), string(d.Payload)))
	}
	f.Post(t, retained(message(-time.Hour, "bridge/devices", "["+strings.Join(entries, ",")+"]")))
	if a := f.Post(t, ms...); len(a.Rejected)+len(a.Retry) > 0 {
		t.Errorf("%+v", a)
	}
	lines, states := f.Lines(t, "zigbee", "zigbee_action"), f.States(t)
	var out strings.Builder
	for i, d := range devices {
		fmt.Fprintf(&out, "%02d %s\n", i+1, d.Name)
		for _, line := range lines {
			if series, fields, _ := strings.Cut(line, " "); strings.HasSuffix(series, fmt.Sprintf("device=%02d", i+1)) {
				fmt.Fprintf(&out, "   %s\n", strings.ReplaceAll(strings.TrimSuffix(fields, " 1795435200000000000"), ",", " "))
			}
		}
		for _, s := range states {
			if s, ok := strings.CutPrefix(s, fmt.Sprintf("%02d ", i+1)); ok && strings.Contains(s, `"`) {
				fmt.Fprintf(&out, "   %s\n", strings.TrimSuffix(s, " 12:00:00.000 ok"))
			}
		}
	}
	const golden = "testdata/payloads.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "stored", strings.Split(out.String(), "\n"), strings.Split(string(want), "\n"))
}
