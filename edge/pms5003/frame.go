package pms5003

import (
	"encoding/binary"

	"github.com/hearth-home/hearth/edge/driver"
)

// The protocol of the manual's appendix, all big-endian. A frame is 42 4D, the number of
// bytes that follow, data, and the sum of all bytes before the sum.
const (
	head1, head2 = 0x42, 0x4D
	dataLen      = 32
	stLen        = 40 // of a PMS5003ST
	replyLen     = 8

	cmdMode  = 0xE1 // 0 passive, 1 active
	cmdSleep = 0xE4 // value 0
	cmdWake  = 0xE4 // value 1

	modeActive = 1
)

func command(cmd, value byte) []byte {
	c := []byte{head1, head2, cmd, 0, value}
	return binary.BigEndian.AppendUint16(c, sum(c))
}

// match accepts data frames, replies and the frames of a PMS5003ST.
func match(b []byte) (int, error) {
	if b[0] != head1 || len(b) > 1 && b[1] != head2 || len(b) > 2 && b[2] != 0 {
		return 0, driver.ErrNoFrame
	}
	if len(b) < 4 {
		return 0, nil
	}
	n := 4 + int(b[3])
	switch {
	case n != dataLen && n != replyLen && n != stLen:
		return 0, driver.ErrNoFrame
	case len(b) < n:
		return 0, nil
	case sum(b[:n-2]) != binary.BigEndian.Uint16(b[n-2:]):
		return 0, driver.ErrChecksum
	}
	return n, nil
}

// decode returns a data frame's atmospheric values and particle counts.
func decode(f []byte) map[string]float64 {
	data := func(n int) float64 { return float64(binary.BigEndian.Uint16(f[2+2*n:])) } // data 1 is at byte 4
	return map[string]float64{
		"pm1_ugm3":               data(4),
		"pm2_5_ugm3":             data(5),
		"pm10_ugm3":              data(6),
		"particles_0_3um_per_dl": data(7),
		"particles_0_5um_per_dl": data(8),
		"particles_1um_per_dl":   data(9),
		"particles_2_5um_per_dl": data(10),
		"particles_5um_per_dl":   data(11),
		"particles_10um_per_dl":  data(12),
	}
}

func sum(b []byte) (s uint16) {
	for _, x := range b {
		s += uint16(x)
	}
	return s
}
