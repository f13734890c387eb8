package function

import (
	"slices"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
)

// The power of a UPS is that of its load and its greatest power, unless one of them cannot
// be right.
func TestTheLoadOfAUPSIsItsPower(t *testing.T) {
	for payload, want := range map[string]string{
		`{"load_percentage":18,"max_power":1000}`:         "power_watts=180",
		`{"load_percentage":" 18 %","max_power":"1.5kW"}`: "power_watts=270",
		`{"load_percentage":0,"max_power":1000}`:          "power_watts=0",
		`{"load_percentage":200,"max_power":1000}`:        "",
		`{"load_percentage":-1,"max_power":1000}`:         "",
		`{"load_percentage":18,"max_power":-5}`:           "",
		`{"load_percentage":18,"max_power":4294967295}`:   "",
		`{"load_percentage":null,"max_power":1000}`:       "",
		`{"load_percentage":18}`:                          "",
	} {
		f := batchtest.Serve(t, New, batchtest.SQLite(t))
		if a := f.Post(t, message(0, "ups/one", payload)); len(a.Rejected) > 0 {
			t.Errorf("%s: %+v", payload, a.Rejected)
		}
		fields := strings.FieldsFunc(strings.Join(f.Lines(t, "ups"), ""), func(r rune) bool { return r == ',' || r == ' ' })
		if i := slices.IndexFunc(fields, func(s string) bool { return strings.HasPrefix(s, "power_watts=") }); want == "" != (i < 0) || i >= 0 && fields[i] != want {
			t.Errorf("%s: %v, want %q", payload, fields, want)
		}
	}
}
