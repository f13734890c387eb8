package function

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

// maxSeq is the largest number of a reading: JSON numbers are exact only up to it.
const maxSeq = 1 << 53

// numbers gathers the numbers of the edge readings in a batch.
type numbers struct {
	nodes map[string]map[string]*bootNumbers // by node and boot
}

// bootNumbers are the numbers of one boot of a node.
type bootNumbers struct {
	seqs        []uint64
	droppedUpTo uint64 // the edge has dropped what has not arrived up to this number
	first, last time.Time
}

// add adds the number of a reading, whether its values can be stored or not.
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

// dropped notes that a node has dropped all readings up to seq that have not arrived.
// It is ignored for a boot of which the batch has no reading.
func (n *numbers) dropped(node, boot string, seq uint64) {
	if b := n.nodes[node][boot]; b != nil {
		b.droppedUpTo = max(b.droppedUpTo, seq)
	}
}

// keep removes the nodes that the register has no room for: their numbers would fill the
// store. They get no acknowledgement.
func (n *numbers) keep(known func(node string) bool) {
	maps.DeleteFunc(n.nodes, func(node string, _ map[string]*bootNumbers) bool { return !known(node) })
}

// names lists the nodes, sorted.
func (n *numbers) names() []string { return slices.Sorted(maps.Keys(n.nodes)) }

// apply returns the updated numbering of the batch's nodes, and of boots with holes that
// may have to be given up. known is ordered by node and by when a boot was first seen.
func (n *numbers) apply(known []store.EdgeSeq, now time.Time) []store.EdgeSeq {
	var out []store.EdgeSeq
	knownNodes := map[string]int{} // boots
	knownBoots := map[[2]string]bool{}
	for _, e := range known {
		knownNodes[e.Node]++
		arrived := n.nodes[e.Node][e.Boot]
		if arrived == nil && len(e.Holes) == 0 {
			continue
		}
		knownBoots[[2]string{e.Node, e.Boot}] = true
		e.Holes, e.Lost = slices.Clone(e.Holes), slices.Clone(e.Lost)
		out = append(out, arrived.apply(e, now))
	}
	for _, node := range n.names() {
		boots := n.nodes[node]
		byArrival := slices.SortedFunc(maps.Keys(boots), func(a, b string) int {
			return cmp.Or(boots[a].first.Compare(boots[b].first), cmp.Compare(a, b))
		})
		for _, boot := range byArrival {
			if knownBoots[[2]string{node, boot}] {
				continue
			}
			e := store.EdgeSeq{Node: node, Boot: boot, Started: boots[boot].first}
			e.First = knownNodes[node] == 0 || knownNodes[node] >= store.MaxBoots
			knownNodes[node]++
			out = append(out, boots[boot].apply(e, now))
		}
	}
	return out
}

// apply returns the numbering of one boot with the batch's numbers. n may be nil: then
// it only gives up holes that are too old.
func (n *bootNumbers) apply(e store.EdgeSeq, now time.Time) store.EdgeSeq {
	if n != nil {
		slices.Sort(n.seqs)
		for _, seq := range n.seqs {
			markStored(&e, seq, now)
		}
		giveUpTo(&e, n.droppedUpTo)
		if n.last.After(e.Seen) {
			e.Seen = n.last
		}
	}
	giveUpExpired(&e, now)
	return e
}

// acks returns the numbering to acknowledge for each node. That is one boot of the node:
// the boot of the reading that arrived last in this batch; of several at one time the
// boot that was seen first last, then the boot whose name sorts last. While an edge
// catches up, live readings and those of earlier boots alternate, and so do the
// acknowledged boots.
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
