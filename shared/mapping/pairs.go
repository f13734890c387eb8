package mapping

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hearth-home/hearth/shared/scan"
)

// pairs is where a message has ids with values, of which fields take one by its id.
type pairs struct {
	whole  bool   // the message is one pair; else it has a list of them
	list   []step // of the list or object of pairs
	paths  tree   // in a pair
	slots  int    // of a pair
	id     deviceID
	values []int            // slots of the value, of which the first that has one counts
	byID   map[string][]int // slots of the rule, by the id whose value they take
}

var (
	errPairs  = errors.New("pairs need id and value, as in {list: $.sensors, id: $.type, value: $.v}; without a list the message is one pair")
	errPairID = errors.New("the id is the same for all pairs: write a path, as in $.type")
)

// pairs compiles where the pairs are.
func (c *compiler) pairs() {
	in := c.Device.Pairs
	if in == nil {
		return
	}
	p := &pairs{whole: in.List == "", byID: map[string][]int{}}
	c.rule.pairs = p
	if len(in.ID) == 0 || len(in.Value) == 0 {
		c.check(".pairs", errPairs)
	}
	if !p.whole {
		var err error
		p.list, err = parsePath(string(in.List))
		c.check(".pairs.list", err)
	}
	of := &compiler{entry: c.entry, rule: &rule{hasEach: !p.whole}} // the paths in a pair
	if path := fmt.Sprint(in.List, in.ID, in.Value); strings.Contains(path, "$$") {
		c.check(".pairs", errors.New("$$ is only for the paths outside of pairs: those of a pair begin at the pair, with $"))
		return
	}
	if p.id = of.deviceID(".pairs.id", in.ID); p.id.literal != "" {
		c.check(".pairs.id", errPairID)
	}
	p.values = of.slots(".pairs.value", in.Value)
	p.paths, p.slots = of.rule.paths, of.rule.slots
	c.rule.whole = c.rule.whole || p.whole && of.rule.whole // a message may be a word
	c.bad = c.bad || of.bad
}

// pairSlot returns a slot for the value of an id. ok is false if the path is none: it
// begins with $, or there are no pairs.
func (c *compiler) pairSlot(path string) (slot int, ok bool) {
	p := c.rule.pairs
	if p == nil || path == "" || strings.HasPrefix(path, "$") {
		return 0, false
	}
	slot = c.rule.slots
	c.rule.slots++
	p.byID[path] = append(p.byID[path], slot)
	return slot, true
}

// find puts the value of each id into the slots of the rule that take it. Pairs that
// lack an id or a value are passed over. Of two pairs with one id the last counts. seen
// is emptyList if there are no pairs.
func (p *pairs) find(topicName string, doc []byte, into [][]byte) (seen sight, err error) {
	if p.whole {
		return nothing, p.one(topicName, "", doc, into)
	}
	seen = emptyList
	err = elements(doc, p.list, func(key string, element []byte) error {
		seen = nothing
		return p.one(topicName, key, element, into)
	})
	if err == errNoPath || errors.Is(err, errNoList) {
		return nothing, nil
	}
	return seen, err
}

func (p *pairs) one(topicName, key string, pair []byte, into [][]byte) error {
	at := make([][]byte, p.slots)
	if err := p.paths.find(scan.New(pair), at); err != nil {
		return err
	}
	id, err := p.id.of(topicName, key, at)
	if err != nil {
		return nil
	}
	var value []byte // null if none of the paths has one
	for _, v := range p.values {
		if raw := at[v]; raw != nil {
			value = raw
			if !IsEmpty(raw) {
				break
			}
		}
	}
	for _, slot := range p.byID[id] {
		if into[slot] == nil || value != nil && !IsEmpty(value) {
			into[slot] = value
		}
	}
	return nil
}
