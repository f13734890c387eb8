package spool

import "sort"

// maxAges bounds what is known of when records were appended.
const maxAges = 4096

// mark is when a record was appended, in unix seconds.
type mark struct {
	seq Seq
	at  uint32
}

// ages tells when a record was appended, without reading it: there is a mark for
// each second in which records came, and fewer for what is long ago.
type ages struct{ marks []mark }

// add notes a record; the records come in order.
func (a *ages) add(seq Seq, at uint32) {
	k := len(a.marks)
	if k > 0 && a.marks[k-1].at == at {
		return
	}
	if k == maxAges { // every other mark of the older half goes
		k = maxAges / 4
		for i := range k {
			a.marks[i] = a.marks[2*i]
		}
		a.marks = a.marks[:k+copy(a.marks[k:], a.marks[maxAges/2:])]
	}
	a.marks = append(a.marks, mark{seq, at})
}

// of is when seq was appended, or a little earlier where the marks have gaps, in
// unix seconds; 0 where nothing is known.
func (a *ages) of(seq Seq) uint32 {
	if len(a.marks) == 0 {
		return 0
	}
	return a.marks[a.index(seq)].at
}

// forget drops what tells only of records before oldest.
func (a *ages) forget(oldest Seq) {
	if len(a.marks) > 0 {
		a.marks = a.marks[:copy(a.marks, a.marks[a.index(oldest):])]
	}
}

// index is the last mark not after seq, or the first.
func (a *ages) index(seq Seq) int {
	return max(sort.Search(len(a.marks), func(i int) bool { return a.marks[i].seq > seq })-1, 0)
}
