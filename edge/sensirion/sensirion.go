// Package sensirion implements the I2C protocol of Sensirion's sensors: commands of
// 16 bits, and data words of 16 bits with a checksum each.
//
// A command and its answer are two transactions, with the command's execution time
// between them. The datasheets seem to allow a single transaction with a repeated start,
// but with it forced recalibration and self test fail.
package sensirion

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"periph.io/x/conn/v3/i2c"

	"github.com/hearth-home/hearth/edge/driver"
)

// Dev is a sensor on a bus. It is not safe for concurrent use.
type Dev struct {
	dev    i2c.Dev
	clock  driver.Clock
	Counts driver.Counts
}

// New returns the sensor at addr. It does no I/O.
func New(bus i2c.Bus, addr uint16, clock driver.Clock) *Dev {
	return &Dev{dev: i2c.Dev{Bus: bus, Addr: addr}, clock: driver.ClockOr(clock)}
}

// Send writes a command with its arguments and waits for its execution time.
func (d *Dev) Send(ctx context.Context, wait time.Duration, cmd uint16, args ...uint16) error {
	b := binary.BigEndian.AppendUint16(nil, cmd)
	for _, a := range args {
		b = binary.BigEndian.AppendUint16(b, a)
		b = append(b, CRC(b[len(b)-2:]))
	}
	if err := d.dev.Tx(b, nil); err != nil {
		return fmt.Errorf("command %04X: %w", cmd, d.explain(err))
	}
	return d.clock.Wait(ctx, wait)
}

// Query sends a command, waits for its execution time, and reads n words.
func (d *Dev) Query(ctx context.Context, wait time.Duration, n int, cmd uint16, args ...uint16) ([]uint16, error) {
	if err := d.Send(ctx, wait, cmd, args...); err != nil {
		return nil, err
	}
	b := make([]byte, 3*n)
	if err := d.dev.Tx(nil, b); err != nil {
		return nil, fmt.Errorf("answer to %04X: %w", cmd, d.explain(err))
	}
	words, err := ParseWords(b)
	if err != nil {
		d.Counts.BadFrames++
		return nil, fmt.Errorf("answer to %04X: %w", cmd, err)
	}
	d.Counts.Frames++
	return words, nil
}

// explain adds the likely causes to an error of the bus.
func (d *Dev) explain(err error) error {
	return fmt.Errorf("no acknowledgement from address %#02x: check wiring, power and pull-ups: %w", d.dev.Addr, err)
}

// ParseWords returns the words of an answer. It returns driver.ErrChecksum if a checksum
// is wrong.
func ParseWords(b []byte) ([]uint16, error) {
	if len(b)%3 != 0 {
		return nil, fmt.Errorf("%d bytes are not a multiple of 3: words with checksums", len(b))
	}
	words := make([]uint16, 0, len(b)/3)
	for i := 0; i < len(b); i += 3 {
		if CRC(b[i:i+2]) != b[i+2] {
			return nil, fmt.Errorf("word %d: %w", i/3, driver.ErrChecksum)
		}
		words = append(words, binary.BigEndian.Uint16(b[i:]))
	}
	return words, nil
}

// CRC returns the CRC-8 of b with polynomial 31 and initial value FF, neither reflected
// nor inverted.
func CRC(b []byte) byte {
	crc := byte(0xFF)
	for _, x := range b {
		crc ^= x
		for range 8 {
			if crc&0x80 != 0 {
				crc = crc<<1 ^ 0x31
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}
