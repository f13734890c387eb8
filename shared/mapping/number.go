package mapping

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hearth-home/hearth/shared/catalogue"
)

// decimal reads a text as a number, with a decimal point or comma and perhaps with
// separators of thousands: 1,234.5 and 1.234,5 and 1 234,5 are one number. It may be NaN
// or infinite. ok is false for 1,234, which may be 1234 or 1.234.
func decimal(text string) (v float64, ok bool) {
	v, err := strconv.ParseFloat(text, 64)
	if err == nil {
		return v, true
	}
	if plain, ok := plainDecimal(text); ok {
		v, err = strconv.ParseFloat(plain, 64)
	}
	return v, err == nil
}

// plainDecimal returns a number without separators of thousands and with a decimal
// point. ok is false if it is not clear which separator is the decimal one.
func plainDecimal(text string) (plain string, ok bool) {
	text = plainSigns.Replace(text)
	commas, points, spaces := strings.Count(text, ","), strings.Count(text, "."), strings.Count(text, " ")
	mark := "" // the decimal separator
	switch {
	case commas > 0 && points > 0:
		mark = text[strings.LastIndexAny(text, ",."):][:1]
	case commas == 1:
		mark = ","
		whole, rest, _ := strings.Cut(text, mark)
		if len(rest) == 3 && strings.Trim(rest, digits) == "" && spaces == 0 && strings.Trim(whole, "+-0") != "" {
			return "", false
		}
	case points == 1:
		mark = "."
	}
	whole, rest := text, ""
	if mark != "" {
		whole, rest, _ = strings.Cut(text, mark)
	}
	if i := strings.IndexAny(whole, ",. "); i >= 0 {
		if whole, ok = joinThousands(whole, whole[i:i+1]); !ok {
			return "", false
		}
	}
	if mark != "" {
		whole += "." + rest
	}
	return whole, true
}

// plainSigns replaces the minus sign, and the spaces and apostrophes between thousands.
var plainSigns = strings.NewReplacer("−", "-", "'", " ", "’", " ", "\u00a0", " ", "\u2009", " ", "\u202f", " ")

// joinThousands removes a separator of thousands from a whole number. ok is false unless
// three digits follow each separator.
func joinThousands(whole, separator string) (joined string, ok bool) {
	groups := strings.Split(whole, separator)
	if first := strings.TrimLeft(groups[0], "+-"); first == "" || len(first) > 3 {
		return "", false
	}
	for _, g := range groups[1:] {
		if len(g) != 3 || strings.Trim(g, digits) != "" {
			return "", false
		}
	}
	return strings.Join(groups, ""), true
}

const digits, separators = "0123456789", ".,'’ \u00a0\u2009\u202f"

// cutUnit divides "21.5 °C" into the number and the unit behind it. Both may be empty.
func cutUnit(text string) (number, unit string) {
	rest := strings.TrimLeft(text, "+-−")
	for rest != "" {
		_, size := utf8.DecodeRuneInString(rest)
		if !startsWithDigit(rest) && !(strings.Contains(separators, rest[:size]) && startsWithDigit(rest[size:])) {
			break
		}
		rest = rest[size:]
	}
	if rest != "" && rest[0]|0x20 == 'e' { // |0x20 makes a letter lower case
		if exponent := strings.TrimLeft(rest[1:], "+-"); startsWithDigit(exponent) {
			rest = strings.TrimLeft(exponent, digits)
		}
	}
	return text[:len(text)-len(rest)], strings.TrimSpace(rest)
}

func startsWithDigit(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

// noValues are the words for a value that is not known: of Home Assistant, openHAB,
// ESPHome, Python, C and others.
var noValues = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range []string{"", "null", "nil", "none", "nan", "na", "n/a", "n.a", "inf", "infinity", "undef", "undefined", "uninitialized", "uninitialised", "unknown", "unavailable",
		"not available", "not supported", "not connected", "not a number", "no data", "nodata", "no value", "missing", "offline", "off line", "disconnected", "nan(ind", "n/d", "nd",
		"n.v", "n/v", "k.a", "no reading", "not ready", "notavailable", "initial", "initializing", "initialising", "pending", "waiting", "invalid", "not set", "unset", "unbekannt", "inconnu"} {
		m[w] = true
	}
	return m
}()

const brackets, dashes = "()[]{}<>\"'", "+-–—_.?*#/: \u00a0"

// spaced divides the words of not_available and off-line.
var spaced = strings.NewReplacer("_", " ", "-", " ")

// NoValue reports whether a text says that there is no value, perhaps with a unit:
// "unavailable", "[N/A]", "???", "--.- °C".
func NoValue(text string) bool {
	if len(text) > 40 {
		return false
	}
	word := spaced.Replace(strings.ToLower(strings.Trim(text, brackets+dashes+"%")))
	if noValues[word] || strings.Contains(text, ".#") { // 1.#QNAN, by C on Windows
		return true
	}
	sign := strings.IndexAny(word, " °")
	if startsWithDash := strings.IndexAny(text, dashes) == 0; startsWithDash && sign <= 0 {
		sign = 0
	}
	if sign < 0 || !noValues[word[:sign]] {
		return false
	}
	_, known := catalogue.UnitOf(word[sign:])
	return known
}
