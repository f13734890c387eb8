package driver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Silence is how long a sensor may pause within a frame. What came before a
// longer pause is dropped.
const maxPause = 500 * time.Millisecond

// What a Match answers, and what Next returns when nothing came.
var (
	ErrNoFrame  = errors.New("no frame starts here")
	ErrChecksum = errors.New("wrong checksum")
	ErrNoAnswer = errors.New("no answer")
)

// Match looks at bytes in which a frame may start. It returns the length of the
// frame, 0 while there are too few bytes to tell, ErrNoFrame, or ErrChecksum.
type Match func(b []byte) (int, error)

// Line finds frames among the bytes of a serial port.
type Line struct {
	rw     io.ReadWriter
	clock  Clock
	buf    []byte
	last   time.Time // when the newest byte of buf came
	chunk  [64]byte
	counts Counts
}

// NewLine returns the line over rw. Where rw is a serial port it must have a
// read timeout (100 ms is good), or a silent sensor blocks Next for ever.
func NewLine(rw io.ReadWriter, clock Clock) *Line {
	return &Line{rw: rw, clock: ClockOr(clock)}
}

// Counts tells what the line has seen.
func (l *Line) Counts() Counts { return l.counts }

// Retry counts a command that had to be repeated.
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

// Discard drops what has come and was not read: in the line, and in the port
// where it can (go.bug.st/serial's ports can).
func (l *Line) Discard() error {
	l.buf = l.buf[:0]
	if p, ok := l.rw.(interface{ ResetInputBuffer() error }); ok {
		if err := p.ResetInputBuffer(); err != nil {
			return fmt.Errorf("empty the port's buffer: %w", err)
		}
	}
	return nil
}

// Next returns the next frame that match accepts. It goes on byte by byte after
// a bad one, and returns ErrNoAnswer when patience has run out.
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

// take cuts the first frame from the buffer and drops what cannot become one.
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

// fill reads once. go.bug.st/serial reports a read timeout as (0, nil), others
// as a deadline error; both mean that nothing came yet.
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

// port makes the read timeout of a go.bug.st/serial port, (0, nil), the error
// that the rest of Go expects: os.ErrDeadlineExceeded. Line needs none of it;
// io.ReadFull and bufio would spin.
type port struct{ io.ReadWriter }

// Read is the port's Read with its timeouts as errors.
func (p port) Read(b []byte) (int, error) {
	n, err := p.ReadWriter.Read(b)
	if n == 0 && err == nil && len(b) > 0 {
		err = os.ErrDeadlineExceeded
	}
	return n, err
}
