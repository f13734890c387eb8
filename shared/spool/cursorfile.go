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
	maxSeq       = 1 << 62 // a higher number means that the file is damaged
)

var slotNames = [2]string{"cursors.a", "cursors.b"}

// encodeCursors returns the content of a cursor file. It is padded to whole blocks:
// a file that keeps its size is cheaper to sync.
func encodeCursors(generation uint64, cursors map[string]*cursor) ([]byte, error) {
	text, err := json.Marshal(cursors)
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

// decodeCursors parses the output of encodeCursors and checks its checksum.
func decodeCursors(b []byte) (generation uint64, cursors map[string]*cursor, err error) {
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
	if err := json.Unmarshal(text, &cursors); err != nil {
		return 0, nil, err
	}
	for name, p := range cursors {
		if p == nil || p.Next > maxSeq/2 { // half, so that the segments behind it have valid names
			delete(cursors, name)
		}
	}
	return binary.LittleEndian.Uint64(b[8:]), cursors, nil
}

// cursorFiles is what Open found of the cursor files.
type cursorFiles struct {
	loaded  []byte   // of the file whose cursors are used; nil: none can be read
	damaged []string // names of the files that cannot be read
	present int      // files
}

// loadCursors loads the cursor file with the higher generation. A file that cannot be
// read is reported and ignored.
func (l *Log) loadCursors(report *Report) (files cursorFiles) {
	for slot, name := range slotNames {
		b, err := l.readSmall(name)
		if notExist(err) {
			continue
		}
		files.present++
		var generation uint64
		var cursors map[string]*cursor
		if err == nil {
			generation, cursors, err = decodeCursors(b)
		}
		if err != nil {
			report.add("%s: %v", name, err)
			files.damaged = append(files.damaged, name)
			continue
		}
		if generation >= l.generation && cursors != nil {
			l.generation, l.cursors, l.slot, files.loaded = generation, cursors, slot, b
		}
	}
	return files
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
