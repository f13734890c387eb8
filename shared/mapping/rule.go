package mapping

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/topic"
)

// rule is a compiled mapping.
type rule struct {
	hash        string // see entry.hash
	filters     []string
	each        []step // nil: the whole payload
	hasEach     bool
	paths       tree
	outside     tree // with each: the paths that begin at the whole payload
	slots       int  // number of paths, each of which has a slot for its bytes
	whole       bool // a path is $, so the payload need not be JSON
	device      deviceID
	when        []condition
	pairs       *pairs // nil: none
	times       []int  // slots of the time, of which the first that has one counts; nil: the payload has no time
	zone        *time.Location
	measurement string
	fields      []fieldRule
	texts       []textRule

	found   atomic.Bool  // one of its paths was found in some message
	changes atomic.Int32 // messages with only what changed, in which nothing was found
	refused atomic.Bool  // a message was refused because none of its paths was ever found
}

// fieldRule says how one number is mapped.
type fieldRule struct {
	slots    []int  // the first that has a number counts
	terms    []term // of a sum or difference, which has no slots
	key      string
	settings settings.Field   // as written in hearth.yml
	field    *catalogue.Field // its declaration
	valueRule
}

// textRule says how one text is mapped.
type textRule struct {
	slots []int // the first that has a text counts
	key   string
}

// compile returns the rule of an entry. It notes mistakes in the file and then returns nil.
func (e entry) compile(ms *measurements) *rule {
	c := &compiler{entry: e, rule: &rule{hash: e.hash(), filters: e.Topic, zone: e.zone().Location()}}
	c.messages()
	c.values()
	if c.bad || e.wrong("", ms.declare(e, c.rule)) {
		return nil
	}
	return c.rule
}

// compiler compiles one entry.
type compiler struct {
	entry
	rule *rule
	bad  bool // a mistake was noted
}

// check notes err as a mistake at a key of the entry, if it is not nil.
func (c *compiler) check(key string, err error) { c.bad = c.wrong(key, err) || c.bad }

// slots adds the paths of one value to the rule and returns their slots. key is where
// the paths are written.
func (c *compiler) slots(key string, paths []settings.Path) (out []int) {
	for i, p := range paths {
		at := key
		if len(paths) > 1 {
			at = fmt.Sprintf("%s[%d]", key, i)
		}
		out = append(out, c.slot(at, string(p)))
	}
	return out
}

// slot adds a path to the rule and returns its slot. key is where the path is written.
func (c *compiler) slot(key, path string) int {
	if slot, ok := c.pairSlot(path); ok {
		return slot
	}
	in := path
	outside := strings.HasPrefix(path, "$$")
	if outside {
		in = path[1:]
	}
	steps, err := parsePath(in)
	switch {
	case err != nil:
	case slices.ContainsFunc(steps, isAny):
		err = fmt.Errorf("the path %q: * is only for a sum", path)
	case outside && !c.rule.hasEach:
		err = fmt.Errorf("the path %q: only with each is there a $$, the whole payload: write $", path)
	}
	if err != nil {
		c.check(key, err)
		return 0
	}
	if outside {
		return c.placeIn(&c.rule.outside, steps)
	}
	return c.place(steps)
}

// place adds a path to the rule and returns its slot.
func (c *compiler) place(steps []step) int {
	c.rule.whole = c.rule.whole || len(steps) == 0
	return c.placeIn(&c.rule.paths, steps)
}

func (c *compiler) placeIn(t *tree, steps []step) int {
	t.add(steps, c.rule.slots)
	c.rule.slots++
	return c.rule.slots - 1
}

// messages compiles which messages are mapped, and where their device and time are.
func (c *compiler) messages() {
	for i, f := range c.Topic {
		c.check(fmt.Sprintf(".topic[%d]", i), topic.Check(f))
	}
	if len(c.Fields)+len(c.Text) == 0 {
		c.check("", errors.New("a mapping needs fields or text"))
	}
	if c.Each != "" {
		var err error
		c.rule.each, err = parsePath(c.Each)
		c.rule.hasEach = true
		c.check(".each", err)
	}
	c.pairs()
	c.rule.device = c.deviceID(".device", c.Device.Device)
	c.conditions()
	c.rule.times = c.slots(".time", c.Time.Path)
}

// values compiles where the numbers and texts are.
func (c *compiler) values() {
	for _, key := range slices.Sorted(maps.Keys(c.Fields)) {
		m, err := compileField(c.Fields[key], key)
		c.check(".fields."+key, err)
		c.number(&m, ".fields."+key)
		c.rule.fields = append(c.rule.fields, m)
	}
	for _, key := range slices.Sorted(maps.Keys(c.Text)) {
		c.check(".text."+key, checkKey(key))
		if len(c.Text[key]) == 0 {
			c.check(".text."+key, errors.New("a text needs a path, as in $.key"))
		}
		c.rule.texts = append(c.rule.texts, textRule{c.slots(".text."+key, c.Text[key]), key})
	}
}

// zone returns the time zone of times without one.
func (e entry) zone() settings.Zone { return cmp.Or(e.Time.Zone, e.file.House.Zone) }

// hash is a hash of the entry's mapping, without the name, room, physical ids and
// maintenance of the device. It tells new and changed mappings from known ones.
func (e entry) hash() string {
	d := *e.Device
	d.Name, d.Room, d.Physical, d.Maintenance = "", "", nil, time.Time{}
	if len(d.Time.Path) > 0 {
		d.Time.Zone = e.zone()
	}
	b, _ := json.Marshal(d) // cannot fail: only texts and finite numbers
	hash := sha256.Sum256(b)
	return hex.EncodeToString(hash[:8])
}

// checkKey returns an error for a text that cannot be the key of a field.
func checkKey(key string) error {
	switch {
	case key == "" || catalogue.Key(key) != key:
		return fmt.Errorf("the key %q may have only lower-case letters, digits and underscores", key)
	case key == "time" || key == "device" || key == catalogue.Quality || key == catalogue.Suspect:
		return fmt.Errorf("the key %q is reserved", key)
	}
	return nil
}

// compileField returns the rule of one field, without its slot and declaration.
func compileField(f settings.Field, key string) (fieldRule, error) {
	m := fieldRule{key: key, settings: f, valueRule: valueRule{factor: 1, offset: f.Offset, sign: f.Unit}}
	if f.Factor != nil {
		m.factor = *f.Factor
	}
	var known bool
	if m.unit, known = catalogue.UnitOf(f.Unit); f.Unit != "" && !known && f.Factor == nil {
		return m, fmt.Errorf("the unit %q is unknown: give a factor, and end the key with the unit that is stored", f.Unit)
	}
	if len(f.Difference) > 0 && m.unit.Suffix == "celsius" { // of two temperatures
		m.unit = catalogue.Unit{Suffix: "kelvin", Symbol: "K", Factor: m.unit.Factor}
	}
	if known {
		m.key = m.unit.Key(key)
	} else {
		m.unit = catalogue.Unit{Factor: 1, Symbol: f.Unit}
	}
	return m, checkKey(m.key)
}
