package pms5003

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
// found. There are two, since garbage can end in a head whose sum happens to
// fit the first one's bytes.
func FuzzFrame(f *testing.F) {
	f.Add([]byte{})
	f.Add(example[:20])
	f.Add([]byte{0x42, 0x4D, 0x00, 0x1C, 0x42, 0x4D, 0x00, 0x04, 0x42})
	f.Add([]byte{0x42, 0x4D, 0x00, 0x24, 0x00, 0xFF})
	f.Fuzz(func(t *testing.T, garbage []byte) {
		in := stream{bytes.NewReader(append(append(bytes.Clone(garbage), example...), example...))}
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
			if len(frame) == dataLen {
				decode(frame)
			}
			last = frame
		}
		if !bytes.Equal(last, example) {
			t.Errorf("after % X the good frame was not found", garbage)
		}
	})
}
