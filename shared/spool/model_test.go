package spool

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"
)

// model is a simple implementation of a spool, to compare the real one with.
type model struct {
	l       *Log
	o       Options
	dir     string
	data    [][]byte // all appended records; the first has number 1
	oldest  Seq      // the oldest record that the spool must still have
	readers map[string]*modelReader
}

type modelReader struct {
	r           *Reader
	pos, cursor Seq
	lost        uint64
	handed      []Seq // read and not committed
	reopened    bool  // lost does not count losses before the reader was opened again
}

func (m *model) next() Seq { return Seq(len(m.data) + 1) }

func (m *model) open(t *rapid.T) {
	var report Report
	var err error
	if m.l, report, err = Open(m.dir, m.o); err != nil || len(report.Problems) > 0 {
		t.Fatalf("%v, %v", err, report.Problems)
	}
	for _, r := range m.readers {
		r.r, r.reopened = nil, true
	}
}

// reader returns a reader, opened if it is not.
func (m *model) reader(t *rapid.T, name string) *modelReader {
	r := m.readers[name]
	if r == nil {
		r = &modelReader{cursor: m.l.oldest()}
		m.readers[name] = r
	}
	if r.r == nil {
		var err error
		if r.r, err = m.l.Reader(name); err != nil {
			t.Fatal(err)
		}
		r.pos, r.handed = r.cursor, nil
	}
	return r
}

func (m *model) append(t *rapid.T) {
	sizes := rapid.SliceOfN(rapid.IntRange(0, 300), 0, 20).Draw(t, "sizes")
	records := make([][]byte, len(sizes))
	for i, n := range sizes {
		records[i] = bytes.Repeat([]byte{byte(len(m.data) + i)}, n)
	}
	before := m.l.Stats()
	first, err := m.l.Append(t.Context(), records...)
	after := m.l.Stats()
	switch {
	case errors.Is(err, ErrFull) && m.o.Policy == RefuseNewest && before.records > 0,
		errors.Is(err, errTooLarge) && (m.o.MaxBytes > 0 || m.o.MaxRecords > 0):
		if after.Dropped != before.Dropped || after.Appended != before.Appended {
			t.Fatalf("a refused append changed %+v to %+v", before, after)
		}
		return
	case err != nil:
		t.Fatal(err)
	case len(records) > 0 && first != m.next():
		t.Fatalf("number %d, want %d", first, m.next())
	}
	m.data = append(m.data, records...)
	m.oldest = m.l.oldest()
	m.cap(t, records, before, after)
}

// cap checks that the cap is kept, and that nothing is dropped without need.
func (m *model) cap(t *rapid.T, records [][]byte, before, after Stats) {
	maxBytes, maxRecords := m.l.opt.MaxBytes, m.l.opt.MaxRecords
	if after.Bytes > maxBytes || int64(after.records) > maxRecords {
		t.Fatalf("%+v is over the cap", after)
	}
	bytes := before.Bytes
	for _, r := range records {
		bytes += headerLen + int64(len(r))
	}
	need := bytes > maxBytes || int64(before.records)+int64(len(records)) > maxRecords
	if after.Dropped > before.Dropped && (!need || m.o.Policy == RefuseNewest) {
		t.Fatalf("dropped without need: %+v, then %+v", before, after)
	}
}

