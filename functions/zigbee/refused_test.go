package function

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
)

// TestNoPayloadBlocksADatabase: PostgreSQL and InfluxDB refuse more than SQLite does.
// A batch that they refuse would be retried without end.
func TestNoPayloadBlocksADatabase(t *testing.T) {
	f := serveWithDevices(t, batchtest.Servers(t))
	long := make([]byte, 4000) // an index of PostgreSQL takes 2,700 bytes, compressed
	rand.Read(long)
	for i, n := range []string{`\u0000`, hex.EncodeToString(long), "\xff\xfe", `\ud800`, `\n,= \\`, strings.Repeat("x", 300), `\"'`, "\U0001F3E0", "_field", "quality_code"} {
		after := time.Duration(i) * time.Second
		f.Post(t,
			message(after, "garage_temp", `{"temperature":1e300,"`+n+`":1,"a":{"`+n+`":true},"mode":"`+n+`","action":"`+n+`"}`),
			message(after, "bridge/groups", `[{"id":7,"friendly_name":"`+n+`"}]`),
			message(after, "bridge/devices", strings.NewReplacer(`"mystery"`, `"`+n+`"`, `"0xa4c1380000000005"`, `"0x`+n+`"`, `"Aqara"`, `"`+n+`"`, `"unit":"W"`, `"unit":"`+n+`"`).Replace(list(t))),
			message(after, "washer", `{"power":3,"current":-1e308}`))
	}
}
