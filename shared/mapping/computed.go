package mapping

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/computed"
	"github.com/hearth-home/hearth/shared/settings"
)

// computedField is a value that an entry without a topic computes, and where it is
// written.
type computedField struct {
	*computed.Value
	entry
	key string
}

// Computed returns the values that are computed from those of devices; nil if there are
// none.
func (s *Set) Computed() *computed.Set { return s.computed }

var (
	errNoTopic  = errors.New("this is for messages: the entry needs a topic")
	errMembers  = errors.New("without a topic a field needs sum or difference of values of devices, as in {sum: [pdu-a.power_watts, pdu-b.power_watts]}")
	errOnlyPath = errors.New("step, counter and words are only for a field of a message")
)

// addComputed compiles the fields of an entry without a topic.
func (s *Set) addComputed(e entry, ms *measurements) (out []computedField) {
	c := &compiler{entry: e, rule: &rule{}}
	c.notForMessages()
	for _, key := range slices.Sorted(maps.Keys(e.Fields)) {
		f, at := e.Fields[key], ".fields."+key
		m, err := compileField(f, key)
		c.check(at, err)
		c.rule.fields = append(c.rule.fields, m)
		out = append(out, computedField{&computed.Value{Device: e.Device.Device[0], Key: m.key, Terms: c.members(at, f), Convert: m.valueRule.convert}, e, at})
	}
	if c.bad || len(out) == 0 || e.wrong("", ms.declare(e, c.rule)) {
		return nil
	}
	for i, f := range out {
		field := *c.rule.fields[i].field
		field.Step, field.Counter = 0, false // its members are judged already
		f.Measurement, f.Field = c.rule.measurement, &field
		if f.MaxAge = e.MaxAge; f.MaxAge == 0 {
			f.MaxAge, f.Derived = ms.usualAge(f.Measurement), true
		}
	}
	return out
}

// notForMessages notes settings that have no meaning without a topic.
func (c *compiler) notForMessages() {
	for _, k := range []struct {
		key     string
		written bool
	}{{"when", len(c.When) > 0}, {"each", c.Each != ""}, {"pairs", c.Pairs != nil}, {"time", len(c.Time.Path) > 0 || c.Time.Zone != ""}, {"text", len(c.Text) > 0}} {
		if k.written {
			c.check("."+k.key, errNoTopic)
		}
	}
}

const (
	pausesAllowed = 3         // so many expected pauses may pass until a value is too old
	defaultAge    = time.Hour // of a measurement without a cadence
)

// usualAge returns how old a value of a measurement may be.
func (ms *measurements) usualAge(measurement string) time.Duration {
	if m := ms.own[measurement]; m != nil && m.Cadence > 0 {
		return pausesAllowed * m.Cadence
	}
	return defaultAge
}

// convert converts a sum of values of devices to what is stored. It may be infinite.
func (r *valueRule) convert(v float64) float64 { return r.unit.Convert(v*r.factor + r.offset) }

// members compiles the terms of a computed field.
func (c *compiler) members(key string, f settings.Field) (out []computed.Term) {
	switch {
	case len(f.Path) > 0 || len(f.Sum) == 0 && len(f.Difference) == 0:
		c.check(key, errMembers)
	case len(f.Sum) > 0 && len(f.Difference) > 0:
		c.check(key, errSeveral)
	case f.Step != 0 || f.Counter || len(f.Words) > 0:
		c.check(key, errOnlyPath)
	case len(f.Sum) > 0:
		return c.memberTerms(key+".sum", f.Sum)
	case len(f.Difference) != 2:
		c.check(key+".difference", errDifference)
	default:
		out = c.memberTerms(key+".difference", f.Difference)
		for i := range out {
			out[i].Subtract = i == 1
			if out[i].Group != nil {
				c.check(key+".difference", errAny)
			}
		}
	}
	return out
}

var member = regexp.MustCompile(`^([a-z0-9_*-]+)\.([a-z0-9_]+)$`)

func (c *compiler) memberTerms(key string, members []settings.Path) (out []computed.Term) {
	for i, p := range members {
		at := key
		if len(members) > 1 {
			at = fmt.Sprintf("%s[%d]", key, i)
		}
		m := member.FindStringSubmatch(string(p))
		if m == nil {
			c.check(at, fmt.Errorf("%q is not a value of a device: write its id and its key, as in office-pc.power_watts, or rack-*.power_watts for a group", p))
			continue
		}
		t := computed.Term{Device: m[1], Metric: m[2]}
		if pieces := strings.Split(m[1], "*"); len(pieces) > 1 {
			t.Group = func(id string) bool { return matchPieces(pieces, id) }
		}
		out = append(out, t)
	}
	return out
}

// finishComputed makes the Set of computed values, without those that have a mistake:
// a value that is computed of computed ones, or comes from elsewhere too.
func (s *Set) finishComputed(fields []computedField) {
	all := computed.NewSet(valuesOf(fields))
	seen := map[string]bool{}
	good := slices.DeleteFunc(fields, func(f computedField) bool {
		name := f.Device() + "." + f.Key
		again := seen[name]
		seen[name] = true
		return f.wrong(f.key, f.conflict(again, all, s.rules))
	})
	s.computed = computed.NewSet(valuesOf(good))
}

// Device returns the id of the device.
func (f computedField) Device() string { return f.Value.Device }

// conflict returns why a value cannot be computed beside the others.
func (f computedField) conflict(again bool, all *computed.Set, rules []*rule) error {
	if again {
		return fmt.Errorf("%s.%s is computed twice: keep one", f.Device(), f.Key)
	}
	for _, t := range f.Terms {
		if t.Group == nil && all.Has(t.Device, t.Metric) {
			return fmt.Errorf("%s.%s is computed itself: write the values that it is computed from", t.Device, t.Metric)
		}
	}
	for _, r := range rules {
		if r.device.literal == f.Device() && slices.ContainsFunc(r.fields, func(m fieldRule) bool { return m.key == f.Key }) {
			return fmt.Errorf("%s.%s is mapped from messages already", f.Device(), f.Key)
		}
	}
	return nil
}

func valuesOf(fields []computedField) (out []*computed.Value) {
	for _, f := range fields {
		out = append(out, f.Value)
	}
	return out
}
