package kasa

import (
	"context"
	"maps"
	"math"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/sim"
	"github.com/hearth-home/hearth/shared/secret"
)

// served starts the server of a simulated plug and returns its port.
func served(t *testing.T, serve func(ctx context.Context, addr string) (string, <-chan struct{}, error)) int {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	addr, done, err := serve(ctx, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); <-done })
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func open(t *testing.T, cfg Config) *dev {
	t.Helper()
	cfg.Host, cfg.Timeout = "127.0.0.1", 5*time.Second
	d, err := newDev(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func legacyDev(t *testing.T, plug *sim.Kasa, cfg Config) *dev {
	t.Helper()
	cfg.Protocol, cfg.Port = "legacy", served(t, plug.Serve)
	return open(t, cfg)
}

// klapDev returns a plug with KLAP, the user user@example.com and the password "secret".
func klapDev(t *testing.T, plug *sim.Kasa, how sim.KLAP, cfg Config) *dev {
	t.Helper()
	how.Username, how.Password = "user@example.com", "secret"
	cfg.KLAPPort = served(t, func(ctx context.Context, addr string) (string, <-chan struct{}, error) {
		return plug.ServeKLAP(ctx, addr, how)
	})
	cfg.Protocol, cfg.Username, cfg.Password = "klap", "user@example.com", password(t, "secret")
	return open(t, cfg)
}

func password(t *testing.T, value string) secret.String {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "kasa-password"), []byte(value+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return secret.NewFolder(dir).Get("kasa-password")
}

// plausible fails t unless s is a sample of a simulated plug.
func plausible(t *testing.T, s driver.Sample) {
	t.Helper()
	f := s.Fields
	if s.Quality != driver.OK || s.CheckKeys() != nil || f["power_watts"] < 30 || f["power_watts"] > 95 ||
		math.Abs(f["voltage_volts"]-230) > 4 || math.Abs(f["current_amperes"]*f["voltage_volts"]-f["power_watts"]) > 1 ||
		f["on"] != 1 || f["signal_dbm"] >= 0 || s.Text["alias"] == "" {
		t.Errorf("not a sample of the plug: %+v, %v", s, s.CheckKeys())
	}
}

func TestEveryProtocolAndUnitGivesTheSameNumbers(t *testing.T) {
	for _, how := range []string{"legacy", "KLAP 1", "KLAP 2, old commands", "KLAP 2"} {
		for _, old := range []bool{false, true} {
			name := how + ", new units"
			if old {
				name = how + ", old units"
			}
			t.Run(name, func(t *testing.T) {
				plug := sim.NewKasa(0, 1, sim.NewVirtual())
				plug.OldUnits = old
				d := map[string]func() *dev{
					"legacy":               func() *dev { return legacyDev(t, plug, Config{}) },
					"KLAP 1":               func() *dev { return klapDev(t, plug, sim.KLAP{Version: 1}, Config{}) },
					"KLAP 2, old commands": func() *dev { return klapDev(t, plug, sim.KLAP{Version: 2}, Config{}) },
					"KLAP 2":               func() *dev { return klapDev(t, plug, sim.KLAP{Version: 2, Smart: true}, Config{}) },
				}[how]()
				for range 2 {
					s, err := d.Read(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					if how == "KLAP 2" && old { // such a meter knows only power and the day's energy
						if s.Fields["power_watts"] < 30 || s.Fields["today_energy_kwh"] != 0.412 {
							t.Errorf("got %+v", s)
						}
						continue
					}
					plausible(t, s)
					if s.Fields["energy_kwh"] < 100 {
						t.Errorf("energy is %v", s.Fields["energy_kwh"])
					}
				}
			})
		}
	}
}

func TestStrips(t *testing.T) {
	for name, setUp := range map[string]func(*testing.T, *sim.Kasa, Config) *dev{
		"legacy": legacyDev,
		"KLAP 1": func(t *testing.T, k *sim.Kasa, c Config) *dev { return klapDev(t, k, sim.KLAP{Version: 1}, c) },
		"KLAP 2": func(t *testing.T, k *sim.Kasa, c Config) *dev {
			return klapDev(t, k, sim.KLAP{Version: 2, Smart: true}, c)
		},
	} {
		t.Run(name, func(t *testing.T) {
			strip := sim.NewKasa(3, 1, sim.NewVirtual())
			s, err := setUp(t, strip, Config{}).Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			f := s.Fields
			if sum := f["socket_1_power_watts"] + f["socket_2_power_watts"] + f["socket_3_power_watts"]; math.Abs(f["power_watts"]-sum) > 0.01 || sum < 60 {
				t.Errorf("power %v, sockets %v", f["power_watts"], sum)
			}
			if f["socket_1_power_watts"] <= f["socket_3_power_watts"] || f["socket_1_on"] != 1 || f["socket_2_on"] != 0 || f["on"] != 1 || s.CheckKeys() != nil {
				t.Errorf("got %v, %v", f, s.CheckKeys())
			}
			one, err := setUp(t, strip, Config{Socket: "2"}).Read(t.Context())
			if err != nil || one.Fields["power_watts"] != f["socket_2_power_watts"] || one.Fields["on"] != 0 {
				t.Errorf("socket 2: %+v, %v", one, err)
			}
			if _, err := setUp(t, strip, Config{Socket: "kettle"}).Read(t.Context()); err == nil || !strings.Contains(err.Error(), "kettle") {
				t.Errorf("socket kettle: %v", err)
			}
		})
	}
}

func TestAPlugWithoutAMeter(t *testing.T) {
	plug := sim.NewKasa(0, 1, sim.NewVirtual())
	plug.Unmetered = true
	for _, d := range []*dev{legacyDev(t, plug, Config{}), klapDev(t, plug, sim.KLAP{Version: 2, Smart: true}, Config{})} {
		s, err := d.Read(t.Context())
		if _, ok := s.Fields["power_watts"]; err != nil || ok || s.Quality != driver.OK || s.Fields["on"] != 1 {
			t.Errorf("got %+v, %v", s, err)
		}
	}
}

func TestTheEnergyCounterIsReportedAsItIs(t *testing.T) {
	plug := sim.NewKasa(0, 1, sim.NewVirtual())
	d := legacyDev(t, plug, Config{})
	if s, err := d.Read(t.Context()); err != nil || s.Fields["energy_kwh"] < 100 {
		t.Fatalf("got %+v, %v", s, err)
	}
	plug.Set(sim.WarmUp)
	if s, err := d.Read(t.Context()); err != nil || s.Fields["energy_kwh"] != 0.001 || s.Quality != driver.OK {
		t.Errorf("after a reset: %+v, %v", s, err)
	}
}

func TestFaultsOfTheLegacyProtocol(t *testing.T) {
	for name, tt := range map[string]struct {
		fault sim.Fault
		err   string
	}{
		"slow":                {sim.Slow, ""},
		"a closed connection": {sim.Unplugged, "EOF"},
		"a cut answer":        {sim.Torn, "EOF"},
		"foreign text":        {sim.Noise, "not the expected JSON"},
		"an error":            {sim.NACK, "not ready"},
	} {
		t.Run(name, func(t *testing.T) {
			plug := sim.NewKasa(0, 1, sim.NewFast(20))
			plug.Set(tt.fault)
			s, err := legacyDev(t, plug, Config{}).Read(t.Context())
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("got %+v, %v; want an error with %q", s, err, tt.err)
			}
		})
	}
}

func TestSettingsAreChecked(t *testing.T) {
	if _, err := newDev(Config{Protocol: "matter"}); err == nil {
		t.Error("the protocol matter was accepted")
	}
}

func TestImpossibleValuesAreFlaggedAndKept(t *testing.T) {
	for key, v := range map[string]float64{"power_watts": 5000, "voltage_volts": 0} {
		p := plug{outlet: outlet{values: map[string]float64{key: v}}}
		if s, err := p.sample(""); err != nil || s.Quality != driver.Suspect || s.Fields[key] != v {
			t.Errorf("%s = %v: %+v, %v", key, v, s, err)
		}
	}
}

func TestTheMetersOfRealPlugs(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no recordings", err)
	}
	want := map[string]map[string]float64{
		"hs110v1.json": {"power_watts": 7.677094, "voltage_volts": 118.917389, "current_amperes": 0.128037, "energy_kwh": 30.404},
		"hs110v4.json": {"power_watts": 61.753, "voltage_volts": 230.837, "current_amperes": 0.451, "energy_kwh": 16.323},
		"hs103.json":   {},
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		a, err := parseIOT(b)
		if got := a.Emeter.Realtime.values(); err != nil || !maps.Equal(got, want[filepath.Base(file)]) {
			t.Errorf("%s: %v, %v", file, got, err)
		}
	}
	if names := slices.Sorted(maps.Keys(want)); len(names) != len(files) {
		t.Errorf("recordings %v, wanted %v", files, names)
	}
}
