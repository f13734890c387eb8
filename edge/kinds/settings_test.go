package kinds

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/secret"
)

func TestSettingsComeFromTheEnvironment(t *testing.T) {
	for _, tt := range []struct{ kind, vars, want string }{
		{"sds011", "PORT=/dev/x", "Port=/dev/x DutyCycle=true WarmUp=30s Samples=5"},
		{"pms5003", "PORT=/dev/x DUTY_CYCLE=false", "DutyCycle=false WarmUp=30s"},
		{"mhz19b", "PORT=/dev/x ABC=off RANGE=2000", "ABC=off Range=2000 WarmUp=3m0s"},
		{"scd4x", "ALTITUDE=430", "Bus=1 Altitude=430 TemperatureOffset=4 ASC=keep"},
		{"bme280", "ADDRESS=0x77 BUS=3", "Address=0x77 Bus=3"},
		{"sgp30", "NEAR=hall", "Near=hall Samples=60"},
		{"soil", "DRY=2.71 WET=1.3", "Address=0x48 Dry=2.71 Samples=9"},
		{"dht22", "", "Name=dht11 Root=/"},
		{"nut", "HOST=ups.lan", "Host=ups.lan Port=3493 Timeout=5s"},
		{"kasa", "HOST=plug.lan", "Host=plug.lan Port=9999 KLAPPort=80"},
		{"host", "MOUNTS=/mnt/data", "Mounts=[/mnt/data] NVIDIASMI=nvidia-smi"},
	} {
		vars := map[string]string{"SENSOR_0_KIND": tt.kind, "SENSOR_0_DEVICE": "a"}
		for _, v := range strings.Fields(tt.vars) {
			name, value, _ := strings.Cut(v, "=")
			vars["SENSOR_0_"+name] = value
		}
		got, err := Parse(vars, secret.NewFolder(t.TempDir()), true)
		if err != nil {
			t.Errorf("%s: %v", tt.kind, err)
			continue
		}
		for _, w := range strings.Fields(tt.want) {
			name, want, _ := strings.Cut(w, "=")
			f := reflect.ValueOf(got[0].Settings).Elem().FieldByName(name)
			if !f.IsValid() || fmt.Sprint(f) != want {
				t.Errorf("%s: %s is %v, want %s", tt.kind, name, f, want)
			}
		}
	}
}
