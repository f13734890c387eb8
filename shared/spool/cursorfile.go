package spool

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"os"
)

const (
	cursorMagic  = "hspool\x00\x01"
	cursorHeader = 24
	cursorBlock  = 4096
	maxCursors   = 1 << 20 // bytes of a cursor file
	maxSeq       = 1 << 62 // beyond it, a number is damage
)

var slotNames = [2]string{"cursors.a", "cursors.b"}

// encodeCursors fills whole blocks, so that a file seldom changes its size.
func encodeCursors(generation uint64, places map[string]*place) ([]byte, error) {
	text, err := json.Marshal(places)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, cursorBlock)
	b = append(b, cursorMagic...)
	b = binary.LittleEndian.AppendUint64(b, generation)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(text)))
	sum := crc32.Update(crc32.Checksum(b[8:20], castagnoli), castagnoli, text)
	b = binary.LittleEndian.AppendUint32(b, sum)
	b = append(b, text...)
	return append(b, make([]byte, -len(b)&(cursorBlock-1))...), nil
}

// decodeCursors reads what encodeCursors wrote.
func decodeCursors(b []byte) (generation uint64, places map[string]*place, err error) {
	if len(b) < cursorHeader || string(b[:8]) != cursorMagic {
		return 0, nil, errors.New("not a cursor file")
	}
	n := int64(binary.LittleEndian.Uint32(b[16:]))
	if n > int64(len(b)-cursorHeader) {
		return 0, nil, errors.New("cursor file is cut short")
	}
	text := b[cursorHeader : cursorHeader+n]
	if crc32.Update(crc32.Checksum(b[8:20], castagnoli), castagnoli, text) != binary.LittleEndian.Uint32(b[20:]) {
		return 0, nil, errors.New("cursor file has a wrong checksum")
	}
	if err := json.Unmarshal(text, &places); err != nil {
		return 0, nil, err
	}
	for name, p := range places {
		if p == nil || p.Next > maxSeq {
			delete(places, name)
		}
	}
	return binary.LittleEndian.Uint64(b[8:]), places, nil
}

// loadCursors takes the newer of the two files that can be read.
func (l *Log) loadCursors(report *Report) {
	for slot, name := range slotNames {
		b, err := l.readSmall(name)
		if notThere(err) {
			continue
		}
		var generation uint64
		var places map[string]*place
		if err == nil {
			generation, places, err = decodeCursors(b)
		}
		if err != nil {
			report.add("%s: %v", name, err)
			continue
		}
		if generation >= l.generation && places != nil {
			l.generation, l.places, l.slot = generation, places, slot
		}
	}
}

func (l *Log) readSmall(name string) ([]byte, error) {
	f, err := l.fs.OpenFile(l.path(name), os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	b := make([]byte, min(size, maxCursors))
	n, err := f.ReadAt(b, 0)
	if n < len(b) {
		return nil, err
	}
	return b, nil
}
