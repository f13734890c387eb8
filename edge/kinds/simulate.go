package kinds

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"periph.io/x/conn/v3/i2c"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/scd4x"
	"github.com/hearth-home/hearth/edge/sgp30"
	"github.com/hearth-home/hearth/edge/sim"
)

// Simulator has a simulated sensor for each real one that is asked for. The
// drivers are the real ones and hear the same bytes.
type Simulator struct {
	ctx   context.Context
	clock driver.Clock
	mu    sync.Mutex
	uarts map[int]*sim.Serial
	buses map[string]*sim.Bus
	chips map[string]bool
	hosts map[int]string
	files map[int]*sim.Host
	dht   map[int]*sim.DHT22
}

// Simulated is a machine without hardware. Its sensors' clock runs speed times
// as fast, so that half a minute of warm-up need not be waited for. It ends with
// ctx.
func Simulated(ctx context.Context, speed float64) *Machine {
	m := &Simulator{
		ctx: ctx, clock: sim.NewFast(speed),
		uarts: map[int]*sim.Serial{}, buses: map[string]*sim.Bus{}, chips: map[string]bool{},
		hosts: map[int]string{}, files: map[int]*sim.Host{}, dht: map[int]*sim.DHT22{},
	}
	return &Machine{
		Serial: m.serial, I2C: m.i2c, Host: m.host, Files: m.filesOf,
		Clock: m.clock, Air: NewAir(), Simulated: true,
		Baselines: Baselines{Now: func() (time.Time, bool) { return m.clock.Now(), false }},
	}
}

// House lists one sensor of each kind.
func House() map[string]string {
	vars := map[string]string{}
	for i, s := range [][]string{
		{"sds011", "office-dust", "PORT=sim", "NEAR=office-climate"},
		{"pms5003", "workshop-dust", "PORT=sim"},
		{"mhz19b", "bedroom-co2", "PORT=sim"},
		{"scd4x", "office-air", "NEAR=office-climate"},
		{"bme280", "office-climate"},
		{"sgp30", "kitchen-air", "NEAR=office-climate"},
		{"soil", "basil-soil", "DRY=2.7", "WET=1.3"},
		{"dht22", "cellar-climate"},
		{"kasa", "desk-plug", "HOST=sim"},
		{"nut", "rack-ups"},
		{"host", "rack-pi"},
	} {
		prefix := fmt.Sprintf("SENSOR_%d_", i)
		vars[prefix+"KIND"], vars[prefix+"DEVICE"], vars[prefix+"INTERVAL"], vars[prefix+"EVERY"] = s[0], s[1], "5s", "0s"
		for _, o := range s[2:] {
			name, value, _ := strings.Cut(o, "=")
			vars[prefix+name] = value
		}
	}
	return vars
}

func seed(s Sensor) uint64 { return uint64(s.Number) + 1 }

// noClose is a port that outlives its users.
type noClose struct{ *sim.Serial }

func (noClose) Close() error { return nil }

func (m *Simulator) serial(s Sensor, _ string) (io.ReadWriteCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.uarts[s.Number] == nil {
		var dev sim.UART
		switch s.Kind {
		case "sds011":
			dev = sim.NewSDS011(seed(s))
		case "pms5003":
			dev = sim.NewPMS5003(seed(s))
		case "mhz19b":
			dev = sim.NewMHZ19B(seed(s))
		default:
			return nil, fmt.Errorf("no simulated %s is serial", s.Kind)
		}
		m.uarts[s.Number] = sim.NewSerial(dev, m.clock)
	}
	return noClose{m.uarts[s.Number]}, nil
}

// i2c gives each sensor a bus of its own, except that the probes of one
// converter share it.
func (m *Simulator) i2c(s Sensor, name string) (i2c.Bus, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var addr uint16
	key := strconv.Itoa(s.Number)
	switch o := s.Options.(type) {
	case *scd4xOptions:
		addr = scd4x.Addr
	case *sgp30Options:
		addr = sgp30.Addr
	case *bme280Options:
		addr = uint16(o.Address)
	case *soilOptions:
		addr, key = uint16(o.Address), "soil "+name+o.Address.String()
	}
	if m.buses[key] == nil {
		var chip sim.Chip
		switch s.Kind {
		case "scd4x":
			chip = sim.NewSCD4x(seed(s))
		case "sgp30":
			chip = sim.NewSGP30(seed(s))
		case "bme280":
			chip = sim.NewBME280(seed(s))
		case "soil":
			chip = sim.NewADS1115(seed(s))
		default:
			return nil, fmt.Errorf("no simulated %s is on I2C", s.Kind)
		}
		m.buses[key] = sim.NewBus(m.clock).Add(addr, chip)
	}
	return m.buses[key], nil
}

// host starts a server for a network sensor.
func (m *Simulator) host(s Sensor) (string, int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.hosts[s.Number] == "" {
		var at string
		var err error
		switch o := s.Options.(type) {
		case *kasaOptions:
			at, _, err = sim.NewKasa(0, seed(s), m.clock).Serve(m.ctx, "127.0.0.1:0")
		case *nutOptions:
			at, _, err = sim.NewNUT(cmp.Or(o.UPS, "ups"), seed(s), m.clock).Serve(m.ctx, "127.0.0.1:0")
		}
		if err != nil {
			return "127.0.0.1", 9 // the driver's error will say that nobody answers
		}
		m.hosts[s.Number] = at
	}
	host, port, _ := net.SplitHostPort(m.hosts[s.Number])
	n, _ := strconv.Atoi(port)
	return host, n
}

func (m *Simulator) filesOf(s Sensor) (fs.FS, func(string) (uint64, uint64, error)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.Kind == "dht22" {
		if m.dht[s.Number] == nil {
			m.dht[s.Number] = sim.NewDHT22(seed(s), m.clock)
		}
		return m.dht[s.Number], nil
	}
	if m.files[s.Number] == nil {
		m.files[s.Number] = sim.NewHost(seed(s), m.clock)
	}
	return m.files[s.Number], m.files[s.Number].Statfs
}
