package config

import (
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	yes = map[string]bool{"yes": true, "on": true, "ja": true, "oui": true, "si": true, "sí": true, "y": true, "enabled": true, "enable": true,
		"no": false, "off": false, "nein": false, "non": false, "n": false, "disabled": false, "disable": false, "none": false}
	units = []struct {
		names  string
		letter string
		times  float64 // letters in one unit
	}{
		{" ms msec milliseconds ", "ms", 1}, {" s sec secs second seconds sekunden ", "s", 1}, {" m min mins minute minutes minuten ", "m", 1},
		{" h hr hrs hour hours stunden ", "h", 1}, {" d day days tage ", "h", 24}, {" w week weeks wochen ", "h", 7 * 24},
	}
	quantity = regexp.MustCompile(`^(\d+(?:[.,]\d+)?)\s*(\p{L}*)\.?$`)
	mebi     = map[string]float64{"": 1, "m": 1, "mb": 1, "mib": 1, "g": 1 << 10, "gb": 1 << 10, "gib": 1 << 10, "t": 1 << 20, "tb": 1 << 20, "tib": 1 << 20}
)

// meant returns what a value of a variable was probably meant to be, "" if that is not
// clear. A variable whose name ends in _MIB is a size.
func meant(name, value string, t reflect.Type) string {
	value = strings.ToLower(strings.TrimSpace(value))
	if t.Kind() == reflect.Bool {
		if v, ok := yes[value]; ok {
			return strconv.FormatBool(v)
		}
		return ""
	}
	m := quantity.FindStringSubmatch(value)
	if m == nil {
		return ""
	}
	n, err := strconv.ParseFloat(strings.Replace(m[1], ",", ".", 1), 64)
	if err != nil {
		return ""
	}
	write := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	switch {
	case t == reflect.TypeFor[time.Duration]():
		for _, u := range units {
			if m[2] != "" && strings.Contains(u.names, " "+m[2]+" ") {
				return write(n*u.times) + u.letter
			}
		}
	case strings.HasSuffix(name, "_MIB"):
		if size := n * mebi[m[2]]; size >= 1 && size == float64(int64(size)) {
			return write(size)
		}
	case t.Kind() == reflect.Float64 && m[2] == "":
		return write(n)
	}
	return ""
}
