package sds011

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/sim"
)

type stream struct{ *bytes.Reader }

func (stream) Write(b []byte) (int, error) { return len(b), nil }

// FuzzFrame: no bytes crash the parser, and a good frame after any of them is
// found. The frame holds no AB inside, so no frame can end within it.
func FuzzFrame(f *testing.F) {
	good := []byte{0xAA, 0xC0, 0xD4, 0x04, 0x3A, 0x0A, 0xA1, 0x60, 0x1D, 0xAB}
	f.Add([]byte{})
	f.Add(good[:7])
	f.Add([]byte{0xAA, 0xC0, 0xAA, 0xC5, 0xAA})
	f.Add(append(good[:8:8], 0, 0xAB))
	f.Fuzz(func(t *testing.T, garbage []byte) {
		in := stream{bytes.NewReader(append(bytes.Clone(garbage), good...))}
		line := driver.NewLine(in, sim.NewVirtual())
		var last []byte
		for {
			frame, err := line.Next(t.Context(), time.Minute, match)
			if err != nil {
				if errors.Is(err, driver.ErrNoAnswer) {
					t.Fatal("the line gave up before the end")
				}
				break
			}
			decode(frame)
			last = frame
		}
		if !bytes.Equal(last, good) {
			t.Errorf("after % X the good frame was not found", garbage)
		}
	})
}
