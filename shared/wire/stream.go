package wire

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"
)

const streamChunk = 3 << 10 // bytes of a payload that are encoded at once; a multiple of 3

// Stream returns the batch of AppendBatch with m alone, and the batch's length. It encodes
// the payload while the batch is read, so that a large one is not in memory twice.
func Stream(m Message) (batch io.Reader, length int64) {
	payload := m.Payload
	m.Payload = nil
	event := appendEvent([]byte{'['}, &m)
	const end = `"}`
	head := bytes.NewReader(event[:len(event)-len(end)])
	n := int64(len(event) + base64.StdEncoding.EncodedLen(len(payload)) + 1)
	return io.MultiReader(head, &encoder{left: payload}, strings.NewReader(end+"]")), n
}

// encoder reads as the base64 of left.
type encoder struct {
	left  []byte
	chunk []byte // encoded and not read yet
	space [streamChunk / 3 * 4]byte
}

func (e *encoder) Read(p []byte) (int, error) {
	if len(e.chunk) == 0 {
		if len(e.left) == 0 {
			return 0, io.EOF
		}
		n := min(len(e.left), streamChunk)
		e.chunk = base64.StdEncoding.AppendEncode(e.space[:0], e.left[:n])
		e.left = e.left[n:]
	}
	n := copy(p, e.chunk)
	e.chunk = e.chunk[n:]
	return n, nil
}
