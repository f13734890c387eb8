package spool

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

const (
	headerLen = 16
	blockLen  = 256 << 10 // what a scan reads at once
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seedOf starts the CRCs of a segment's records.
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

// frame is one record as it stands in a segment. Its data is shared, not copied.
type frame struct {
	num, at uint32
	data    []byte
}

// parse reads the record at the start of b, which holds it whole, without its CRC.
func parse(b []byte) (f frame, length int) {
	n := int(binary.LittleEndian.Uint32(b[4:]))
	end := headerLen + n
	return frame{
		num:  binary.LittleEndian.Uint32(b[8:]),
		at:   binary.LittleEndian.Uint32(b[12:]),
		data: b[headerLen:end:end],
	}, end
}

// scanner reads a segment's records in order, past what is unreadable.
type scanner struct {
	f     io.ReaderAt
	size  int64           // bytes that count
	limit uint32          // highest number that counts
	seed  uint32          //
	reuse bool            // records are not kept by whoever scans
	block int64           // bytes that are read at once
	bad   func(off int64) // told of each unreadable place with something readable behind it

	off   int64  // of the next record; at the end, of what is unreadable there
	num   uint32 // of the last record
	buf   []byte
	base  int64
	tries int64 // bytes that may still be checked in search of a record
}

func newScanner(f io.ReaderAt, first Seq, size int64) *scanner {
	return &scanner{f: f, size: size, limit: 1<<32 - 1, seed: seedOf(first), block: blockLen,
		bad: func(int64) {}, tries: 4*size + 4*maxData}
}

// next returns the next record, or io.EOF. After io.EOF the scan may go on with a
// larger size and limit.
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

// try reads the record at off; length is 0 where there is none.
func (s *scanner) try(off int64, searching bool) (f frame, length int64, err error) {
	h, err := s.at(off, headerLen)
	if err != nil || h == nil {
		return f, 0, err
	}
	n := int64(binary.LittleEndian.Uint32(h[4:]))
	num := binary.LittleEndian.Uint32(h[8:])
	// A record takes at least its header, so number n cannot stand before n-1 headers.
	possible := num > s.num && num <= s.limit && int64(num-1) <= off/headerLen
	if !possible || n > maxData || off+headerLen+n > s.size {
		return f, 0, nil
	}
	if searching { // data made to look like records must not cost the square of a segment
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

// at returns the n bytes at off, nil where the file ends before.
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
	if int64(got) < n { // shorter than it was said to be
		return nil, nil
	}
	return s.buf[:n], nil
}
