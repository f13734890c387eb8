package catalogue

import "strings"

// Show says where a field is shown. The zero Show is right for nearly all fields.
type Show int

const (
	Listed    Show = iota // with the others, in the order of the catalogue; the first that there is stands large
	Behind                // like Listed, but behind all that is: what matters only beside something else
	Small                 // in small letters below the others: a sensor's battery, a link
	Hidden                // not at all
	Reachable             // as the state of its device: at 1 it can be reached, at 0 it cannot
	Simulated             // as a mark on its device: at 1 its sensors are simulated
)

var noYes = []string{"no", "yes"}

// Word returns what a value means, or "" where it is a number. A field of 0 or 1
// that has neither words nor a unit is a question: no or yes.
func (f Field) Word(v float64) string {
	words := f.Words
	if words == nil && f.Key != "" && f.Unit == "" && f.Min == 0 && f.Max == 1 {
		words = noYes
	}
	if i := int(v); v >= 0 && v < float64(len(words)) && v == float64(i) {
		return words[i]
	}
	return ""
}

// TitleOf returns the title of a key that is declared as f. A part's name comes
// first: "Socket 2: Power".
func (f Field) TitleOf(key string) string {
	if part, ok := strings.CutSuffix(key, "_"+f.Key); ok && f.Key != "" {
		return Title(part) + ": " + f.Title
	}
	return f.Title
}

// Title makes a title of a key, without the unit at its end: cpu_usage_percent
// becomes "CPU usage".
func Title(key string) string {
	words := strings.Fields(strings.ReplaceAll(withoutUnit(key), "_", " "))
	for i, w := range words {
		if capital[w] {
			words[i] = strings.ToUpper(w)
		} else if i == 0 {
			words[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	if len(words) == 0 {
		return key
	}
	return strings.Join(words, " ")
}

// capital are the words that are written in capital letters.
var capital = map[string]bool{"cpu": true, "gpu": true, "soc": true, "npu": true, "nvme": true, "ups": true, "ram": true, "pm": true, "tvoc": true, "amd": true, "usb": true, "ssd": true}

// KeyUnit returns the sign of the unit that a key ends with: "°C" for
// cpu_temperature_celsius, "" for none.
func KeyUnit(key string) string {
	sign, _ := keyUnit(key)
	return sign
}

func keyUnit(key string) (sign, suffix string) {
	for s, ending := range suffixes {
		if len(ending) > len(suffix) && (key == ending || strings.HasSuffix(key, "_"+ending)) {
			sign, suffix = s, ending
		}
	}
	return sign, suffix
}

func withoutUnit(key string) string {
	_, suffix := keyUnit(key)
	if suffix == "" {
		return key
	}
	return strings.TrimSuffix(key, "_"+suffix)
}

// suffixes are the endings of keys by the sign of their unit.
var suffixes = func() map[string]string {
	m := map[string]string{}
	for _, u := range units {
		if u.Suffix != "" {
			m[u.Symbol] = u.Suffix
		}
	}
	return m
}()
