package kinds

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/sim"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/secret"
)

func TestEverySimulatedKindIsReadByItsRealDriver(t *testing.T) {
	sensors, err := Parse(sim.OneOfEach(), secret.NewFolder(t.TempDir()), true)
	if err != nil || len(sensors) != len(Names()) {
		t.Fatalf("%d sensors, %v; want one of each of the %d kinds", len(sensors), err, len(Names()))
	}
	for _, s := range sensors {
		t.Run(s.Kind.Name, func(t *testing.T) {
			t.Parallel()
			o, err := s.Open(sim.NewMachine(t.Context(), sim.NewVirtual()))
			if err != nil {
				t.Fatal(err)
			}
			defer o.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			got, err := o.Read(ctx)
			if err != nil || len(got.Fields) == 0 {
				t.Fatalf("read %+v, %v", got, err)
			}
			if err := got.CheckKeys(); err != nil {
				t.Error(err)
			}
			if c, ok := o.Reader.(driver.Counter); !ok || c.Counts().Frames == 0 {
				t.Error("the driver does not count its frames")
			}
		})
	}
}

func TestTheCatalogueNamesExactlyTheKinds(t *testing.T) {
	declared := map[string]bool{}
	for _, m := range catalogue.All() {
		for _, k := range m.Kinds {
			if declared[k] {
				t.Errorf("%s belongs to two measurements", k)
			}
			declared[k] = true
		}
	}
	for _, k := range All() {
		if k.Measurement() == "" {
			t.Errorf("no measurement of the catalogue names %s", k.Name)
		}
		delete(declared, k.Name)
	}
	for k := range declared {
		t.Errorf("the catalogue names %s, which is not a kind", k)
	}
}

// Every kind has a page in docs/sensors, which names all its settings.
func TestEveryKindHasAPage(t *testing.T) {
	index, err := os.ReadFile("../../docs/edge.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range All() {
		name := "sensors/" + k.Name + ".md"
		if !strings.Contains(string(index), "("+name+")") {
			t.Errorf("docs/edge.md has no link to %s", name)
		}
		page, err := os.ReadFile("../../docs/" + name)
		if err != nil {
			t.Error(err)
			continue
		}
		params, err := env.GetFieldParams(k.Settings())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range params {
			if !strings.Contains(string(page), "`"+p.Key+"`") {
				t.Errorf("docs/%s does not name %s", name, p.Key)
			}
		}
	}
}

func TestParseNamesAllMistakesAtOnce(t *testing.T) {
	_, err := Parse(map[string]string{
		"SENSOR_0_KIND": "sds011", "SENSOR_0_DEVICE": "Büro",
		"SENSOR_1_KIND": "bme820", "SENSOR_1_DEVICE": "a",
		"SENSOR_3_KIND": "host", "SENSOR_3_DEVICE": "b", "SENSOR_3_INTERVALL": "5s", "SENSOR_3_EVERY": "often",
		"SENSOR_4_KIND": "mhz19b", "SENSOR_4_DEVICE": "b", "SENSOR_4_PORT": "/dev/x", "SENSOR_4_RANGE": "3000",
		"SENSOR_5_KIND": "sds011", "SENSOR_5_DEVICE": "c", "SENSOR_5_PORT": "/dev/y", "SENSOR_5_INTERVAL": "30s",
		"SENSOR_6_KIND": "nut", "SENSOR_6_DEVICE": "stored",
		"SENSOR_KIND": "x",
	}, secret.NewFolder(t.TempDir()), false)
	if err == nil {
		t.Fatal("the mistakes were accepted")
	}
	for _, want := range []string{
		"SENSOR_0_PORT", "SENSOR_0_DEVICE", "SENSOR_1_KIND", "SENSOR_3_INTERVALL", `SENSOR_3_EVERY is "often": write a duration such as 90s`,
		"SENSOR_4_DEVICE: b is already the device of SENSOR_3", "RANGE is 3000", "SENSOR_5_INTERVAL", "SENSOR_6_DEVICE", "SENSOR_KIND",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not named in\n%v", want, err)
		}
	}
}

func TestSensorsMayBeNumberedWithGaps(t *testing.T) {
	got, err := Parse(map[string]string{
		"SENSOR_2_KIND": "host", "SENSOR_2_DEVICE": "pi",
		"SENSOR_11_KIND": "bme280", "SENSOR_11_DEVICE": "air", "SENSOR_11_INTERVAL": "5s", "SENSOR_11_ADDRESS": "0x77",
	}, secret.NewFolder(t.TempDir()), false)
	if err != nil || len(got) != 2 || got[1].Number != 11 || got[1].Every != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestASettingNamesASecretAndPrintsNone(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "kasa"), []byte("hunter2-hunter2\n"), 0o600)
	got, err := Parse(map[string]string{
		"SENSOR_0_KIND": "kasa", "SENSOR_0_DEVICE": "plug", "SENSOR_0_HOST": "10.0.0.9", "SENSOR_0_PASSWORD": "kasa",
	}, secret.NewFolder(dir), false)
	if err != nil {
		t.Fatal(err)
	}
	if p := reflect.ValueOf(got[0].Settings).Elem().FieldByName("Password").Interface().(secret.String); p.Reveal() != "hunter2-hunter2" {
		t.Error("the secret was not found")
	}
	if text := fmt.Sprintf("%+v %+v", got[0], got[0].Settings); strings.Contains(text, "hunter2") {
		t.Error("printing the settings prints the secret")
	}
}

func TestAnSGP30IsMeasuredEverySecond(t *testing.T) {
	vars := map[string]string{"SENSOR_0_KIND": "sgp30", "SENSOR_0_DEVICE": "air", "SENSOR_0_INTERVAL": "2m"}
	got, err := Parse(vars, secret.NewFolder(t.TempDir()), false)
	if err != nil {
		t.Fatal(err)
	}
	if n := reflect.ValueOf(got[0].Settings).Elem().FieldByName("Samples").Int(); n != 120 || got[0].Deadline < 2*time.Minute {
		t.Errorf("%d samples within %v, want one a second of the interval", n, got[0].Deadline)
	}
}

func TestAMissingPortIsNamedWithAHint(t *testing.T) {
	vars := map[string]string{"SENSOR_0_KIND": "sds011", "SENSOR_0_DEVICE": "a", "SENSOR_0_PORT": filepath.Join(t.TempDir(), "usb-none")}
	s, err := Parse(vars, secret.NewFolder(t.TempDir()), false)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s[0].Open(Real(t.TempDir(), nil))
	if err == nil || !strings.Contains(err.Error(), "plugged in") || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("err = %v", err)
	}
}

func TestOneOfEachHasOnlySensorSettings(t *testing.T) {
	vars := sim.OneOfEach()
	for k := range maps.Keys(vars) {
		if !variable.MatchString(k) {
			t.Errorf("%s is not a setting of a sensor", k)
		}
	}
}
