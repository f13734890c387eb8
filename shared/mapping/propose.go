package mapping

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/scan"
)

const (
	maxProposed = 200 // values of a payload: a device has room for 250
	maxIndexes  = 32  // elements of a list
	maxText     = 200 // bytes of a text: what is stored of it
)

// Propose returns a block for hearth.yml that maps every value of messages like this
// one: numbers, words with an opposite as 0 and 1, other texts. A person must edit it:
// the keys and units are guesses. It returns an error if the payload has no value.
func Propose(topicName string, payload []byte) (string, error) {
	return (&Proposer{}).Propose(topicName, payload)
}

// Proposer proposes blocks that can stand together in one file.
type Proposer struct {
	Set    *Set            // the mappings of the file; nil: none
	number map[string]bool // what the blocks so far have: true a number, false a text, by key
}

// Propose is Propose, with keys that are not of the other type elsewhere.
func (all *Proposer) Propose(topicName string, payload []byte) (string, error) {
	p := &proposal{all: all, device: device.ID(topicName), topic: topicName, used: map[string]bool{}}
	if err := p.collect(payload); err != nil {
		return "", err
	}
	if err := p.settle(payload); err != nil {
		return "", err
	}
	if all.number == nil {
		all.number = map[string]bool{}
	}
	for _, v := range p.values {
		all.number[v.key] = !v.text
	}
	return p.block(), nil
}

// proposal is a block that is being made.
type proposal struct {
	all           *Proposer
	device, topic string
	mac, unique   bool     // the id of the sender is a MAC address; no other device has the same
	senders       []string // keys that tell apart the devices on the topic
	receivers     []string // keys that do if there is no unique one
	doubtful      []string // keys that may
	time          string
	unit          string // that a key of its own names
	values        []proposed
	more          bool            // values are left out
	used          map[string]bool // by key
}

// collect finds the values of the payload. One that is not JSON is a value itself.
func (p *proposal) collect(payload []byte) error {
	s := scan.New(payload)
	err := p.value(s, nil)
	if err == nil {
		err = s.End()
	}
	plain := strings.TrimSpace(string(payload))
	if err != nil {
		if !printableText(plain) || strings.ContainsAny(plain[:1], `{["`) {
			return fmt.Errorf("the payload is neither JSON nor a number or a word: %.60q", payload)
		}
		raw, _ := json.Marshal(plain) // cannot fail: any text is valid
		p.values, p.time, p.senders, p.receivers, p.doubtful, p.mac, p.unique = nil, "", nil, nil, nil, false, false
		p.scalar(raw, nil)
	}
	if len(p.values) == 0 {
		return errors.New("there is no value in the payload")
	}
	return nil
}

func (p *proposal) value(s *scan.Scanner, at []step) error {
	switch s.Kind() {
	case scan.Object:
		return s.Object(func(key []byte) error { return p.value(s, append(slices.Clone(at), step{string(key), -1})) })
	case scan.Array:
		return s.Array(func(i int) error {
			if i >= maxIndexes {
				p.more = true
				return s.Skip()
			}
			return p.value(s, append(slices.Clone(at), step{"", i}))
		})
	case scan.Number, scan.Bool, scan.String:
		raw, err := s.Raw()
		if err == nil {
			p.scalar(raw, at)
		}
		return err
	}
	return s.Skip()
}

// sender notes whether a value tells apart the devices on the topic.
func (p *proposal) sender(raw []byte, at []step) {
	if len(at) != 1 || at[0].index >= 0 || len(raw) > maxSender || strings.ContainsAny(at[0].key, "\n\r") {
		return
	}
	key := at[0].key
	if _, known := LookupAlias(key); known || NoValue(text(raw)) || slices.Contains(p.senders, key) {
		return
	}
	p.mac = p.mac || key == "id" && IsMAC(text(raw))
	switch role := RoleOf(key, raw); {
	case role == Receiver && !slices.Contains(p.receivers, key):
		p.receivers = append(p.receivers, key)
	case (role == Sender || role == Part) && !Says(p.topic, text(raw)):
		p.senders, p.unique = append(p.senders, key), p.unique || IsUnique(text(raw))
	case role == Doubtful:
		p.doubtful = append(p.doubtful, key)
	}
}

const maxParts = 6 // of a proposed id

// id writes the device: the topic, and what tells apart the devices on it.
func (p *proposal) id() string {
	senders := slices.Clone(p.senders)
	if p.mac {
		senders = slices.DeleteFunc(senders, Describes)
	}
	if !p.unique {
		senders = append(senders, p.receivers...)
	}
	with := func(keys []string) string {
		slices.SortFunc(keys, CompareSenders)
		id := p.device
		for _, k := range keys[:min(len(keys), maxParts)] {
			id += "-{" + writePath([]step{{k, -1}}) + "}"
		}
		return quote(id)
	}
	switch {
	case len(senders) > 0:
		return with(senders)
	case len(p.doubtful) > 0:
		return quote(p.device) + " # or, if several devices send there, " + with(p.doubtful)
	}
	return quote(p.device)
}

