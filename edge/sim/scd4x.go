package sim

import (
	"time"
)

// SCD4x is a Sensirion SCD40. It keeps the datasheet's rules. While it measures it refuses
// most commands. It does not acknowledge during a command's execution time, nor a read
// without data. A read empties its buffer.
type SCD4x struct {
	sensirionChip
	co2, temp, hum wave
	still          frozen
	measuring      bool
	period         time.Duration
	started        time.Time
	next           time.Time     // when the next value is ready
	measured       time.Duration // how long the last measurement ran
	// Written holds the settings that were written, by command.
	Written map[uint16]uint16
	// FailRecalibration makes a forced recalibration fail.
	FailRecalibration bool
}

var _ = simulate("scd4x", simulator{
	device: "office-air", settings: []string{"NEAR=office-climate"},
	chip: func(seed uint64) Chip { return NewSCD4x(seed) },
})

// NewSCD4x returns an idle sensor just after power-up.
func NewSCD4x(seed uint64) *SCD4x {
	rng := newRand(seed)
	return &SCD4x{
		co2: newWave(rng, 700, 220), temp: newWave(rng, 22, 2), hum: newWave(rng, 45, 8),
		Written: map[uint16]uint16{},
	}
}

// PowerCycle simulates a short loss of power: the sensor boots for a second and is idle.
func (s *SCD4x) PowerCycle(now time.Time) {
	s.measuring, s.answer, s.busy = false, nil, now.Add(time.Second)
	clear(s.Written)
}

// Tx does one transaction.
func (s *SCD4x) Tx(now time.Time, w, r []byte) error {
	return s.tx(now, w, r, func(cmd uint16, args []uint16) (time.Duration, error) { return s.command(now, cmd, args) })
}

func (s *SCD4x) command(now time.Time, cmd uint16, args []uint16) (time.Duration, error) {
	allowed := cmd == 0x3F86 || cmd == 0xE4B8 || cmd == 0xEC05 || cmd == 0xE000
	if s.measuring && !allowed {
		return 0, errNACK
	}
	took := time.Millisecond
	switch cmd {
	case 0x21B1, 0x21AC: // start
		s.period = 5 * time.Second
		if cmd == 0x21AC {
			s.period = 30 * time.Second
		}
		s.measuring, s.started, s.next = true, now, now.Add(s.period)
		took = 0
	case 0x3F86: // stop
		if s.measuring {
			s.measured = now.Sub(s.started)
		}
		s.measuring, took = false, 500*time.Millisecond
	case 0xE4B8: // data ready
		s.answer = []uint16{0x8000}
		if s.measuring && !now.Before(s.next) {
			s.answer[0] = 0x8006
		}
	case 0xEC05: // read
		if s.measuring && !now.Before(s.next) {
			s.answer = s.values(now)
			s.next = now.Add(s.period - now.Sub(s.next)%s.period)
		}
	case 0x3682: // serial number
		s.answer = []uint16{0xF896, 0x9F07, 0x3BBE}
	case 0x362F: // forced recalibration
		s.answer = s.recalibrate(now, args)
		took = 400 * time.Millisecond
	case 0x241D, 0x2427, 0xE000, 0x2416, 0x243A: // settings
		if len(args) != 1 {
			return 0, errNACK
		}
		s.Written[cmd] = args[0]
	default:
		return 0, errNACK
	}
	return took, nil
}

func (s *SCD4x) recalibrate(now time.Time, args []uint16) []uint16 {
	if len(args) != 1 || s.measured < 3*time.Minute || s.FailRecalibration {
		return []uint16{0xFFFF}
	}
	by := float64(args[0]) - s.co2.at(now)
	s.co2.mean += by
	return []uint16{uint16(0x8000 + int(by))}
}

func (s *SCD4x) values(now time.Time) []uint16 {
	t := s.still.time(now, &s.Faults)
	co2 := s.co2.orHigh(2200, &s.Faults, t)
	if s.next.Sub(s.started) <= s.period {
		co2 *= 3 // the first value is wrong
	}
	if s.has(WarmUp) {
		co2 = 0
	}
	return []uint16{
		uint16(co2),
		uint16((s.temp.at(t) + 45) / 175 * 65535),
		uint16(s.hum.at(t) / 100 * 65535),
	}
}
