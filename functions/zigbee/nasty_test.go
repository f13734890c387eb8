package function

import (
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
)

// TestNothingThatIsSentCanBlockADatabase: PostgreSQL and InfluxDB refuse more
// than SQLite does, and what they refuse would come again for ever.
func TestNothingThatIsSentCanBlockADatabase(t *testing.T) {
	f := house(t, batchtest.Servers(t))
	for i, n := range []string{`\u0000`, "\xff\xfe", `\ud800`, `\n,= \\`, strings.Repeat("x", 300), `\"'`, "\U0001F3E0", "_field", "quality_code"} {
		after := time.Duration(i) * time.Second
		f.Post(t,
			message(after, "garage_temp", `{"temperature":1e300,"`+n+`":1,"a":{"`+n+`":true},"mode":"`+n+`","action":"`+n+`"}`),
			message(after, "bridge/groups", `[{"id":7,"friendly_name":"`+n+`"}]`),
			message(after, "bridge/devices", strings.NewReplacer(`"mystery"`, `"`+n+`"`, `"Aqara"`, `"`+n+`"`, `"unit":"W"`, `"unit":"`+n+`"`).Replace(list(t))),
			message(after, "washer", `{"power":3,"current":-1e308}`))
	}
}
