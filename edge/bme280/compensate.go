package bme280

import (
	"encoding/binary"
	"errors"
)

// calibration holds the chip's factory calibration (datasheet 4.2.2).
type calibration struct {
	t1, p1                             uint16
	t2, t3                             int16
	p2, p3, p4, p5, p6, p7, p8, p9, h2 int16
	h1, h3                             uint8
	h4, h5                             int16
	h6                                 int8
}

// values is a measurement in °C, hPa and %.
type values struct {
	temp, pressure, humidity          float64
	hasTemp, hasPressure, hasHumidity bool
}

var errCalibration = errors.New("the calibration is all zeros or all ones: check wiring and power")

// parseCalibration parses registers 88 to 9F (tp), A1 (h1), and E1 to E7 (h). The last
// two are empty for a BMP280.
func parseCalibration(tp, h1, h []byte) (c calibration, err error) {
	if len(tp) < 24 {
		return c, errCalibration
	}
	u := func(i int) uint16 { return binary.LittleEndian.Uint16(tp[2*i:]) }
	s := func(i int) int16 { return int16(u(i)) }
	c = calibration{
		t1: u(0), t2: s(1), t3: s(2),
		p1: u(3), p2: s(4), p3: s(5), p4: s(6), p5: s(7), p6: s(8), p7: s(9), p8: s(10), p9: s(11),
	}
	if c.t1 == 0 || c.t1 == 0xFFFF || c.p1 == 0 || c.p1 == 0xFFFF {
		return c, errCalibration
	}
	if len(h1) == 1 && len(h) == 7 {
		c.h1, c.h3, c.h6 = h1[0], h[2], int8(h[6])
		c.h2 = int16(binary.LittleEndian.Uint16(h))
		c.h4 = int16(int8(h[3]))<<4 | int16(h[4]&0x0F)
		c.h5 = int16(int8(h[5]))<<4 | int16(h[4]>>4)
	}
	return c, nil
}

// compensate converts registers F7 to FE to values, by the datasheet's formulas in
// double precision (appendix 8.1).
func (c *calibration) compensate(raw []byte) (v values) {
	rawP := uint32(raw[0])<<12 | uint32(raw[1])<<4 | uint32(raw[2])>>4
	rawT := uint32(raw[3])<<12 | uint32(raw[4])<<4 | uint32(raw[5])>>4
	rawH := binary.BigEndian.Uint16(raw[6:])
	if rawT == 0x80000 {
		return v
	}
	fine := c.fine(float64(rawT))
	v.temp, v.hasTemp = fine/5120, true
	if rawP != 0x80000 {
		v.pressure, v.hasPressure = c.pressure(float64(rawP), fine)/100, true
	}
	if rawH != 0x8000 {
		v.humidity, v.hasHumidity = c.humidity(float64(rawH), fine), true
	}
	return v
}

// fine returns the datasheet's t_fine, which is the temperature in 1/5120 °C.
func (c *calibration) fine(adc float64) float64 {
	v1 := (adc/16384 - float64(c.t1)/1024) * float64(c.t2)
	v2 := adc/131072 - float64(c.t1)/8192
	return v1 + v2*v2*float64(c.t3)
}

// pressure returns the pressure in Pa.
func (c *calibration) pressure(adc, fine float64) float64 {
	v1 := fine/2 - 64000
	v2 := v1*v1*float64(c.p6)/32768 + v1*float64(c.p5)*2
	v2 = v2/4 + float64(c.p4)*65536
	v1 = (float64(c.p3)*v1*v1/524288 + float64(c.p2)*v1) / 524288
	v1 = (1 + v1/32768) * float64(c.p1)
	if v1 == 0 {
		return 0
	}
	p := (1048576 - adc - v2/4096) * 6250 / v1
	return p + (float64(c.p9)*p*p/2147483648+p*float64(c.p8)/32768+float64(c.p7))/16
}

// humidity returns the relative humidity in percent.
func (c *calibration) humidity(adc, fine float64) float64 {
	h := fine - 76800
	h = (adc - (float64(c.h4)*64 + float64(c.h5)/16384*h)) *
		(float64(c.h2) / 65536 * (1 + float64(c.h6)/67108864*h*(1+float64(c.h3)/67108864*h)))
	h *= 1 - float64(c.h1)*h/524288
	return min(max(h, 0), 100)
}
