package spool

import "sort"

// maxAges bounds the number of marks in memory.
const maxAges = 4096

// mark says when a record was appended, in unix seconds.
type mark struct {
	seq Seq
	at  uint32
}

// ages looks up when a record was appended without reading the disk. It holds one
// mark for the first record of each second. Old marks are thinned out.
type ages struct{ marks []mark }

// add notes that seq was appended at the unix second at. Calls come in order of seq.
func (a *ages) add(seq Seq, at uint32) {
	k := len(a.marks)
	if k > 0 && a.marks[k-1].at == at {
		return
	}
	if k == maxAges { // remove every other mark of the older half
		k = maxAges / 4
		for i := range k {
			a.marks[i] = a.marks[2*i]
		}
		a.marks = a.marks[:k+copy(a.marks[k:], a.marks[maxAges/2:])]
	}
	a.marks = append(a.marks, mark{seq, at})
}

// of returns when seq was appended, in unix seconds, or 0 if there is no mark. Where
// marks were thinned out, the time is the nearest earlier mark's.
func (a *ages) of(seq Seq) uint32 {
	if len(a.marks) == 0 {
		return 0
	}
	return a.marks[a.index(seq)].at
}

// forget removes the marks that only records before oldest need.
func (a *ages) forget(oldest Seq) {
	if len(a.marks) > 0 {
		a.marks = a.marks[:copy(a.marks, a.marks[a.index(oldest):])]
	}
}

// index returns the index of the last mark at or before seq, else of the first mark.
func (a *ages) index(seq Seq) int {
	return max(sort.Search(len(a.marks), func(i int) bool { return a.marks[i].seq > seq })-1, 0)
}
