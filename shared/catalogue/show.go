package catalogue

import "strings"

// Show says where a field is shown. The zero Show is right for nearly all fields.
type Show int

const (
	Listed    Show = iota // with the others, in the order of the catalogue; the first one is the headline
	Behind                // after all that are Listed, even of other measurements
	Small                 // in small letters below the others
	Hidden                // not at all
	Reachable             // as the state of its device: 1 can be reached, 0 cannot
	Simulated             // as a mark on its device: 1 its sensors are simulated
)

var noYes = []string{"no", "yes"}

// Word returns the word for a value, or "" if the value is shown as a number. A field of
// 0 or 1 without words and unit has the words no and yes.
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

// TitleOf returns the title of a key that f declares. It begins with the name of the
// part, if there is one: "Socket 2: Power".
func (f Field) TitleOf(key string) string {
	if part, ok := strings.CutSuffix(key, "_"+f.Key); ok && f.Key != "" {
		return Title(part) + ": " + f.Title
	}
	return f.Title
}

// WarnOf returns when a value of a device is marked.
func (f Field) WarnOf(device string) Threshold {
	for _, t := range f.Alerts {
		if t.Device == device && device != "" {
			return t
		}
	}
	if f.Warn.Device != "" && f.Warn.Device != device {
		return Threshold{}
	}
	return f.Warn
}

// Title derives a title from a key or a name, without the unit at its end: "CPU usage"
// from cpu_usage_percent.
func Title(key string) string {
	words := strings.Fields(strings.ReplaceAll(WithoutUnit(key), "_", " "))
	for i, w := range words {
		if known := spelt[w]; known != "" {
			words[i] = known
		} else if i == 0 {
			words[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	if len(words) == 0 {
		return key
	}
	return strings.Join(words, " ")
}

// spelt are the words of titles with capital letters of their own.
var spelt = map[string]string{"cpu": "CPU", "gpu": "GPU", "soc": "SoC", "npu": "NPU", "nvme": "NVMe", "ups": "UPS", "ram": "RAM", "pm": "PM", "tvoc": "TVOC",
	"amd": "AMD", "usb": "USB", "ssd": "SSD", "acpi": "ACPI", "intel": "Intel", "wifi": "Wi-Fi"}

// KeyUnit returns the symbol of the unit that a key ends with, "" for none: "°C" for
// cpu_temperature_celsius.
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

// WithoutUnit returns a key without the unit at its end: cpu_temperature for
// cpu_temperature_celsius.
func WithoutUnit(key string) string {
	_, suffix := keyUnit(key)
	if suffix == "" {
		return key
	}
	return strings.TrimSuffix(key, "_"+suffix)
}

// suffixes are the endings of keys by the symbol of their unit.
var suffixes = func() map[string]string {
	m := map[string]string{}
	for _, u := range units {
		if u.Suffix != "" {
			m[u.Symbol] = u.Suffix
		}
	}
	return m
}()
