package sim

import (
	"encoding/binary"
	"math/rand/v2"
	"time"
)

// SDS011 is a Nova SDS011. It reports once a second while awake, keeps its settings, and
// accepts only the wake command while asleep.
type SDS011 struct {
	Faults
	rng         *rand.Rand
	pm25, extra wave
	still       frozen
	in          []byte
	out         [][]byte
	asleep      bool
	query       bool
	period      byte
	woke, next  time.Time
	// IgnoreSleeps is the number of sleep commands that it ignores, as a real sensor
	// sometimes does.
	IgnoreSleeps int
}

var _ = simulate("sds011", simulator{
	device: "office-dust", settings: []string{"PORT=sim", "NEAR=office-climate"},
	uart: func(seed uint64) UART { return NewSDS011(seed) },
})

// NewSDS011 returns a sensor that is awake and reports, as delivered by the factory.
func NewSDS011(seed uint64) *SDS011 {
	rng := newRand(seed)
	return &SDS011{rng: rng, pm25: newWave(rng, 9, 6), extra: newWave(rng, 5, 4)}
}

// Asleep reports whether the sensor is asleep and its fan is off.
func (s *SDS011) Asleep() bool { return s.asleep }

// SetQueryMode switches query mode on or off and sets the working period in minutes, as
// an earlier user of a sensor may have done.
func (s *SDS011) SetQueryMode(on bool, period byte) { s.query, s.period = on, period }

// Settings returns the settings that survive a power cut.
func (s *SDS011) Settings() (query bool, period byte) { return s.query, s.period }

func (s *SDS011) faultsOf() (*Faults, *rand.Rand) { return &s.Faults, s.rng }

// Receive parses commands of 19 bytes: AA B4, 15 bytes of data, checksum, AB.
func (s *SDS011) Receive(now time.Time, b []byte) {
	s.in = append(s.in, b...)
	for len(s.in) >= 19 {
		c := s.in[:19]
		if c[0] != 0xAA || c[1] != 0xB4 || c[18] != 0xAB || sum8(c[2:17]) != c[17] {
			s.in = s.in[1:]
			continue
		}
		s.command(now, c[2], c[3] == 1, c[4])
		s.in = s.in[19:]
	}
}

func (s *SDS011) command(now time.Time, cmd byte, set bool, value byte) {
	wake := cmd == 6 && set && value == 1
	if s.asleep && !wake {
		return
	}
	setting := byte(0)
	if set {
		setting = 1
	}
	switch cmd {
	case 2:
		if set {
			s.query = value == 1
		}
		s.reply(2, setting, flag(s.query), 0)
	case 4:
		s.out = append(s.out, s.data(now))
	case 6:
		s.power(now, set, value)
	case 7:
		s.reply(7, 15, 7, 10) // the firmware's date
	case 8:
		if set {
			s.period = value
		}
		s.reply(8, setting, s.period, 0)
	}
}

func (s *SDS011) power(now time.Time, set bool, value byte) {
	if set && value == 0 && s.IgnoreSleeps > 0 {
		s.IgnoreSleeps--
		return
	}
	if set && value == 1 && s.asleep {
		s.woke, s.next = now, now.Add(time.Second)
		s.out = append(s.out, []byte{0x00, byte(s.rng.IntN(256))}) // noise on the line at wake-up
	}
	if set {
		s.asleep = value == 0
	}
	s.reply(6, flag(set), flag(!s.asleep), 0)
}

// Transmit returns a reply, or the data frame of this second, or nil.
func (s *SDS011) Transmit(now time.Time) []byte {
	if len(s.out) > 0 {
		f := s.out[0]
		s.out = s.out[1:]
		return f
	}
	if s.asleep || s.query || now.Before(s.next) {
		return nil
	}
	s.next = now.Add(time.Second)
	return s.data(now)
}

func (s *SDS011) data(now time.Time) []byte {
	t := s.still.time(now, &s.Faults)
	pm25 := s.pm25.orHigh(130, &s.Faults, t)
	pm10 := pm25 + s.extra.at(t)
	switch {
	case !s.woke.IsZero() && now.Sub(s.woke) < 5*time.Second:
		pm25, pm10 = 0, 0 // no particle counted yet
	case s.has(WarmUp):
		pm25, pm10 = 999.9, 1999.9
	}
	var d [6]byte
	binary.LittleEndian.PutUint16(d[0:], uint16(pm25*10))
	binary.LittleEndian.PutUint16(d[2:], uint16(pm10*10))
	d[4], d[5] = 0xA1, 0x60
	return sdsFrame(0xC0, d)
}

func (s *SDS011) reply(d1, d2, d3, d4 byte) {
	s.out = append(s.out, sdsFrame(0xC5, [6]byte{d1, d2, d3, d4, 0xA1, 0x60}))
}

func sdsFrame(kind byte, d [6]byte) []byte {
	f := append([]byte{0xAA, kind}, d[:]...)
	return append(f, sum8(d[:]), 0xAB)
}

func sum8(b []byte) (s byte) {
	for _, x := range b {
		s += x
	}
	return s
}

func flag(on bool) byte {
	if on {
		return 1
	}
	return 0
}
