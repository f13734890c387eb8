package function

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

// maxSeq is the largest number of a reading: JSON writers keep no larger one.
const maxSeq = 1 << 53

// numbers gathers which numbered readings of edge nodes a batch brings.
type numbers struct {
	nodes map[string]map[string]*bootNumbers // by node and boot
}

// bootNumbers are those of one boot of a node.
type bootNumbers struct {
	seqs        []uint64
	gone        uint64 // nothing up to it is still to come
	first, last time.Time
}

// add notes one reading, whether its values are stored or can never be.
func (n *numbers) add(node, boot string, seq uint64, arrived time.Time) {
	if n.nodes == nil {
		n.nodes = map[string]map[string]*bootNumbers{}
	}
	boots := n.nodes[node]
	if boots == nil {
		boots = map[string]*bootNumbers{}
		n.nodes[node] = boots
	}
	b := boots[boot]
	if b == nil {
		b = &bootNumbers{first: arrived, last: arrived}
		boots[boot] = b
	}
	b.seqs = append(b.seqs, seq)
	if arrived.Before(b.first) {
		b.first = arrived
	}
	if arrived.After(b.last) {
		b.last = arrived
	}
}

// dropped notes that the node gave up all numbers up to seq that have not come,
// of a boot that something came of.
func (n *numbers) dropped(node, boot string, seq uint64) {
	if b := n.nodes[node][boot]; b != nil {
		b.gone = max(b.gone, seq)
	}
}

// names lists the nodes, in order.
func (n *numbers) names() []string { return slices.Sorted(maps.Keys(n.nodes)) }

// apply brings what is known of the nodes up to date. known is ordered by node
// and by when a boot was first seen.
func (n *numbers) apply(known []store.EdgeSeq, now time.Time) []store.EdgeSeq {
	var out []store.EdgeSeq
	heard := map[string]bool{}     // nodes that were known
	booted := map[[2]string]bool{} // boots that were known
	for _, e := range known {
		heard[e.Node] = true
		seen := n.nodes[e.Node][e.Boot]
		if seen == nil && len(e.Holes) == 0 {
			continue
		}
		booted[[2]string{e.Node, e.Boot}] = true
		e.Holes, e.Lost = slices.Clone(e.Holes), slices.Clone(e.Lost)
		out = append(out, seen.apply(e, now))
	}
	for _, node := range n.names() {
		boots := n.nodes[node]
		fresh := slices.SortedFunc(maps.Keys(boots), func(a, b string) int {
			return cmp.Or(boots[a].first.Compare(boots[b].first), cmp.Compare(a, b))
		})
		for _, boot := range fresh {
			if booted[[2]string{node, boot}] {
				continue
			}
			e := store.EdgeSeq{Node: node, Boot: boot, Started: boots[boot].first, First: !heard[node]}
			heard[node] = true
			out = append(out, boots[boot].apply(e, now))
		}
	}
	return out
}

func (n *bootNumbers) apply(e store.EdgeSeq, now time.Time) store.EdgeSeq {
	if n != nil {
		slices.Sort(n.seqs)
		for _, seq := range n.seqs {
			arrived(&e, seq, now)
		}
		giveUpTo(&e, n.gone)
		if n.last.After(e.Seen) {
			e.Seen = n.last
		}
	}
	expire(&e, now)
	return e
}

// acks returns up to where to acknowledge each node: one boot of it, that of the
// reading that arrived last in this batch. Of several that arrived at the same time
// it is the boot that was heard of last, and then the one that sorts last by name.
// While an edge catches up, live readings and those of earlier boots take turns, and
// so do their boots here.
func (n *numbers) acks(all []store.EdgeSeq) map[string]store.EdgeSeq {
	out := map[string]store.EdgeSeq{}
	for _, e := range all {
		seen := n.nodes[e.Node][e.Boot]
		if seen == nil || e.Upto == 0 {
			continue
		}
		best, ok := out[e.Node]
		if !ok || cmp.Or(seen.last.Compare(n.nodes[e.Node][best.Boot].last), e.Started.Compare(best.Started), cmp.Compare(e.Boot, best.Boot)) > 0 {
			out[e.Node] = e
		}
	}
	return out
}
