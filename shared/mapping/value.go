package mapping

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/scan"
)

// valueRule says how a value is read as the number of one field.
type valueRule struct {
	factor, offset float64
	unit           catalogue.Unit     // of a number that comes without a unit
	sign           string             // of that unit, as hearth.yml writes it; "": that of symbol
	symbol         string             // of the unit in which the field is stored; "": it has none
	words          map[string]float64 // texts that stand for numbers, in lower case
}

// read reads a value as a number in the unit of the field. ok is false for a value that
// says that there is none, and for a word of a switch that is none of the field's words.
func (r *valueRule) read(raw []byte) (v float64, ok bool, err error) {
	v, unit, ok, err := number(raw, r.words)
	if err != nil || !ok {
		return 0, false, err
	}
	u, err := r.unitOf(raw, unit)
	if err != nil {
		return 0, false, err
	}
	v, err = r.stored(u, v)
	return v, err == nil, err
}

// sent reads a value as a number in the unit of a number that comes without one.
func (r *valueRule) sent(raw []byte) (v float64, ok bool, err error) {
	v, unit, ok, err := number(raw, r.words)
	if err != nil || !ok || unit == "" {
		return v, ok, err
	}
	u, err := r.unitOf(raw, unit)
	if u != r.unit {
		v = (u.Convert(v) - r.unit.Offset) / r.unit.Factor
	}
	return v, err == nil, err
}

// stored returns a number that was sent in the unit u in the unit of the field.
func (r *valueRule) stored(u catalogue.Unit, v float64) (float64, error) {
	if v = u.Convert(v*r.factor + r.offset); math.IsInf(v, 0) || math.IsNaN(v) {
		return 0, errors.New("the number times its factor is too large")
	}
	return v, nil
}

// unitOf returns the unit of a value that was sent with this sign behind the number. The
// error names both units if it is not one in which the field may be sent.
func (r *valueRule) unitOf(raw []byte, sign string) (catalogue.Unit, error) {
	if sign == "" || sign == r.sign || sign == "°" && r.symbol == "°C" {
		return r.unit, nil
	}
	u, known := catalogue.UnitOf(sign)
	switch {
	case known && (u.Symbol == r.symbol || r.symbol == ""):
		return u, nil
	case !known && strings.EqualFold(sign, r.sign):
		return r.unit, nil
	case !known && (r.symbol == "" || !unicode.IsLetter([]rune(sign)[0])): // "12:30"
		return u, notNumber(text(raw))
	}
	return u, fmt.Errorf("%.40q is in %.20s, not in %s", text(raw), sign, cmp.Or(r.sign, r.symbol))
}

// number reads a value as a number: a number, a boolean or text that is one of words, or
// a text that is a number, perhaps with a unit behind it. ok is false for a value that
// says that there is none, and for a word of a switch that is not among words.
func number(raw []byte, words map[string]float64) (v float64, unit string, ok bool, err error) {
	s := scan.New(raw)
	switch s.Kind() {
	case scan.Null:
		return 0, "", false, nil
	case scan.Number:
		v, err = s.Float()
		return v, "", err == nil, err
	case scan.Bool:
		v, ok = words[string(raw)]
		return v, "", ok, nil
	case scan.String:
		text, err := s.Text()
		if err != nil {
			return 0, "", false, err
		}
		return parseText(string(text), words)
	}
	if IsEmpty(raw) {
		return 0, "", false, nil
	}
	return 0, "", false, fmt.Errorf("%.40s is not a number", raw)
}

// IsEmpty reports whether a value is null, or a text, a list or an object without
// contents. Victron sends [] for a value that is not known.
func IsEmpty(raw []byte) bool {
	if string(raw) == "null" {
		return true
	}
	return len(raw) >= 2 && (raw[0] == '[' || raw[0] == '{' || raw[0] == '"') && len(bytes.TrimSpace(raw[1:len(raw)-1])) == 0
}

// parseText reads a text as number does.
func parseText(text string, words map[string]float64) (v float64, unit string, ok bool, err error) {
	text = strings.TrimSpace(text)
	word := strings.ToLower(text)
	if v, ok := words[word]; ok {
		return v, "", true, nil
	}
	if v, ok := decimal(text); ok {
		return v, "", !math.IsNaN(v) && !math.IsInf(v, 0), nil
	}
	if _, ok := defaultWords[word]; ok || NoValue(text) {
		return 0, "", false, nil
	}
	if before, unit := cutUnit(text); unit != "" {
		if v, ok := decimal(before); ok {
			return v, unit, true, nil
		}
	}
	return 0, "", false, notNumber(text)
}

func notNumber(text string) error { return fmt.Errorf("%.40q is not a number", text) }

// defaultWords are the texts that stand for numbers in a field without a unit.
var defaultWords = map[string]float64{"on": 1, "off": 0, "true": 1, "false": 0}

// Text returns a JSON string, or a number or boolean as it is written, cut at 200
// bytes. Any other value is "".
func Text(raw []byte) string { return text(raw) }

// text is Text.
func text(raw []byte) string {
	const most = 200
	s := scan.New(raw)
	b := raw
	switch s.Kind() {
	case scan.String:
		b, _ = s.Text()
	case scan.Number, scan.Bool:
	default:
		return ""
	}
	return strings.ToValidUTF8(string(b[:min(len(b), most)]), "")
}
