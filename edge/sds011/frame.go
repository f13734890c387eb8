package sds011

import (
	"encoding/binary"
	"math"

	"github.com/hearth-home/hearth/edge/driver"
)

// The names of the protocol's bytes.
const (
	head, tail           = 0xAA, 0xAB
	kindCommand          = 0xB4
	kindData, kindReply  = 0xC0, 0xC5
	cmdMode, cmdPower    = 2, 6
	cmdPeriod            = 8
	get, set             = 0, 1
	active, query        = 0, 1
	sleep, work          = 0, 1
	continuous           = 0
	frameLen, commandLen = 10, 19
)

// command builds a command frame: AA B4, 15 bytes of data that end in the id FF FF ("any
// sensor"), their checksum, AB.
func command(cmd, setting, value byte) []byte {
	c := make([]byte, commandLen)
	c[0], c[1], c[2], c[3], c[4] = head, kindCommand, cmd, setting, value
	c[15], c[16] = 0xFF, 0xFF
	c[17], c[18] = sum(c[2:17]), tail
	return c
}

// match accepts data and reply frames: AA C0|C5, 6 bytes of data, checksum, AB.
func match(b []byte) (int, error) {
	switch {
	case b[0] != head || len(b) > 1 && b[1] != kindData && b[1] != kindReply:
		return 0, driver.ErrNoFrame
	case len(b) < frameLen:
		return 0, nil
	case b[9] != tail:
		return 0, driver.ErrNoFrame
	case sum(b[2:8]) != b[8]:
		return 0, driver.ErrChecksum
	}
	return frameLen, nil
}

// decode returns a data frame's values in µg/m³.
func decode(f []byte) (pm25, pm10 float64) {
	return float64(binary.LittleEndian.Uint16(f[2:])) / 10, float64(binary.LittleEndian.Uint16(f[4:])) / 10
}

func sum(b []byte) (s byte) {
	for _, x := range b {
		s += x
	}
	return s
}

// round rounds to tenths, the sensor's resolution.
func round(v float64) float64 { return math.Round(v*10) / 10 }
