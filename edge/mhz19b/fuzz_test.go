package mhz19b

import (
	"bytes"
	"testing"

	"github.com/hearth-home/hearth/edge/sim"
)

// FuzzFrame: no bytes crash the parser, and a good frame after any of them is
// found. There are two, since a checksum of 8 bits lets garbage that ends in a
// head swallow the first one.
func FuzzFrame(f *testing.F) {
	good := []byte{0xFF, 0x86, 0x02, 0x20, 0x3F, 0, 0, 0, 0x19}
	f.Add([]byte{})
	f.Add(good[:5])
	f.Add([]byte{0xFF, 0xFF, 0x86, 0xFF})
	f.Fuzz(func(t *testing.T, garbage []byte) {
		frames, err := sim.Frames(t.Context(), append(append(bytes.Clone(garbage), good...), good...), match)
		if err != nil || len(frames) == 0 || !bytes.Equal(frames[len(frames)-1], good) {
			t.Errorf("after % X: %d frames, %v; the good one was not found", garbage, len(frames), err)
		}
		for _, frame := range frames {
			decode(frame)
		}
	})
}
