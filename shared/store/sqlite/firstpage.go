package sqlite

import (
	"encoding/binary"
	"errors"
	"os"
	"slices"
)

// page is the size of a file's pages; Open creates all files with it.
const page = 1024

// schemaLeaf is a page with rows of sqlite_schema, which name the tables.
type schemaLeaf struct {
	number uint32
	last   uint64 // the highest row
}

// withFirstPage copies the file and writes its first page anew, which names the pages of
// sqlite_schema. These are found by their content.
func withFirstPage(from string) func(string) error {
	return func(to string) error {
		if err := copyFile(from, to); err != nil {
			return err
		}
		f, err := os.OpenFile(to, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return err
		}
		var leaves []schemaLeaf
		b := make([]byte, page)
		for n := int64(1); (n+1)*page <= info.Size(); n++ { // page n+1; the first one is page 1
			if _, err := f.ReadAt(b, n*page); err != nil {
				return err
			}
			if last, ok := schemaRows(b); ok {
				leaves = append(leaves, schemaLeaf{uint32(n + 1), last})
			}
		}
		if first := firstPage(info.Size(), leaves); first != nil {
			_, err = f.WriteAt(first, 0)
		}
		return errors.Join(err, f.Sync())
	}
}

// schemaRows reports whether a page is a leaf of sqlite_schema, and its highest row
// (https://www.sqlite.org/fileformat.html#b_tree_pages).
func schemaRows(b []byte) (last uint64, ok bool) {
	n := int(binary.BigEndian.Uint16(b[3:]))
	if b[0] != 0x0d || n == 0 || 8+2*n > len(b) {
		return 0, false
	}
	for i := range n {
		at := int(binary.BigEndian.Uint16(b[8+2*i:]))
		if at >= len(b) {
			return 0, false
		}
		cell := b[at:]
		_, cell = varint(cell) // the payload's size
		row, cell := varint(cell)
		size, rest := varint(cell) // of the record's header: the types of its columns
		kind, rest := varint(rest)
		body := int(size) + int(kind-13)/2
		if size < 6 || size > 20 || kind < 13 || kind > 40 || kind%2 == 0 || len(rest) == 0 || body > len(cell) {
			return 0, false
		}
		if !slices.Contains([]string{"table", "index", "view", "trigger"}, string(cell[size:body])) {
			return 0, false
		}
		last = max(last, row)
	}
	return last, true
}

// varint reads SQLite's integer of one to nine bytes.
func varint(b []byte) (v uint64, rest []byte) {
	for i := 0; i < len(b) && i < 9; i++ {
		if i == 8 {
			return v<<8 | uint64(b[i]), b[9:]
		}
		v = v<<7 | uint64(b[i]&0x7f)
		if b[i] < 0x80 {
			return v, b[i+1:]
		}
	}
	return 0, nil
}

// firstPage returns a first page whose tree has these leaves, or nil if there are none or
// too many.
func firstPage(size int64, leaves []schemaLeaf) []byte {
	if len(leaves) == 0 || len(leaves) > 60 {
		return nil
	}
	slices.SortFunc(leaves, func(a, b schemaLeaf) int { return int(a.last) - int(b.last) })
	b := make([]byte, page)
	copy(b, header(size))
	inner, end := len(leaves)-1, page
	for i, leaf := range leaves[:inner] {
		cell := binary.BigEndian.AppendUint32(nil, leaf.number)
		if leaf.last >= 0x80 {
			cell = append(cell, byte(leaf.last>>7)|0x80)
		}
		cell = append(cell, byte(leaf.last&0x7f))
		end -= len(cell)
		copy(b[end:], cell)
		binary.BigEndian.PutUint16(b[112+2*i:], uint16(end))
	}
	b[100] = 5 // an inner page of a table
	binary.BigEndian.PutUint16(b[103:], uint16(inner))
	binary.BigEndian.PutUint16(b[105:], uint16(end))
	binary.BigEndian.PutUint32(b[108:], leaves[inner].number)
	return b
}

// withBeginning copies the file and replaces what stands before the tree of its first page.
func withBeginning(from string) func(string) error {
	return func(to string) error {
		if err := copyFile(from, to); err != nil {
			return err
		}
		f, err := os.OpenFile(to, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		info, err := f.Stat()
		if err == nil && info.Size() >= page {
			_, err = f.WriteAt(header(info.Size()), 0)
		}
		return errors.Join(err, f.Close())
	}
}

// header returns the first 100 bytes of a file of this size that Open creates
// (https://www.sqlite.org/fileformat.html#the_database_header).
func header(size int64) []byte {
	h := make([]byte, 100)
	copy(h, "SQLite format 3\x00")
	put := func(at int, v uint32) {
		h[at], h[at+1], h[at+2], h[at+3] = byte(v>>24), byte(v>>16), byte(v>>8), byte(v)
	}
	h[16], h[17] = page>>8, 0                // page size
	h[18], h[19] = 1, 1                      // without a log
	h[21], h[22], h[23] = 64, 32, 32         // fixed
	put(24, 1)                               // change counter
	put(28, uint32(min(size/page, 1<<32-1))) // pages
	put(40, 1)                               // schema cookie
	put(44, 4)                               // schema format
	put(56, 1)                               // UTF-8
	put(92, 1)                               // the change counter for which the number of pages is right
	return h
}
