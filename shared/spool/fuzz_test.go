package spool

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
)

// FuzzSegment scans any bytes as a segment. The scan must end and return records in
// order that fit into the file. A spool with that segment must open and work.
func FuzzSegment(f *testing.F) {
	whole := appendRecord(appendRecord(nil, seedOf(1), 1, 7, []byte("first")), seedOf(1), 2, 7, []byte("second"))
	f.Add([]byte{}, false)
	f.Add(whole, false)
	f.Add(whole, true)
	f.Add(whole[:len(whole)-1], false)
	f.Add(append(slices.Clone(whole), make([]byte, 100)...), false)
	f.Add(append([]byte{1, 2, 3}, whole...), true)
	f.Add(bytes.Repeat([]byte{0xff}, 64), false)
	f.Add(appendRecord(nil, seedOf(1), 1<<31, 7, nil), false)
	f.Fuzz(func(t *testing.T, data []byte, old bool) {
		s := newScanner(bytes.NewReader(data), 1, int64(len(data)))
		var last uint32
		var total int
		for {
			r, err := s.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil || r.num <= last {
				t.Fatalf("%d after %d, %v", r.num, last, err)
			}
			last = r.num
			total += headerLen + len(r.data)
		}
		if total > len(data) {
			t.Fatalf("%d bytes of records in %d bytes", total, len(data))
		}
		reopenWith(t, data, old, s.num)
	})
}

// reopenWith opens a spool with a segment of data. If old, a newer segment follows it.
func reopenWith(t *testing.T, data []byte, old bool, known uint32) {
	mem := newMemFS()
	files := map[string][]byte{"d/00000000000000000001.log": data}
	if old {
		files["d/00000000000001000000.log"] = nil
	}
	for name, content := range files {
		mem.names[name] = &inode{now: slices.Clone(content), disk: slices.Clone(content)}
		mem.durable[name] = mem.names[name]
	}
	l, _, err := Open("d", Options{FS: mem, CursorEvery: never})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r := mustReader(t, l, "r")
	seq := mustAppend(t, l, "goes on")
	recs := readAll(t, r)
	if len(recs) == 0 || recs[len(recs)-1].Seq != seq || string(recs[len(recs)-1].Data) != "goes on" {
		t.Fatalf("%d records, the last is not the one appended", len(recs))
	}
	if !old && seq != Seq(known)+1 {
		t.Fatalf("number %d after %d", seq, known)
	}
	for i := 1; i < len(recs); i++ {
		if recs[i].Seq <= recs[i-1].Seq {
			t.Fatalf("%d after %d", recs[i].Seq, recs[i-1].Seq)
		}
	}
}

// FuzzCursors decodes any bytes as a cursor file: the result is an error or valid cursors.
func FuzzCursors(f *testing.F) {
	b, err := encodeCursors(3, map[string]*cursor{"r": {Next: 7, Lost: 1}, "s": {Next: maxSeq}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:40])
	f.Add([]byte(cursorMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, cursors, err := decodeCursors(data)
		for name, p := range cursors {
			if err != nil || p == nil || p.Next > maxSeq {
				t.Fatalf("%q at %v, %v", name, p, err)
			}
		}
	})
}
