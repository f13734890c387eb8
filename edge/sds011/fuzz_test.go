package sds011

import (
	"bytes"
	"testing"

	"github.com/hearth-home/hearth/edge/sim"
)

// FuzzFrame: no bytes crash the parser, and a good frame after any of them is
// found. The frame holds no AB inside, so no frame can end within it.
func FuzzFrame(f *testing.F) {
	good := []byte{0xAA, 0xC0, 0xD4, 0x04, 0x3A, 0x0A, 0xA1, 0x60, 0x1D, 0xAB}
	f.Add([]byte{})
	f.Add(good[:7])
	f.Add([]byte{0xAA, 0xC0, 0xAA, 0xC5, 0xAA})
	f.Add(append(good[:8:8], 0, 0xAB))
	f.Fuzz(func(t *testing.T, garbage []byte) {
		frames, err := sim.Frames(t.Context(), append(bytes.Clone(garbage), good...), match)
		if err != nil || len(frames) == 0 || !bytes.Equal(frames[len(frames)-1], good) {
			t.Errorf("after % X: %d frames, %v; the good one was not found", garbage, len(frames), err)
		}
		for _, frame := range frames {
			decode(frame)
		}
	})
}
