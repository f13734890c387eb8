package sim

import (
	"encoding/binary"
	"math/rand/v2"
	"time"
)

// MHZ19B is a Winsen MH-Z19B. While WarmUp is on, it returns the values of a real sensor
// in its first three minutes.
type MHZ19B struct {
	Faults
	rng     *rand.Rand
	co2     wave
	still   frozen
	in      []byte
	out     [][]byte
	abc     bool
	rang    uint16
	queries int
}

var _ = simulate("mhz19b", simulator{
	device: "bedroom-co2", settings: []string{"PORT=sim"},
	uart: func(seed uint64) UART { return NewMHZ19B(seed) },
})

// NewMHZ19B returns a sensor with the factory's settings: ABC on, 5000 ppm.
func NewMHZ19B(seed uint64) *MHZ19B {
	rng := newRand(seed)
	return &MHZ19B{rng: rng, co2: newWave(rng, 750, 280), abc: true, rang: 5000}
}

// Settings returns the settings that it received.
func (s *MHZ19B) Settings() (abc bool, ppm int) { return s.abc, int(s.rang) }

func (s *MHZ19B) faultsOf() (*Faults, *rand.Rand) { return &s.Faults, s.rng }

// Receive parses commands of 9 bytes: FF 01, command, 5 bytes of data, checksum.
func (s *MHZ19B) Receive(now time.Time, b []byte) {
	s.in = append(s.in, b...)
	for len(s.in) >= 9 {
		c := s.in[:9]
		if c[0] != 0xFF || c[1] != 0x01 || -sum8(c[1:8]) != c[8] {
			s.in = s.in[1:]
			continue
		}
		switch c[2] {
		case 0x86:
			s.out = append(s.out, s.data(now))
		case 0x79:
			s.abc = c[3] == 0xA0
		case 0x99:
			s.rang = binary.BigEndian.Uint16(c[6:])
		}
		s.in = s.in[9:]
	}
}

// Transmit returns the next answer, or nil.
func (s *MHZ19B) Transmit(time.Time) []byte {
	if len(s.out) == 0 {
		return nil
	}
	f := s.out[0]
	s.out = s.out[1:]
	return f
}

func (s *MHZ19B) data(now time.Time) []byte {
	ppm := uint16(s.co2.orHigh(2200, &s.Faults, s.still.time(now, &s.Faults)))
	if s.has(WarmUp) {
		ppm = []uint16{410, 410, s.rang, 400}[s.queries%4]
	}
	s.queries++
	f := []byte{0xFF, 0x86, byte(ppm >> 8), byte(ppm), 63, 0, 0, 0, 0}
	f[8] = -sum8(f[1:8])
	return f
}
