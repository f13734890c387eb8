package pms5003

import (
	"bytes"
	"testing"

	"github.com/hearth-home/hearth/edge/sim"
)

// FuzzFrame: no bytes crash the parser, and a good frame after any of them is
// found. There are two, since garbage can end in a head whose sum happens to
// fit the first one's bytes.
func FuzzFrame(f *testing.F) {
	f.Add([]byte{})
	f.Add(example[:20])
	f.Add([]byte{0x42, 0x4D, 0x00, 0x1C, 0x42, 0x4D, 0x00, 0x04, 0x42})
	f.Add([]byte{0x42, 0x4D, 0x00, 0x24, 0x00, 0xFF})
	f.Fuzz(func(t *testing.T, garbage []byte) {
		frames, err := sim.Frames(t.Context(), append(append(bytes.Clone(garbage), example...), example...), match)
		if err != nil || len(frames) == 0 || !bytes.Equal(frames[len(frames)-1], example) {
			t.Errorf("after % X: %d frames, %v; the good one was not found", garbage, len(frames), err)
		}
		for _, frame := range frames {
			if len(frame) == dataLen {
				decode(frame)
			}
		}
	})
}