var timeKeys = map[string]bool{"time": true, "timestamp": true, "ts": true, "datetime": true, "last_seen": true}

// scalar adds a value: the first time of the payload as its time.
func (p *proposal) scalar(raw []byte, at []step) {
	path := writePath(at)
	p.more = p.more || len(p.values) >= maxProposed
	p.sender(raw, at)
	p.noteUnit(raw, at)
	if _, err := parsePath(path); err != nil || len(p.values) >= maxProposed || strings.ContainsAny(path, "\n\r") {
		return
	}
	if p.time == "" && len(at) > 0 && timeKeys[strings.ToLower(at[len(at)-1].key)] {
		_, number := strconv.ParseFloat(text(raw), 64) // a small one is no time, a date of a clock that is not set is
		if t, err := ParseTime(text(raw), time.UTC); err == nil && (number != nil || catalogue.CheckTime(t, t) == nil) {
			p.time = path
			return
		}
	}
	v := proposed{at: at, factor: 1, name: cmp.Or(nameOf(at), "value")}
	if scan.New(raw).Kind() == scan.String && !v.readText(text(raw), raw) {
		return
	}
	if len(at) == 1 && at[0].index < 0 && !v.text && v.words == "" {
		v.alias(at[0].key)
	}
	v.signOf(at)
	p.values = append(p.values, v)
}

// settle gives each value its key. A value that the field of a known key cannot read gets
// a key of its own, and one that no field can read is a text.
func (p *proposal) settle(payload []byte) error {
	for i := range p.values {
		p.values[i].takeUnit(p.unit)
		p.setKey(&p.values[i])
	}
	for _, asText := range []bool{false, true} {
		found, err := p.try(payload)
		if err != nil {
			return err
		}
		for i := range p.values {
			if v := &p.values[i]; !v.in(found) {
				p.used[v.key], p.used[v.stored()] = false, false
				*v = proposed{at: v.at, name: v.name, words: v.words, factor: 1, text: asText}
				p.setKey(v)
			}
		}
	}
	_, err := p.try(payload)
	return err
}

// try maps the payload with the block. What single fields cannot read is no error.
func (p *proposal) try(payload []byte) (found Found, err error) {
	s, err := Parse([]byte(p.block()))
	if err != nil {
		return found, err
	}
	all, _, _ := s.Find(p.topic, payload)
	if len(all) > 0 {
		found = all[0]
	}
	return found, nil
}

// setKey sets the key of a value, which no other has, nor one of the other type.
func (p *proposal) setKey(v *proposed) {
	key := v.key
	bad := func() bool { return checkKey(key) != nil || p.taken(key, v.text) || p.taken(v.storedAs(key), v.text) }
	if bad() {
		key = catalogue.Key(v.name)
	}
	if checkKey(key) != nil {
		key = strings.Trim("value_"+key, "_")
	}
	base := key
	for n := 2; bad(); n++ {
		key = catalogue.Key(fmt.Sprintf("%.50s_%d", base, n))
	}
	v.key = key
	p.used[v.key], p.used[v.stored()] = true, true
}

// taken reports whether another value has a key, or one of the other type somewhere else.
func (p *proposal) taken(key string, isText bool) bool {
	if p.used[key] {
		return true
	}
	if number, known := p.all.number[key]; known && number == isText {
		return true
	}
	if p.all.Set == nil {
		return false
	}
	for _, m := range p.all.Set.measurements {
		if f, ok := m.Field(key); isText && ok && f.Key == key || !isText && slices.Contains(m.Text, key) {
			return true
		}
	}
	return false
}

// block writes the proposal for hearth.yml.
func (p *proposal) block() string {
	var b strings.Builder
	fmt.Fprintf(&b, "devices:\n  - device: %s\n    topic: %s\n", p.id(), quote(p.topic))
	if p.time != "" {
		fmt.Fprintf(&b, "    time: %s\n", quote(p.time))
	}
	for _, texts := range []bool{false, true} {
		head := map[bool]string{false: "    fields:\n", true: "    text:\n"}[texts]
		for _, v := range p.values {
			if v.text == texts {
				b.WriteString(head)
				head = ""
				fmt.Fprintf(&b, "      %s: %s\n", quote(v.key), v.write())
			}
		}
	}
	if p.more {
		fmt.Fprintf(&b, "    # the message has more: at most %d elements of a list and %d values are proposed\n", maxIndexes, maxProposed)
	}
	return b.String()
}

// quote writes a YAML scalar that is always read as a text.
func quote(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-/.$") == "" && s[0] >= 'a' && s[0] <= 'z' &&
		!slices.Contains([]string{"true", "false", "yes", "no", "on", "off", "null", "y", "n"}, strings.ToLower(s)) {
		return s
	}
	if strings.HasPrefix(s, "$") && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$.") == "" {
		return s
	}
	return strconv.Quote(strings.ToValidUTF8(s, ""))
}
