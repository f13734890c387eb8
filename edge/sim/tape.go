package sim

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
)

// Tape is a recorded talk with a serial sensor. It answers as the sensor did,
// if it is told what the sensor was told.
//
// In the file a line "> AA B4" is what the host wrote, "< AA C0" what the
// sensor sent, and the rest of a line after # a remark.
type Tape struct{ entries []tapeEntry }

type tapeEntry struct {
	host  bool
	bytes []byte
}

// LoadTape reads a tape.
func LoadTape(path string) (*Tape, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parseTape(string(text))
}

// parseTape reads a tape from its text.
func parseTape(text string) (*Tape, error) {
	t := &Tape{}
	for i, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		b, err := hex.DecodeString(strings.ReplaceAll(line[1:], " ", ""))
		if err != nil || line[0] != '>' && line[0] != '<' {
			return nil, fmt.Errorf("tape, line %d: %q is neither > nor < and bytes", i+1, line)
		}
		t.entries = append(t.entries, tapeEntry{line[0] == '>', b})
	}
	return t, nil
}

// Read returns what the sensor sent next; (0, nil), a timeout, while it waits to
// be told something, and after the end.
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

// Write fails unless b is what the host wrote on the tape. What the sensor sent
// before and nobody read is skipped.
func (t *Tape) Write(b []byte) (int, error) {
	for len(t.entries) > 0 && !t.entries[0].host {
		t.entries = t.entries[1:]
	}
	if len(t.entries) == 0 || !bytes.Equal(t.entries[0].bytes, b) {
		return 0, fmt.Errorf("the tape has no such command here: % X", b)
	}
	t.entries = t.entries[1:]
	return len(b), nil
}

// Left is how much of the tape was not played.
func (t *Tape) Left() int { return len(t.entries) }
