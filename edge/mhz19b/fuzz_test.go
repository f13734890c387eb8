package mhz19b

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
// found. There are two, since a checksum of 8 bits lets garbage that ends in a
// head swallow the first one.
func FuzzFrame(f *testing.F) {
	good := []byte{0xFF, 0x86, 0x02, 0x20, 0x3F, 0, 0, 0, 0x19}
	f.Add([]byte{})
	f.Add(good[:5])
	f.Add([]byte{0xFF, 0xFF, 0x86, 0xFF})
	f.Fuzz(func(t *testing.T, garbage []byte) {
		in := stream{bytes.NewReader(append(append(bytes.Clone(garbage), good...), good...))}
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
