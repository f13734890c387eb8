package sim

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
)

// Stream returns a line that delivers b and is then unplugged. Writes have no effect.
func Stream(b []byte) io.ReadWriter { return stream{bytes.NewReader(b)} }

type stream struct{ *bytes.Reader }

func (stream) Write(b []byte) (int, error) { return len(b), nil }

// Frames returns every frame that match finds in b.
func Frames(ctx context.Context, b []byte, match driver.Match) ([][]byte, error) {
	var frames [][]byte
	line := driver.NewLine(Stream(b), NewVirtual())
	for {
		f, err := line.Next(ctx, time.Minute, match)
		if errors.Is(err, io.EOF) {
			return frames, nil
		}
		if err != nil {
			return frames, err
		}
		frames = append(frames, f)
	}
}
