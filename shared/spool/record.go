package spool

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

const (
	headerLen = 16
	blockLen  = 256 << 10 // bytes that a scan reads at once
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seedOf returns the initial CRC of the records in the segment that begins at first.
func seedOf(first Seq) uint32 {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(first))
	return crc32.Update(0, castagnoli, b[:])
}

// appendRecord appends one record to b.
func appendRecord(b []byte, seed, num, at uint32, data []byte) []byte {
	start := len(b)
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	b = binary.LittleEndian.AppendUint32(b, num)
	b = binary.LittleEndian.AppendUint32(b, at)
	b = append(b, data...)
	binary.LittleEndian.PutUint32(b[start:], crc32.Update(seed, castagnoli, b[start+4:]))
	return b
}

// frame is one record as stored in a segment. Its data is shared, not copied.
type frame struct {
	num, at uint32
	data    []byte
}

// parse decodes the record at the start of b and returns its length on disk. b must
// hold the whole record. The CRC is not checked.
func parse(b []byte) (f frame, length int) {
	n := int(binary.LittleEndian.Uint32(b[4:]))
	end := headerLen + n
	return frame{
		num:  binary.LittleEndian.Uint32(b[8:]),
		at:   binary.LittleEndian.Uint32(b[12:]),
		data: b[headerLen:end:end],
	}, end
}

// scanner reads a segment's records in order and skips damaged ranges.
type scanner struct {
	f     io.ReaderAt
	size  int64           // bytes of the file to scan; the rest is ignored
	limit uint32          // the last record number to return
	seed  uint32          // initial CRC of this segment's records
	reuse bool            // the caller keeps no record: its buffer may be used again
	block int64           // bytes to read at once
	bad   func(off int64) // called for each damaged range that a readable record follows

	off   int64  // of the next record; after io.EOF, the end of the last readable record
	num   uint32 // of the last record
	buf   []byte // bytes of f from base on
	base  int64
	tries int64 // bytes that the search for the next record may still check
}

func newScanner(f io.ReaderAt, first Seq, size int64) *scanner {
	return &scanner{f: f, size: size, limit: 1<<32 - 1, seed: seedOf(first), block: blockLen,
		bad: func(int64) {}, tries: 4*size + 4*maxData}
}

// next returns the next readable record, or io.EOF. After io.EOF the caller may raise
// size and limit and call next again.
func (s *scanner) next() (frame, error) {
	if s.num >= s.limit {
		return frame{}, io.EOF
	}
	for off := s.off; off+headerLen <= s.size && s.tries >= 0; off++ {
		f, length, err := s.try(off, off > s.off)
		if err != nil {
			return frame{}, err
		}
		if length == 0 {
			continue
		}
		if off > s.off {
			s.bad(s.off)
		}
		s.off, s.num = off+length, f.num
		return f, nil
	}
	return frame{}, io.EOF
}

// try reads the record at off. length is 0 if no valid record is there. searching
// means that off lies in a damaged range.
func (s *scanner) try(off int64, searching bool) (f frame, length int64, err error) {
	h, err := s.at(off, headerLen)
	if err != nil || h == nil {
		return f, 0, err
	}
	n := int64(binary.LittleEndian.Uint32(h[4:]))
	num := binary.LittleEndian.Uint32(h[8:])
	// At least num-1 headers precede record num, so a higher number is damage.
	possible := num > s.num && num <= s.limit && int64(num-1) <= off/headerLen
	if !possible || n > maxData || off+headerLen+n > s.size {
		return f, 0, nil
	}
	if searching { // bounds the cost: data that looks like records would make it quadratic
		if s.tries -= n + headerLen; s.tries < 0 {
			return f, 0, nil
		}
	}
	b, err := s.at(off, headerLen+n)
	if err != nil || b == nil {
		return f, 0, err
	}
	if crc32.Update(s.seed, castagnoli, b[4:]) != binary.LittleEndian.Uint32(b) {
		return f, 0, nil
	}
	f, _ = parse(b)
	return f, headerLen + n, nil
}

// at returns the n bytes at off, or nil if the file ends before.
func (s *scanner) at(off, n int64) ([]byte, error) {
	if rel := off - s.base; rel >= 0 && rel+n <= int64(len(s.buf)) {
		return s.buf[rel : rel+n], nil
	}
	want := min(max(n, s.block), s.size-off)
	if want < n {
		return nil, nil
	}
	buf := s.buf
	if !s.reuse || int64(cap(buf)) < want {
		buf = make([]byte, want)
	}
	got, err := s.f.ReadAt(buf[:want], off)
	if err != nil && !errors.Is(err, io.EOF) {
		s.buf = nil
		return nil, err
	}
	s.buf, s.base = buf[:got], off
	if int64(got) < n { // the file is shorter than s.size
		return nil, nil
	}
	return s.buf[:n], nil
}
