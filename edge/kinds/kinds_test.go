package kinds

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/sgp30"
	"github.com/hearth-home/hearth/shared/secret"
)

func TestEverySimulatedKindIsReadByItsRealDriver(t *testing.T) {
	m := Simulated(t.Context(), 200)
	sensors, err := Parse(House(), secret.NewFolder(t.TempDir()), true)
	if err != nil || len(sensors) != len(Names()) {
		t.Fatalf("%d sensors, %v; want one of each of the %d kinds", len(sensors), err, len(Names()))
	}
	for _, s := range sensors {
		t.Run(s.Kind, func(t *testing.T) {
			t.Parallel()
			o, err := s.Open(m)
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
			if err := got.Check(); err != nil {
				t.Error(err)
			}
		})
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
		t.Fatal("all was taken")
	}
	for _, want := range []string{
		"SENSOR_0_PORT", "SENSOR_0_DEVICE", "SENSOR_1_KIND", "SENSOR_3_INTERVALL", "SENSOR_3_EVERY",
		"SENSOR_4_DEVICE: b is SENSOR_3", "RANGE is 3000", "SENSOR_5_INTERVAL", "SENSOR_6_DEVICE", "SENSOR_KIND",
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

func TestSecretsAreNamedNotWritten(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "kasa"), []byte("hunter2-hunter2\n"), 0o600)
	got, err := Parse(map[string]string{
		"SENSOR_0_KIND": "kasa", "SENSOR_0_DEVICE": "plug", "SENSOR_0_HOST": "10.0.0.9", "SENSOR_0_PASSWORD": "kasa",
	}, secret.NewFolder(dir), false)
	if err != nil {
		t.Fatal(err)
	}
	if p := got[0].Options.(*kasaOptions).Password.Reveal(); p != "hunter2-hunter2" {
		t.Error("the secret was not found")
	}
	if text := fmt.Sprintf("%+v %+v", got[0], got[0].Options); strings.Contains(text, "hunter2") {
		t.Error("printing the settings prints the secret")
	}
}

func TestAnSGP30IsMeasuredAllTheTime(t *testing.T) {
	vars := map[string]string{"SENSOR_0_KIND": "sgp30", "SENSOR_0_DEVICE": "air", "SENSOR_0_INTERVAL": "2m"}
	got, err := Parse(vars, secret.NewFolder(t.TempDir()), false)
	if err != nil {
		t.Fatal(err)
	}
	if o := got[0].Options.(*sgp30Options); o.Samples != 120 || got[0].Deadline < 2*time.Minute {
		t.Errorf("%d samples within %v, want one a second of the interval", o.Samples, got[0].Deadline)
	}
}

func TestAirIsGoodAndFreshOrNotKnown(t *testing.T) {
	a := NewAir()
	humidity := a.Humidity("room")
	bad := driver.New()
	bad.Fields["humidity_percent"] = 99
	bad.Flag(driver.Suspect, "wet")
	a.Note("room", bad)
	if _, ok := humidity(); ok {
		t.Error("a suspect value was used")
	}
	good := driver.New()
	good.Fields["humidity_percent"] = 41
	a.Note("room", good)
	if v, ok := humidity(); !ok || v != 41 {
		t.Errorf("got %v, %v", v, ok)
	}
	if a.Humidity("") != nil || a.Climate("") != nil {
		t.Error("without a neighbour there must be no function: the driver asks for nil")
	}
}

func TestBaselineOutlivesARestartButNotWithoutAClock(t *testing.T) {
	trusted, now := true, time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
	wrote := 0
	b := Baselines{Dir: t.TempDir(), Now: func() (time.Time, bool) { return now, trusted }, Wrote: func(n int) { wrote += n }}
	b.Save(sgp30.Baseline{Serial: "0a", ECO2: 1, TVOC: 2})
	if got, ok := b.Load("0a"); !ok || got.ECO2 != 1 || got.TVOC != 2 || !got.At.Equal(now) || wrote == 0 {
		t.Errorf("got %+v, %v, %d bytes", got, ok, wrote)
	}
	trusted, now = false, time.Unix(100, 0)
	if got, ok := b.Load("0a"); !ok || !got.At.Equal(now) {
		t.Errorf("before the clock is set: %+v, %v; its age is not known", got, ok)
	}
	b.Save(sgp30.Baseline{Serial: "0b"})
	if _, ok := b.Load("0b"); ok {
		t.Error("a baseline without a date was kept")
	}
}

func TestAPortThatIsMissingSaysSo(t *testing.T) {
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

func TestHouseIsValid(t *testing.T) {
	vars := House()
	for k := range maps.Keys(vars) {
		if !variable.MatchString(k) {
			t.Errorf("%s is no sensor's setting", k)
		}
	}
}
