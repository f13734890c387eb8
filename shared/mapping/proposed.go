package mapping

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/device"
)

// proposed is a value of the payload.
type proposed struct {
	at     []step
	name   string // for a key
	key    string
	unit   string // of the payload, for hearth.yml
	factor float64
	words  string // of a number, for hearth.yml
	text   bool

	withUnit bool // the unit is behind the number
	absent   bool // a number that is not known at present
}

// nameOf joins the keys and indexes of a path.
func nameOf(at []step) string {
	var parts []string
	for _, s := range at {
		if s.index >= 0 {
			parts = append(parts, strconv.Itoa(s.index))
		} else {
			parts = append(parts, s.key)
		}
	}
	return strings.Join(parts, "_")
}

// readText sets what a text is: a word with an opposite, a number, perhaps with a unit
// behind it, or a text. It returns false for one that is not kept.
func (v *proposed) readText(s string, raw []byte) bool {
	s = strings.TrimSpace(s)
	if !printableText(s) || len(raw) > maxText+2 {
		return false
	}
	if v.words = wordsFor(v.name, s); v.words != "" {
		return true
	}
	_, unit, ok, err := parseText(s, defaultWords)
	v.absent = err == nil && !ok && (strings.Trim(s, "-–—?*. ") == "" || strings.EqualFold(s, "nan"))
	if v.text = (err != nil || !ok) && !v.absent; v.text {
		return true
	}
	if u, known := catalogue.UnitOf(unit); known && unit != "" {
		v.name, v.withUnit = u.Key(catalogue.Key(v.name)), true
	}
	return true
}

func printableText(s string) bool {
	return s != "" && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) || r == utf8.RuneError })
}

// alias takes the key and factor of a known key.
func (v *proposed) alias(key string) {
	if a, ok := aliases[key]; ok {
		if v.key = a.Key; !v.withUnit {
			v.factor = a.factor
		}
	}
}

// signs are endings of payloads' keys that are units. A single letter is one only behind
// the beginning of a word.
var signs = map[string]struct{ unit, behind string }{
	"C": {"°C", "temp"}, "F": {"°F", "temp"}, "W": {"W", "power"}, "V": {"V", "volt"}, "A": {"A", "current"},
	"hPa": {"hPa", ""}, "kPa": {"kPa", ""}, "mm": {"mm", ""}, "kW": {"kW", ""}, "Wh": {"Wh", ""}, "kWh": {"kWh", ""}, "mV": {"mV", ""}, "mA": {"mA", ""}, "Hz": {"Hz", ""},
}

// signOf takes the unit at the end of a key: temperature_C is in °C.
func (v *proposed) signOf(at []step) {
	if v.key != "" || v.text || v.words != "" || len(at) == 0 {
		return
	}
	key := at[len(at)-1].key
	i := strings.LastIndexByte(key, '_')
	if i <= 0 {
		return
	}
	if sign := signs[key[i+1:]]; sign.unit != "" && strings.Contains(strings.ToLower(key[:i]), sign.behind) {
		v.unit, v.name = sign.unit, strings.TrimSuffix(v.name, key[i:])
	}
}

// noteUnit notes the unit that the payload names under a key of its own.
func (p *proposal) noteUnit(raw []byte, at []step) {
	if len(at) == 1 && at[0].index < 0 {
		if _, sign, ok := NamedUnit(at[0].key, raw); ok {
			p.unit = sign
		}
	}
}

// takeUnit takes the unit that the payload names under a key of its own, if the value is
// stored in the same unit as those that are sent in this one.
func (v *proposed) takeUnit(sign string) {
	u, known := catalogue.UnitOf(sign)
	if known && v.unit == "" && v.factor == 1 && !v.withUnit && !v.text && (u.Factor != 1 || u.Offset != 0) && strings.HasSuffix(v.key, "_"+u.Suffix) {
		v.unit = sign
	}
}

// in reports whether the value was found in the payload.
func (v *proposed) in(found Found) bool {
	_, ok := found.Text[v.key]
	return ok || v.absent || slices.ContainsFunc(found.Values, func(f device.Value) bool { return f.Key == v.stored() })
}

// stored is the key under which a number is stored: with its unit.
func (v *proposed) stored() string { return v.storedAs(v.key) }

func (v *proposed) storedAs(key string) string {
	if u, known := catalogue.UnitOf(v.unit); known {
		return u.Key(key)
	}
	return key
}

// write writes where a value is, and how it is read.
func (v *proposed) write() string {
	path := quote(writePath(v.at))
	rest := ""
	if v.factor != 1 {
		rest += ", factor: " + strconv.FormatFloat(v.factor, 'g', -1, 64)
	}
	if v.unit != "" {
		rest += ", unit: " + quote(v.unit)
	}
	if v.words != "" {
		rest += ", words: " + v.words
	}
	if rest == "" {
		return path
	}
	return "{path: " + path + rest + "}"
}
