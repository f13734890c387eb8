package sim

import (
	"time"
)

// SGP30 is a Sensirion SGP30. It keeps the datasheet's execution times, returns 400 and 0
// until 15 s after the init, and counts gaps of more than 1.5 s between measurements.
type SGP30 struct {
	sensirionChip
	eco2, tvoc wave
	still      frozen
	started    time.Time
	last       time.Time
	// Missed counts gaps between measurements, Inits the init commands.
	Missed, Inits int
	// BaselineECO2, BaselineTVOC and Humidity are the chip's current values.
	BaselineECO2, BaselineTVOC, Humidity uint16
}

var _ = simulate("sgp30", simulator{
	device: "kitchen-air", settings: []string{"NEAR=office-climate"},
	chip: func(seed uint64) Chip { return NewSGP30(seed) },
})

// NewSGP30 returns a sensor just after power-up.
func NewSGP30(seed uint64) *SGP30 {
	rng := newRand(seed)
	return &SGP30{eco2: newWave(rng, 620, 200), tvoc: newWave(rng, 90, 80)}
}

// Tx does one transaction.
func (s *SGP30) Tx(now time.Time, w, r []byte) error {
	return s.tx(now, w, r, func(cmd uint16, args []uint16) (time.Duration, error) { return s.command(now, cmd, args) })
}

func (s *SGP30) command(now time.Time, cmd uint16, args []uint16) (time.Duration, error) {
	took := 10 * time.Millisecond
	switch {
	case cmd == 0x2003: // init
		s.started, s.last = now, time.Time{}
		s.BaselineECO2, s.BaselineTVOC, s.Humidity = 0, 0, 0
		s.Inits++
	case cmd == 0x2008: // measure
		s.answer = s.measure(now)
		took = 12 * time.Millisecond
	case cmd == 0x2015: // the baseline, CO2eq first
		s.answer = []uint16{s.BaselineECO2, s.BaselineTVOC}
	case cmd == 0x201E && len(args) == 2: // the baseline, TVOC first
		s.BaselineTVOC, s.BaselineECO2 = args[0], args[1]
	case cmd == 0x2061 && len(args) == 1:
		s.Humidity = args[0]
	case cmd == 0x202F:
		s.answer = []uint16{0x0022}
	case cmd == 0x3682:
		s.answer = []uint16{0x0000, 0x0048, 0xD2A1}
		took = time.Millisecond
	default:
		return 0, errNACK
	}
	return took, nil
}

func (s *SGP30) measure(now time.Time) []uint16 {
	if !s.last.IsZero() && now.Sub(s.last) > 1500*time.Millisecond {
		s.Missed++
	}
	s.last = now
	if s.started.IsZero() || now.Sub(s.started) < 15*time.Second {
		return []uint16{400, 0}
	}
	if s.has(WarmUp) {
		return []uint16{60000, 60000}
	}
	if s.BaselineECO2 == 0 { // the baseline of a chip that starts to learn
		s.BaselineECO2, s.BaselineTVOC = 0x8A20, 0x8D4E
	}
	t := s.still.time(now, &s.Faults)
	return []uint16{uint16(max(400, s.eco2.orHigh(2600, &s.Faults, t))), uint16(max(0, s.tvoc.orHigh(2400, &s.Faults, t)))}
}
