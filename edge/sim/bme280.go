package sim

import (
	"time"
)

// BME280 is a Bosch BME280 with the calibration of a real chip. It measures in forced
// mode, and humidity only if F4 was written after F2.
type BME280 struct {
	Faults
	temp, hum, press wave // raw values
	still            frozen
	regs             [256]byte
	humidity         bool // measured: F2 when F4 was last written
	done             time.Time
	pending          bool
}

var bmeCalibration = map[byte][]byte{
	0x88: {
		0x6C, 0x6E, 0x77, 0x66, 0x32, 0x00, 0xA8, 0x92, 0x27, 0xD5, 0xD0, 0x0B,
		0x6F, 0x18, 0xCA, 0xFF, 0xF9, 0xFF, 0xAC, 0x26, 0x0A, 0xD8, 0xBD, 0x10, 0x00, 0x4B,
	},
	0xD0: {0x60},
	0xE1: {0x65, 0x01, 0x00, 0x14, 0x0B, 0x00, 0x1E},
}

var _ = simulate("bme280", simulator{
	device: "office-climate",
	chip:   func(seed uint64) Chip { return NewBME280(seed) },
})

// NewBME280 returns a sensor just after power-up.
func NewBME280(seed uint64) *BME280 {
	rng := newRand(seed)
	c := &BME280{
		temp:  newWave(rng, 524000, 5000), // about 22.5 ± 1.6 °C
		press: newWave(rng, 340000, 9000), // about 1009 ± 13 hPa
		hum:   newWave(rng, 29500, 1500),
	}
	for reg, b := range bmeCalibration {
		copy(c.regs[reg:], b)
	}
	c.PowerCycle()
	return c
}

// NewBMP280 returns a BMP280, which has no humidity.
func NewBMP280(seed uint64) *BME280 {
	c := NewBME280(seed)
	c.regs[0xD0] = 0x58
	clear(c.regs[0xE1:0xE8])
	return c
}

// PowerCycle clears the settings and the last values, as a loss of power does.
func (c *BME280) PowerCycle() {
	clear(c.regs[0xF2:0xF7])
	copy(c.regs[0xF7:], []byte{0x80, 0, 0, 0x80, 0, 0, 0x80, 0})
	c.pending, c.humidity = false, false
}

func (c *BME280) faultsOf() *Faults { return &c.Faults }

// Tx writes pairs of register and value, or reads r from a register and those after it.
func (c *BME280) Tx(now time.Time, w, r []byte) error {
	c.finish(now)
	if len(r) > 0 {
		if len(w) != 1 {
			return errNACK
		}
		for i := range r {
			r[i] = c.regs[int(w[0])+i]
		}
		return nil
	}
	if len(w)%2 != 0 {
		return errNACK
	}
	for ; len(w) > 0; w = w[2:] {
		c.write(now, w[0], w[1])
	}
	return nil
}

func (c *BME280) write(now time.Time, reg, value byte) {
	switch reg {
	case 0xE0:
		if value == 0xB6 {
			c.PowerCycle()
		}
	case 0xF2, 0xF5:
		c.regs[reg] = value
	case 0xF4:
		c.regs[reg] = value
		c.humidity = c.regs[0xF2]&7 != 0 && c.regs[0xD0] == 0x60
		if value&3 == 1 || value&3 == 2 {
			c.regs[0xF3] |= 0x08
			c.pending, c.done = true, now.Add(9*time.Millisecond)
			if c.has(Slow) {
				c.done = c.done.Add(20 * time.Millisecond)
			}
		}
	}
}

// finish ends the running measurement if its time is over.
func (c *BME280) finish(now time.Time) {
	if !c.pending || now.Before(c.done) {
		return
	}
	c.pending = false
	c.regs[0xF3] &^= 0x08
	c.regs[0xF4] &^= 0x03
	if c.has(WarmUp) {
		copy(c.regs[0xF7:], []byte{0x80, 0, 0, 0x80, 0, 0, 0x80, 0})
		return
	}
	t := c.still.time(now, &c.Faults)
	put20 := func(reg int, v uint32) {
		c.regs[reg], c.regs[reg+1], c.regs[reg+2] = byte(v>>12), byte(v>>4), byte(v<<4)
	}
	put20(0xF7, uint32(c.press.at(t)))
	put20(0xFA, uint32(c.temp.orHigh(575000, &c.Faults, t))|1) // never 80000, which means "not measured": a real chip's noise does not repeat it
	h := uint16(0x8000)
	if c.humidity {
		h = uint16(c.hum.at(t))
	}
	c.regs[0xFD], c.regs[0xFE] = byte(h>>8), byte(h)
}
