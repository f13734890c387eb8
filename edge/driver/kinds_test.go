package driver_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/hearth-home/hearth/edge/bme280"
	"github.com/hearth-home/hearth/edge/dht22"
	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/host"
	"github.com/hearth-home/hearth/edge/kasa"
	"github.com/hearth-home/hearth/edge/mhz19b"
	"github.com/hearth-home/hearth/edge/nut"
	"github.com/hearth-home/hearth/edge/pms5003"
	"github.com/hearth-home/hearth/edge/scd4x"
	"github.com/hearth-home/hearth/edge/sds011"
	"github.com/hearth-home/hearth/edge/sgp30"
	"github.com/hearth-home/hearth/edge/soil"
	"github.com/hearth-home/hearth/shared/secret"
)

type kind interface {
	driver.Reader
	driver.Counter
}

var (
	_ kind = (*bme280.Dev)(nil)
	_ kind = (*dht22.Dev)(nil)
	_ kind = (*host.Dev)(nil)
	_ kind = (*kasa.Dev)(nil)
	_ kind = (*mhz19b.Dev)(nil)
	_ kind = (*nut.Dev)(nil)
	_ kind = (*pms5003.Dev)(nil)
	_ kind = (*scd4x.Dev)(nil)
	_ kind = (*sds011.Dev)(nil)
	_ kind = (*sgp30.Dev)(nil)
	_ kind = (*soil.Dev)(nil)
)

// parse fills a kind's settings as an agent does.
func parse[T any](t *testing.T, vars map[string]string) T {
	t.Helper()
	prefixed := map[string]string{}
	for k, v := range vars {
		prefixed["SENSOR_0_"+k] = v
	}
	c, err := env.ParseAsWithOptions[T](env.Options{
		Environment: prefixed, Prefix: "SENSOR_0_",
		FuncMap: map[reflect.Type]env.ParserFunc{
			reflect.TypeFor[secret.String](): func(name string) (any, error) { return secret.NewFolder("/nowhere").Get(name), nil },
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSettingsComeFromTheEnvironment(t *testing.T) {
	if c := parse[sds011.Config](t, nil); !c.DutyCycle || c.WarmUp != 30*time.Second || c.Samples != 5 {
		t.Errorf("sds011: %+v", c)
	}
	if c := parse[pms5003.Config](t, map[string]string{"DUTY_CYCLE": "false"}); c.DutyCycle || c.WarmUp != 30*time.Second {
		t.Errorf("pms5003: %+v", c)
	}
	if c := parse[mhz19b.Config](t, map[string]string{"ABC": "off", "RANGE": "2000"}); c.ABC != "off" || c.Range != 2000 || c.WarmUp != 3*time.Minute {
		t.Errorf("mhz19b: %+v", c)
	}
	if c := parse[scd4x.Config](t, map[string]string{"ALTITUDE": "430"}); c.Altitude != 430 || c.TemperatureOffset != 4 || c.ASC != "keep" {
		t.Errorf("scd4x: %+v", c)
	}
	if c := parse[bme280.Config](t, map[string]string{"ADDRESS": "0x77"}); c.Address != 0x77 {
		t.Errorf("bme280: %+v", c)
	}
	if c := parse[sgp30.Config](t, nil); c.Samples != 60 {
		t.Errorf("sgp30: %+v", c)
	}
	if c := parse[soil.Config](t, map[string]string{"DRY": "2.71"}); c.Address != 0x48 || c.Dry != 2.71 || c.Samples != 9 {
		t.Errorf("soil: %+v", c)
	}
	if c := parse[dht22.Config](t, nil); c.Name != "dht11" || c.Root != "/" {
		t.Errorf("dht22: %+v", c)
	}
	if c := parse[nut.Config](t, map[string]string{"HOST": "ups.lan"}); c.Host != "ups.lan" || c.Port != 3493 || c.Timeout != 5*time.Second {
		t.Errorf("nut: %+v", c)
	}
	if c := parse[kasa.Config](t, map[string]string{"HOST": "plug.lan", "PASSWORD": "kasa-password"}); c.Port != 9999 || c.KLAPPort != 80 || c.Password.Name() != "kasa-password" {
		t.Errorf("kasa: %+v", c)
	}
	if c := parse[host.Config](t, map[string]string{"MOUNTS": "/,/mnt/data"}); len(c.Mounts) != 2 || c.NVIDIASMI != "nvidia-smi" {
		t.Errorf("host: %+v", c)
	}
}
