package mhz19b

import (
	"encoding/binary"

	"github.com/hearth-home/hearth/edge/driver"
)

// The manual's commands.
const (
	start    = 0xFF
	number   = 0x01 // of the sensor, always 1
	cmdRead  = 0x86
	cmdABC   = 0x79
	cmdRange = 0x99
	frameLen = 9
)

func command(cmd, b3, b4, b5, b6, b7 byte) []byte {
	c := []byte{start, number, cmd, b3, b4, b5, b6, b7, 0}
	c[8] = check(c)
	return c
}

// match accepts answers to cmdRead: FF 86, two bytes of CO2, 4 bytes, checksum.
func match(b []byte) (int, error) {
	switch {
	case b[0] != start || len(b) > 1 && b[1] != cmdRead:
		return 0, driver.ErrNoFrame
	case len(b) < frameLen:
		return 0, nil
	case check(b) != b[8]:
		return 0, driver.ErrChecksum
	}
	return frameLen, nil
}

// decode returns an answer's CO2 content in ppm.
func decode(f []byte) float64 { return float64(binary.BigEndian.Uint16(f[2:])) }

// check returns the checksum: the two's complement of the sum of bytes 1 to 7.
func check(f []byte) byte {
	var s byte
	for _, x := range f[1:8] {
		s += x
	}
	return -s
}
