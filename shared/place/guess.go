package place

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// explain says of a whole setting how it was read, what is wrong, and what was probably
// meant. entries are its elements; wrong is what the first wrong one lacks.
func explain(text string, entries []string, wrong error) error {
	if len(entries) > 1 {
		quoted := make([]string, len(entries))
		for i, e := range entries {
			quoted[i] = strconv.Quote(e)
		}
		wrong = fmt.Errorf("%q was read as %d places, %s: %w", short(text), len(entries), short(strings.Join(quoted, " and ")), wrong)
	}
	if meant := guess(text); meant != "" {
		return fmt.Errorf("%w: write %s (name:latitude,longitude in degrees, with decimal points; semicolons between places)", wrong, meant)
	}
	return fmt.Errorf("%w: %s", wrong, form)
}

// short cuts a text that is too long for a message.
func short(s string) string {
	if r := []rune(s); len(r) > 200 {
		return string(r[:200]) + "…"
	}
	return s
}

// plain replaces signs that look like those of a setting, and removes those that it does
// without.
var plain = strings.NewReplacer("−", "-", "–", "-", "：", ":", "；", ";", "，", ",", "\u00a0", " ", "\u202f", " ", "(", " ", ")", " ", "[", " ", "]", " ",
	"º", "°", "′", "'", "’", "'", "″", `"`, "”", `"`, "''", `"`, "|", ";", "/", ",")

var (
	// named is the beginning of a place: a name of more than a compass letter, and a sign
	// or a space after it.
	named = regexp.MustCompile(`(?:^|[;,\s])\s*(\p{L}[\p{L}\p{M}\d_.' -]*\p{L}[\p{L}\p{M}\d_.'-]*)\s*[:=,\s]\s*`)
	label = regexp.MustCompile(`(?i)\b(?:latitude|longitude|lat|lon|lng)\b\s*[:=]?`)
	// degree is a coordinate: 52.52, N52.52, 52.52°N, or 52° 31' 12" N.
	degree = regexp.MustCompile(`^([NSEWO])?\s*([+-]?\d+(?:\.\d+)?)\s*(?:°\s*(?:(\d+(?:\.\d+)?)\s*'\s*)?(?:(\d+(?:\.\d+)?)\s*"\s*)?)?\s*([NSEWO])?$`)
	// comma is a coordinate with a decimal comma.
	comma = regexp.MustCompile(`([+-]?\d+),(\d+)`)
)

// guess returns the setting that was probably meant, "" if that is not clear.
func guess(text string) string {
	text = label.ReplaceAllString(plain.Replace(strings.TrimSpace(text)), " ")
	names, points := cut(text)
	var places List
	for i, at := range points {
		p, ok := point(at)
		if !ok {
			return ""
		}
		p.Name = names[i]
		for n := 2; slices.ContainsFunc(places, func(o Place) bool { return o.Name == p.Name }); n++ {
			p.Name = fmt.Sprintf("%s-%d", names[i], n)
		}
		if checkName(p.Name) != nil {
			return ""
		}
		places = append(places, p)
	}
	return places.setting()
}

// cut cuts a setting at the names of its places. Without any name it is one place, home.
func cut(text string) (names, points []string) {
	found := named.FindAllStringSubmatchIndex(text, -1)
	if len(found) == 0 {
		return []string{"home"}, []string{strings.TrimLeft(text, " :=,;")}
	}
	if strings.Trim(text[:found[0][0]], " ;,\n") != "" {
		return []string{""}, []string{""} // something is before the first name
	}
	for i, at := range found {
		end := len(text)
		if i+1 < len(found) {
			end = found[i+1][0]
		}
		names, points = append(names, strings.TrimSpace(text[at[2]:at[3]])), append(points, text[at[1]:end])
	}
	return names, points
}

// point reads a latitude and a longitude in any notation that has one meaning only.
func point(s string) (Place, bool) {
	s = strings.Trim(s, " ;,\n")
	if !strings.Contains(s, ".") && len(comma.FindAllString(s, -1)) == 2 { // decimal commas
		s = comma.ReplaceAllString(s, "$1.$2")
	}
	for _, separators := range []string{",;", " ;,"} {
		parts := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(separators, r) })
		if len(parts) != 2 {
			continue
		}
		lat, north, ok1 := coordinate(parts[0])
		lon, east, ok2 := coordinate(parts[1])
		if !ok1 || !ok2 {
			continue
		}
		if north == 'E' || east == 'N' || north == 0 && east == 0 && Latitude(lat) != nil {
			lat, lon = lon, lat // the longitude stands first
		}
		return Place{Latitude: lat, Longitude: lon}, Latitude(lat) == nil && Longitude(lon) == nil
	}
	return Place{}, false
}

// coordinate reads one coordinate in degrees. axis is N or E if a compass letter says
// which it is, otherwise 0.
func coordinate(s string) (degrees float64, axis byte, ok bool) {
	m := degree.FindStringSubmatch(strings.ToUpper(strings.TrimSpace(s)))
	if m == nil || m[1] != "" && m[5] != "" {
		return 0, 0, false
	}
	for i, unit := range []float64{1, 60, 3600} {
		if v, err := strconv.ParseFloat(m[2+i], 64); err == nil {
			degrees += max(v, -v) / unit
		}
	}
	if strings.HasPrefix(m[2], "-") {
		degrees = -degrees
	}
	switch letter := m[1] + m[5]; letter {
	case "S", "W":
		axis, degrees = map[string]byte{"S": 'N', "W": 'E'}[letter], -max(degrees, -degrees)
	case "O": // east in German, west in French
		return 0, 0, false
	case "N", "E":
		axis = letter[0]
	}
	return degrees, axis, true
}

// setting writes the places as they are read.
func (l List) setting() string {
	var out []string
	for _, p := range l {
		out = append(out, fmt.Sprintf("%s:%s,%s", p.Name, number(p.Latitude), number(p.Longitude)))
	}
	return strings.Join(out, ";")
}

// number writes degrees with at most six decimals, a tenth of a metre.
func number(v float64) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(v, 'f', 6, 64), "0"), ".")
}
