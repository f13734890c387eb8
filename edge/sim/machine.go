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

// machine makes a simulated sensor when a sensor is first opened, by the sensor's number.
// The real drivers read it, with the same bytes as from hardware.
type machine struct {
	ctx   context.Context
	clock driver.Clock
	fail  *Switch

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

// NewMachine returns a machine with simulated sensors. They use clock, so that half a
// minute of warm-up need not take half a minute. Its servers for network sensors stop when
// ctx ends.
func NewMachine(ctx context.Context, clock driver.Clock) *driver.Machine {
	return NewFailing(ctx, clock, nil)
}

// NewFailing is NewMachine with a switch that makes the sensors fail.
func NewFailing(ctx context.Context, clock driver.Clock, fail *Switch) *driver.Machine {
	m := &machine{
		ctx: ctx, clock: clock, fail: fail,
		uarts: map[int]*Serial{}, buses: map[string]*Bus{}, hosts: map[int]string{}, files: map[int]files{},
	}
	return &driver.Machine{
		Serial: m.serial, I2C: m.i2c, Host: m.host, Files: m.filesOf,
		Clock: m.clock, Air: driver.NewAir(), Simulated: true,
		State: driver.StateStore{Now: func() (time.Time, bool) { return m.clock.Now(), false }},
	}
}

func seed(s driver.Sensor) uint64 { return uint64(s.Number) + 1 }

// noClose is a port that stays open, for the next user, after Close.
type noClose struct{ *Serial }

func (noClose) Close() error { return nil }

func (m *machine) serial(s driver.Sensor, _ string) (io.ReadWriteCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.uarts[s.Number] == nil {
		sim := simulators[s.Kind.Name]
		if sim.uart == nil {
			return nil, fmt.Errorf("there is no simulated %s on a serial port", s.Kind.Name)
		}
		uart := sim.uart(seed(s))
		m.fail.add(s.Device, uart)
		m.uarts[s.Number] = NewSerial(uart, m.clock)
	}
	return noClose{m.uarts[s.Number]}, nil
}

// i2c returns a separate bus for each sensor, with its chip at every address. Sensors
// that can share a chip, such as soil probes, share the bus.
func (m *machine) i2c(s driver.Sensor, name string) (i2c.Bus, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	sim := simulators[s.Kind.Name]
	if sim.chip == nil {
		return nil, fmt.Errorf("there is no simulated %s on I2C", s.Kind.Name)
	}
	key := strconv.Itoa(s.Number)
	if sim.shared {
		key = s.Kind.Name + " " + name
	}
	if m.buses[key] == nil {
		b, first := NewBus(m.clock), seed(s)
		b.newChip = func(addr uint16) Chip {
			c := sim.chip(first + uint64(addr))
			m.fail.add(s.Device, c)
			return c
		}
		m.buses[key] = b
	}
	return m.buses[key], nil
}

// host starts a server for a network sensor and returns its address.
func (m *machine) host(s driver.Sensor) (string, int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.hosts[s.Number] == "" {
		sim := simulators[s.Kind.Name]
		if sim.server == nil {
			return unreachable()
		}
		made := sim.server(seed(s), m.clock)
		m.fail.add(s.Device, made)
		at, _, err := made.Serve(m.ctx, "127.0.0.1:0")
		if err != nil {
			return unreachable()
		}
		m.hosts[s.Number] = at
	}
	host, port, _ := net.SplitHostPort(m.hosts[s.Number])
	n, _ := strconv.Atoi(port)
	return host, n
}

// unreachable returns an address without a server; the driver's error names it.
func unreachable() (string, int) { return "127.0.0.1", 9 }

func (m *machine) filesOf(s driver.Sensor) (fs.FS, func(string) (uint64, uint64, error)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, ok := m.files[s.Number]
	if sim := simulators[s.Kind.Name]; !ok && sim.files != nil {
		f = sim.files(seed(s), m.clock)
		m.fail.add(s.Device, f.fs)
		m.files[s.Number] = f
	}
	return f.fs, f.space
}
