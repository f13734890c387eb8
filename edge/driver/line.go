package driver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// maxPause is how long a sensor may pause within a frame. The bytes before a longer pause
// are dropped.
const maxPause = 500 * time.Millisecond

// Errors of a Match, and of Next when no frame came in time (ErrNoAnswer).
var (
	ErrNoFrame  = errors.New("no frame starts here")
	ErrChecksum = errors.New("wrong checksum")
	ErrNoAnswer = errors.New("no answer")
)

// Match checks whether a frame starts at b[0]. It returns the frame's length, 0 if it
// needs more bytes to tell, ErrNoFrame, or ErrChecksum.
type Match func(b []byte) (int, error)

// Line reads frames from the bytes of a serial port.
type Line struct {
	rw     io.ReadWriter
	clock  Clock
	buf    []byte
	last   time.Time // when the newest byte of buf came
	chunk  [64]byte
	counts Counts
}

// NewLine returns a line over rw. A serial port needs a read timeout, such as 100 ms.
// Without one a silent sensor blocks Next for ever.
func NewLine(rw io.ReadWriter, clock Clock) *Line {
	return &Line{rw: rw, clock: ClockOr(clock)}
}

// Counts returns the line's counts.
func (l *Line) Counts() Counts { return l.counts }

// CountRetry counts a command that was repeated.
func (l *Line) CountRetry() { l.counts.Retries++ }

// Write sends a command.
func (l *Line) Write(b []byte) error {
	n, err := l.rw.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return fmt.Errorf("write to the port: %w", err)
	}
	return nil
}

// Discard drops bytes that were received but not read, in the line and in the port if
// the port can (those of go.bug.st/serial can).
func (l *Line) Discard() error {
	l.buf = l.buf[:0]
	if p, ok := l.rw.(interface{ ResetInputBuffer() error }); ok {
		if err := p.ResetInputBuffer(); err != nil {
			return fmt.Errorf("empty the port's buffer: %w", err)
		}
	}
	return nil
}

// Next returns the next frame that match accepts. After a bad frame it resynchronises
// byte by byte. It returns ErrNoAnswer if no frame came within patience.
func (l *Line) Next(ctx context.Context, patience time.Duration, match Match) ([]byte, error) {
	deadline := l.clock.Now().Add(patience)
	for {
		if f := l.take(match); f != nil {
			l.counts.Frames++
			return f, nil
		}
		if !l.clock.Now().Before(deadline) {
			return nil, ErrNoAnswer
		}
		if err := l.fill(ctx); err != nil {
			return nil, err
		}
	}
}

// take removes the first frame from the buffer and returns it, or nil. It drops bytes
// that cannot start a frame.
func (l *Line) take(match Match) []byte {
	for len(l.buf) > 0 {
		n, err := match(l.buf)
		switch {
		case err != nil:
			if errors.Is(err, ErrChecksum) {
				l.counts.BadFrames++
			}
			l.counts.Skipped++
			l.buf = l.buf[1:]
		case n == 0 || n > len(l.buf):
			return nil
		default:
			f := append([]byte(nil), l.buf[:n]...)
			l.buf = l.buf[n:]
			return f
		}
	}
	return nil
}

// fill reads from the port once. go.bug.st/serial reports a read timeout as (0, nil),
// other ports as a deadline error. Neither is an error of fill.
func (l *Line) fill(ctx context.Context) error {
	n, err := l.rw.Read(l.chunk[:])
	now := l.clock.Now()
	if n > 0 {
		if len(l.buf) > 0 && now.Sub(l.last) > maxPause {
			l.counts.Skipped += uint64(len(l.buf))
			l.buf = l.buf[:0]
		}
		l.buf = append(l.buf, l.chunk[:n]...)
		l.last = now
		return ctx.Err()
	}
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("read from the port: %w", err)
	}
	// A port in non-blocking mode must not make this a busy loop.
	return l.clock.Wait(ctx, time.Millisecond)
}

// port turns the read timeout of a go.bug.st/serial port, (0, nil), into the usual error
// os.ErrDeadlineExceeded. io.ReadFull and bufio loop for ever without it. Line does not
// need it.
type port struct{ io.ReadWriter }

// Read reads from the port and returns timeouts as errors.
func (p port) Read(b []byte) (int, error) {
	n, err := p.ReadWriter.Read(b)
	if n == 0 && err == nil && len(b) > 0 {
		err = os.ErrDeadlineExceeded
	}
	return n, err
}
