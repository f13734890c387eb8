package spool

import "sort"

// chunkLen is the memory allocated at once for new records.
const chunkLen = 64 << 10

// chunk holds consecutive records, encoded as on disk. Published bytes never change,
// so readers return slices of them.
type chunk struct {
	first Seq
	buf   []byte // published up to its length; the writer fills its capacity
}

// tail caches the newest records in memory, for readers that keep up with the appends.
type tail struct {
	chunks []*chunk
	bytes  int64
}

// find returns the chunk that holds seq, or nil if seq is older than the cache.
func (t *tail) find(seq Seq) *chunk {
	i := sort.Search(len(t.chunks), func(i int) bool { return t.chunks[i].first > seq })
	if i == 0 {
		return nil
	}
	return t.chunks[i-1]
}

// draft holds encoded records that are not yet published.
type draft struct {
	last  *chunk   // the newest published chunk, nil if there is none
	grown []byte   // last.buf and the draft's records that fit behind it
	added []*chunk // new chunks for the other records
	at    uint32   // the time of all records, unix seconds
}

// newDraft returns an empty draft whose records follow the published ones.
func (t *tail) newDraft(at uint32) draft {
	if len(t.chunks) == 0 {
		return draft{at: at}
	}
	last := t.chunks[len(t.chunks)-1]
	return draft{last: last, grown: last.buf, at: at}
}

// add encodes one record into the last chunk, or into a new one if it does not fit.
func (d *draft) add(seq Seq, seed, num uint32, data []byte) {
	need := headerLen + len(data)
	switch k := len(d.added) - 1; {
	case k >= 0 && cap(d.added[k].buf)-len(d.added[k].buf) >= need:
		d.added[k].buf = appendRecord(d.added[k].buf, seed, num, d.at, data)
	case k < 0 && d.last != nil && cap(d.grown)-len(d.grown) >= need:
		d.grown = appendRecord(d.grown, seed, num, d.at, data)
	default:
		buf := make([]byte, 0, max(chunkLen, need))
		d.added = append(d.added, &chunk{first: seq, buf: appendRecord(buf, seed, num, d.at, data)})
	}
}

// parts yields the draft's bytes to write to the segment, in order.
func (d *draft) parts(yield func([]byte) bool) {
	if d.last != nil && len(d.grown) > len(d.last.buf) && !yield(d.grown[len(d.last.buf):]) {
		return
	}
	for _, c := range d.added {
		if !yield(c.buf) {
			return
		}
	}
}

// publish makes d visible to readers and removes the oldest chunks over limit bytes.
func (t *tail) publish(d draft, limit int64) {
	if d.last != nil {
		d.last.buf = d.grown
	}
	for _, c := range d.added {
		t.chunks = append(t.chunks, c)
		t.bytes += int64(cap(c.buf))
	}
	drop := 0
	for drop < len(t.chunks)-1 && t.bytes > limit {
		t.bytes -= int64(cap(t.chunks[drop].buf))
		drop++
	}
	if drop > 0 {
		n := copy(t.chunks, t.chunks[drop:])
		clear(t.chunks[n:])
		t.chunks = t.chunks[:n]
	}
}
