package sensirion_test

import (
	"errors"
	"testing"
	"time"

	"periph.io/x/conn/v3/i2c/i2ctest"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/sensirion"
	"github.com/hearth-home/hearth/edge/sim"
)

func TestCRCMatchesTheDatasheets(t *testing.T) {
	for in, want := range map[[2]byte]byte{
		{0xBE, 0xEF}: 0x92,
		{0x01, 0xF4}: 0x33,
		{0x66, 0x67}: 0xA2,
		{0x5E, 0xB9}: 0x3C,
		{0x07, 0x9E}: 0x09,
		{0x0F, 0x80}: 0x62,
	} {
		if got := sensirion.CRC(in[:]); got != want {
			t.Errorf("CRC(% X) = %02X, want %02X", in, got, want)
		}
	}
}

func TestQueryWritesWaitsAndReads(t *testing.T) {
	bus := &i2ctest.Playback{DontPanic: true, Ops: []i2ctest.IO{
		{Addr: 0x62, W: []byte{0x36, 0x2F, 0x01, 0xE0, 0xB4}},
		{Addr: 0x62, R: []byte{0x7F, 0xCE, 0x7B}},
	}}
	clock := sim.NewVirtual()
	start := clock.Now()
	words, err := sensirion.New(bus, 0x62, clock).Query(t.Context(), 400*time.Millisecond, 1, 0x362F, 480)
	if err != nil || len(words) != 1 || words[0] != 0x7FCE {
		t.Errorf("got %04X, %v; want 7FCE", words, err)
	}
	if d := clock.Now().Sub(start); d != 400*time.Millisecond {
		t.Errorf("waited %v, want 400ms", d)
	}
	if err := bus.Close(); err != nil {
		t.Error(err)
	}
}

func TestAWrongChecksumIsCountedAndRefused(t *testing.T) {
	bus := &i2ctest.Playback{DontPanic: true, Ops: []i2ctest.IO{
		{Addr: 0x58, W: []byte{0x20, 0x08}},
		{Addr: 0x58, R: []byte{0x01, 0x90, 0x4C, 0x00, 0x00, 0x80}},
	}}
	d := sensirion.New(bus, 0x58, sim.NewVirtual())
	if w, err := d.Query(t.Context(), 0, 2, 0x2008); !errors.Is(err, driver.ErrChecksum) || d.Counts.BadFrames != 1 {
		t.Errorf("got %v, %v, counts %+v", w, err, d.Counts)
	}
}

// FuzzWords checks that no bytes crash the parser, and that it accepts only right checksums.
func FuzzWords(f *testing.F) {
	f.Add([]byte{0x01, 0xF4, 0x33, 0x66, 0x67, 0xA2, 0x5E, 0xB9, 0x3C})
	f.Add([]byte{0xFF, 0xFF, 0xFF})
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, b []byte) {
		words, err := sensirion.ParseWords(b)
		if err != nil {
			return
		}
		if len(words)*3 != len(b) {
			t.Fatalf("%d words of %d bytes", len(words), len(b))
		}
		for i, w := range words {
			if sensirion.CRC([]byte{byte(w >> 8), byte(w)}) != b[3*i+2] {
				t.Errorf("word %d has a wrong checksum", i)
			}
		}
	})
}