func (m *model) read(t *rapid.T) {
	r := m.reader(t, m.anyReader(t))
	limit, maxBytes := rapid.IntRange(1, 40).Draw(t, "limit"), rapid.SampledFrom([]int{0, 1, 500}).Draw(t, "bytes")
	recs, err := r.r.take(limit, maxBytes)
	if err != nil {
		t.Fatal(err)
	}
	r.pos = max(r.pos, r.cursor)
	if r.pos < m.oldest {
		r.lost += uint64(m.oldest - r.pos)
		r.pos = m.oldest
	}
	total := 0
	for _, rec := range recs {
		if rec.Seq != r.pos || !bytes.Equal(rec.Data, m.data[rec.Seq-1]) {
			t.Fatalf("record %d is %.20x, want %d", rec.Seq, rec.Data, r.pos)
		}
		r.handed = append(r.handed, rec.Seq)
		r.pos++
		total += len(rec.Data)
	}
	switch { // all available records up to the limits, and no more
	case len(recs) > limit, maxBytes > 0 && len(recs) > 1 && total > maxBytes:
		t.Fatalf("%d records of %d bytes, asked for %d, %d", len(recs), total, limit, maxBytes)
	case len(recs) < limit && r.pos < m.next() && (maxBytes == 0 || total+len(m.data[r.pos-1]) <= maxBytes):
		t.Fatalf("only %d records of %d, at %d of %d", len(recs), limit, r.pos, m.next())
	}
}

func (m *model) commit(t *rapid.T) {
	r := m.reader(t, m.anyReader(t))
	if len(r.handed) == 0 {
		t.Skip("nothing handed out")
	}
	k := rapid.IntRange(0, len(r.handed)-1).Draw(t, "index")
	r.r.Commit(r.handed[k])
	r.cursor = max(r.cursor, r.handed[k]+1)
	r.handed = r.handed[k+1:]
}

func (m *model) anyReader(t *rapid.T) string {
	return rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "reader")
}

// check compares the spool's state with the model.
func (m *model) check(t *rapid.T) {
	if got := m.l.Next(); got != m.next() {
		t.Fatalf("next %d, want %d", got, m.next())
	}
	for name, r := range m.readers {
		if r.r == nil {
			continue
		}
		want := uint64(m.next() - max(r.cursor, m.l.oldest()))
		if lag := r.r.Lag(); lag.Records != want || (lag.Records == 0) != lag.Oldest.IsZero() {
			t.Fatalf("%s lags %+v, want %d", name, lag, want)
		}
		missed := r.lost
		if pos := max(r.pos, r.cursor); m.oldest > pos {
			missed += uint64(m.oldest - pos)
		}
		if lag := r.r.Lag(); lag.Lost != missed && !r.reopened {
			t.Fatalf("%s counts %d lost records, want %d", name, lag.Lost, missed)
		}
	}
}

func (m *model) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"": m.check, "append": m.append, "append more": m.append, "read": m.read, "commit": m.commit,
		"sync": func(t *rapid.T) {
			if err := m.l.Sync(); err != nil {
				t.Fatal(err)
			}
		},
		"close reader": func(t *rapid.T) {
			r := m.reader(t, m.anyReader(t))
			if err := r.r.Close(); err != nil {
				t.Fatal(err)
			}
			r.r, r.reopened = nil, true
		},
		"remove reader": func(t *rapid.T) {
			name := m.anyReader(t)
			if err := errors.Join(m.reader(t, name).r.Close(), m.l.RemoveReader(name)); err != nil {
				t.Fatal(err)
			}
			delete(m.readers, name)
		},
		"reopen": func(t *rapid.T) {
			if err := m.l.Close(); err != nil {
				t.Fatal(err)
			}
			m.open(t)
		},
	}
}

func TestAnySequenceOfCallsKeepsFirstInFirstOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{dir: "d", oldest: 1, readers: map[string]*modelReader{}}
		m.o = Options{
			FS: newMemFS(), CursorEvery: never,
			SegmentBytes: rapid.Int64Range(1, 4000).Draw(t, "segment"),
			MaxBytes:     rapid.SampledFrom([]int64{0, 0, 5000}).Draw(t, "max bytes"),
			MaxRecords:   rapid.SampledFrom([]int64{0, 0, 1, 30}).Draw(t, "max records"),
			Policy:       rapid.SampledFrom([]Policy{DropOldest, RefuseNewest}).Draw(t, "policy"),
			Memory:       rapid.SampledFrom([]int64{1, 1 << 20}).Draw(t, "memory"),
		}
		m.open(t)
		t.Repeat(m.actions())
	})
}
