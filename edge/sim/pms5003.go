package sim

import (
	"encoding/binary"
	"math/rand/v2"
	"time"
)

// PMS5003 is a Plantower PMS5003. While awake it reports every 0.8 s in active mode, and on
// command in passive mode.
type PMS5003 struct {
	Faults
	rng        *rand.Rand
	pm25       wave
	still      frozen
	in         []byte
	out        [][]byte
	asleep     bool
	passive    bool
	woke, next time.Time
}

var _ = simulate("pms5003", simulator{
	device: "workshop-dust", settings: []string{"PORT=sim"},
	uart: func(seed uint64) UART { return NewPMS5003(seed) },
})

// NewPMS5003 returns a sensor that is awake and reports, as after power-up.
func NewPMS5003(seed uint64) *PMS5003 {
	rng := newRand(seed)
	return &PMS5003{rng: rng, pm25: newWave(rng, 8, 5)}
}

// Asleep reports whether the fan stands.
func (s *PMS5003) Asleep() bool { return s.asleep }

// SetPassive makes it answer only when asked.
func (s *PMS5003) SetPassive(on bool) { s.passive = on }

func (s *PMS5003) faultsOf() (*Faults, *rand.Rand) { return &s.Faults, s.rng }

// Receive parses commands of 7 bytes: 42 4D, command, two of data, their sum.
func (s *PMS5003) Receive(now time.Time, b []byte) {
	s.in = append(s.in, b...)
	for len(s.in) >= 7 {
		c := s.in[:7]
		if c[0] != 0x42 || c[1] != 0x4D || sum16(c[:5]) != binary.BigEndian.Uint16(c[5:]) {
			s.in = s.in[1:]
			continue
		}
		s.command(now, c[2], c[4])
		s.in = s.in[7:]
	}
}

func (s *PMS5003) command(now time.Time, cmd, value byte) {
	wake := cmd == 0xE4 && value == 1
	switch {
	case wake && s.asleep:
		s.asleep, s.woke, s.next = false, now, now.Add(time.Second)
	case wake, s.asleep: // the wake command is never answered; no command is while asleep
	case cmd == 0xE1:
		s.passive = value == 0
		s.reply(cmd, value)
	case cmd == 0xE2:
		s.out = append(s.out, s.data(now))
	case cmd == 0xE4:
		s.asleep = true
		s.reply(cmd, value)
	}
}

// Transmit returns a reply, or the data frame that is due, or nil.
func (s *PMS5003) Transmit(now time.Time) []byte {
	if len(s.out) > 0 {
		f := s.out[0]
		s.out = s.out[1:]
		return f
	}
	if s.asleep || s.passive || now.Before(s.next) {
		return nil
	}
	s.next = now.Add(800 * time.Millisecond)
	return s.data(now)
}

func (s *PMS5003) data(now time.Time) []byte {
	pm := s.pm25.orHigh(130, &s.Faults, s.still.time(now, &s.Faults))
	if !s.woke.IsZero() && now.Sub(s.woke) < 20*time.Second || s.has(WarmUp) {
		pm *= 20 // the fan has not reached its speed
	}
	if s.asleep {
		pm = 0
	}
	words := []float64{
		pm * 0.7, pm, pm * 1.2, // CF=1
		pm * 0.7, pm, pm * 1.2, // atmospheric
		pm * 140, pm * 40, pm * 7, pm, pm / 4, pm / 8,
	}
	f := []byte{0x42, 0x4D, 0, 28}
	for _, w := range words {
		f = binary.BigEndian.AppendUint16(f, uint16(w))
	}
	f = append(f, 0x97, 0) // version, error code
	return binary.BigEndian.AppendUint16(f, sum16(f))
}

func (s *PMS5003) reply(cmd, value byte) {
	f := []byte{0x42, 0x4D, 0, 4, cmd, value}
	s.out = append(s.out, binary.BigEndian.AppendUint16(f, sum16(f)))
}

func sum16(b []byte) (s uint16) {
	for _, x := range b {
		s += uint16(x)
	}
	return s
}
