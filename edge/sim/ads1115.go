package sim

import (
	"encoding/binary"
	"math/rand/v2"
	"time"
)

// ADS1115 is a Texas Instruments ADS1115 with a soil probe at each input. The soil is
// wetter from A0 to A3. While WarmUp is on, the probes are unplugged.
type ADS1115 struct {
	Faults
	rng    *rand.Rand
	volts  [4]wave
	still  frozen
	config uint16
	value  int16 // of the last finished conversion
	next   int16 // of the running conversion
	done   time.Time
}

var _ = simulate("soil", simulator{
	device: "basil-soil", settings: []string{"DRY=2.7", "WET=1.3"},
	shared: true, chip: func(seed uint64) Chip { return NewADS1115(seed) },
})

// NewADS1115 returns a converter just after power-up.
func NewADS1115(seed uint64) *ADS1115 {
	c := &ADS1115{rng: newRand(seed), config: 0x8583}
	for i := range c.volts {
		c.volts[i] = newWave(c.rng, 2.3-0.2*float64(i), 0.15)
	}
	return c
}

func (c *ADS1115) faultsOf() *Faults { return &c.Faults }

// Tx writes or reads a register.
func (c *ADS1115) Tx(now time.Time, w, r []byte) error {
	if !now.Before(c.done) {
		c.value = c.next
	}
	switch {
	case len(w) == 3 && w[0] == 1:
		c.config = binary.BigEndian.Uint16(w[1:])
		if c.config&0x8000 != 0 {
			c.convert(now)
		}
	case len(w) == 1 && len(r) == 2 && w[0] == 0:
		binary.BigEndian.PutUint16(r, uint16(c.value))
	case len(w) == 1 && len(r) == 2 && w[0] == 1:
		v := c.config &^ 0x8000
		if !now.Before(c.done) {
			v |= 0x8000
		}
		binary.BigEndian.PutUint16(r, v)
	default:
		return errNACK
	}
	return nil
}

func (c *ADS1115) convert(now time.Time) {
	c.done = now.Add(7900 * time.Microsecond)
	if c.has(Slow) {
		c.done = c.done.Add(20 * time.Millisecond)
	}
	v := c.volts[c.config>>12&3].orHigh(2.69, &c.Faults, c.still.time(now, &c.Faults))
	if noise := 0.01 * (c.rng.Float64() - 0.5); !c.has(Frozen) {
		v += noise
	}
	if c.has(WarmUp) {
		v = 0.55 + 0.02*c.rng.Float64() // an open input floats
	}
	c.next = int16(v / 4.096 * 32768)
}
