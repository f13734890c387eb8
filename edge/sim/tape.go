package sim

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
)

// Tape replays a recorded exchange with a serial sensor: it returns the sensor's bytes if
// the host writes the same bytes as in the recording.
//
// In the file "> AA B4" are bytes that the host wrote, "< AA C0" bytes that the sensor
// sent. # begins a comment.
type Tape struct{ entries []tapeEntry }

type tapeEntry struct {
	host  bool
	bytes []byte
}

// LoadTape reads a tape from a file.
func LoadTape(path string) (*Tape, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parseTape(string(text))
}

// parseTape parses the text of a tape.
func parseTape(text string) (*Tape, error) {
	t := &Tape{}
	for i, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		b, err := hex.DecodeString(strings.ReplaceAll(line[1:], " ", ""))
		if err != nil || line[0] != '>' && line[0] != '<' {
			return nil, fmt.Errorf("tape, line %d: %q is not > or < and bytes", i+1, line)
		}
		t.entries = append(t.entries, tapeEntry{line[0] == '>', b})
	}
	return t, nil
}

// Read returns the next bytes that the sensor sent. It returns (0, nil), a timeout, if the
// host has to write first, and after the end.
func (t *Tape) Read(b []byte) (int, error) {
	if len(t.entries) == 0 || t.entries[0].host {
		return 0, nil
	}
	n := copy(b, t.entries[0].bytes)
	if t.entries[0].bytes = t.entries[0].bytes[n:]; len(t.entries[0].bytes) == 0 {
		t.entries = t.entries[1:]
	}
	return n, nil
}

// Write returns an error unless b is what the host wrote next on the tape. It skips
// earlier bytes of the sensor that were not read.
func (t *Tape) Write(b []byte) (int, error) {
	for len(t.entries) > 0 && !t.entries[0].host {
		t.entries = t.entries[1:]
	}
	if len(t.entries) == 0 || !bytes.Equal(t.entries[0].bytes, b) {
		return 0, fmt.Errorf("the tape does not have this command here: % X", b)
	}
	t.entries = t.entries[1:]
	return len(b), nil
}

// Left returns the number of entries that were not replayed.
func (t *Tape) Left() int { return len(t.entries) }
