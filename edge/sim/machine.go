package sim

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strconv"
	"sync"
	"time"

	"periph.io/x/conn/v3/i2c"

	"github.com/hearth-home/hearth/edge/driver"
)

// machine has a simulated sensor for each that is opened, by its number. The
// drivers are the real ones and hear the same bytes.
type machine struct {
	ctx   context.Context
	clock driver.Clock

	mu    sync.Mutex
	uarts map[int]*Serial
	buses map[string]*Bus
	hosts map[int]string
	files map[int]files
}

type files struct {
	fs    fs.FS
	space func(mount string) (size, free uint64, err error)
}

// NewMachine returns a machine whose sensors are simulated, with a clock of their own,
// so that half a minute of warm-up need not be waited for. The servers of its network
// sensors end with ctx.
func NewMachine(ctx context.Context, clock driver.Clock) *driver.Machine {
	m := &machine{
		ctx: ctx, clock: clock,
		uarts: map[int]*Serial{}, buses: map[string]*Bus{}, hosts: map[int]string{}, files: map[int]files{},
	}
	return &driver.Machine{
		Serial: m.serial, I2C: m.i2c, Host: m.host, Files: m.filesOf,
		Clock: m.clock, Air: driver.NewAir(), Simulated: true,
		State: driver.StateStore{Now: func() (time.Time, bool) { return m.clock.Now(), false }},
	}
}

func seed(s driver.Sensor) uint64 { return uint64(s.Number) + 1 }

// noClose is a port that outlives its users.
type noClose struct{ *Serial }

func (noClose) Close() error { return nil }

func (m *machine) serial(s driver.Sensor, _ string) (io.ReadWriteCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.uarts[s.Number] == nil {
		sim := simulators[s.Kind.Name]
		if sim.uart == nil {
			return nil, fmt.Errorf("no simulated %s is serial", s.Kind.Name)
		}
		m.uarts[s.Number] = NewSerial(sim.uart(seed(s)), m.clock)
	}
	return noClose{m.uarts[s.Number]}, nil
}

// i2c gives each sensor a bus of its own, where its chip is at every address. Only
// sensors that share chips share the bus.
func (m *machine) i2c(s driver.Sensor, name string) (i2c.Bus, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	sim := simulators[s.Kind.Name]
	if sim.chip == nil {
		return nil, fmt.Errorf("no simulated %s is on I2C", s.Kind.Name)
	}
	key := strconv.Itoa(s.Number)
	if sim.shared {
		key = s.Kind.Name + " " + name
	}
	if m.buses[key] == nil {
		b, first := NewBus(m.clock), seed(s)
		b.newChip = func(addr uint16) Chip { return sim.chip(first + uint64(addr)) }
		m.buses[key] = b
	}
	return m.buses[key], nil
}

// host starts a server for a network sensor.
func (m *machine) host(s driver.Sensor) (string, int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.hosts[s.Number] == "" {
		sim := simulators[s.Kind.Name]
		if sim.server == nil {
			return unreachable()
		}
		at, _, err := sim.server(seed(s), m.clock).Serve(m.ctx, "127.0.0.1:0")
		if err != nil {
			return unreachable()
		}
		m.hosts[s.Number] = at
	}
	host, port, _ := net.SplitHostPort(m.hosts[s.Number])
	n, _ := strconv.Atoi(port)
	return host, n
}

// nobody is an address at which nobody answers; the driver's error says so.
func unreachable() (string, int) { return "127.0.0.1", 9 }

func (m *machine) filesOf(s driver.Sensor) (fs.FS, func(string) (uint64, uint64, error)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, ok := m.files[s.Number]
	if sim := simulators[s.Kind.Name]; !ok && sim.files != nil {
		f = sim.files(seed(s), m.clock)
		m.files[s.Number] = f
	}
	return f.fs, f.space
}
