package local

import (
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/nearest"
)

// synonyms are other words for those in the names of settings.
var synonyms = map[string]string{
	"APIKEY": "KEY", "TOKEN": "KEY", "SECRET": "KEY", "PASS": "PASSWORD", "PASSWD": "PASSWORD", "PW": "PASSWORD", "USERNAME": "USER",
	"HOST": "URL", "SERVER": "URL", "BROKER": "URL", "ADDRESS": "URL", "URI": "URL", "OWNER": "OWNERS", "ORG": "OWNERS", "REPO": "REPOS", "REPOSITORIES": "REPOS",
	"POSTGRES": "DATABASE", "POSTGRESQL": "DATABASE", "DB": "DATABASE", "PG": "DATABASE", "INFLUXDB": "INFLUX", "OPENWEATHERMAP": "OPENWEATHER", "SYMBOL": "SYMBOLS",
}

// nearName returns the setting that a name in hearth's own file was probably meant to be: with
// a typing mistake, with another word for the same, as a part of it or the other way round,
// or spelled like it. "": none.
func nearName(name string, known []string) string {
	if meant := nearest.Typo(name, known); meant != "" {
		return meant
	}
	same := func(k string) bool { return slices.Equal(synonym(name), synonym(k)) }
	if i := slices.IndexFunc(known, same); i >= 0 {
		return known[i]
	}
	best, least, unique := "", 0, false
	for _, k := range known {
		if strings.HasSuffix(k, "_SECRET") || !partOf(name, k) && !partOf(k, name) {
			continue
		}
		switch more := max(len(k)-len(name), len(name)-len(k)); {
		case best == "" || more < least:
			best, least, unique = k, more, true
		case more == least:
			unique = false
		}
	}
	if unique {
		return best
	}
	if meant := nearest.Of(name, known); meant != "" && wordsNear(words(name), words(meant)) && (len(name) > 5 || sameLetters(name, meant)) {
		return meant
	}
	return ""
}

// sameLetters reports whether a short name has the letters of another in another order, or
// lacks its end.
func sameLetters(a, b string) bool {
	a, b = strings.ToUpper(a), strings.ToUpper(b)
	sorted := func(s string) string { r := []rune(s); slices.Sort(r); return string(r) }
	return sorted(a) == sorted(b) || strings.HasPrefix(b, a) || strings.HasPrefix(a, b)
}

func words(name string) []string {
	return strings.FieldsFunc(strings.ToUpper(name), func(r rune) bool { return r == '_' })
}

// synonym returns the words of a name with one word for each meaning.
func synonym(name string) (out []string) {
	for _, w := range words(strings.ReplaceAll(strings.ToUpper(name), "API_KEY", "KEY")) {
		if s := synonyms[w]; s != "" {
			w = s
		}
		out = append(out, w)
	}
	return out
}

// partOf reports whether the words of short are among those of long, or short is a piece of long.
func partOf(short, long string) bool {
	s, l := words(short), words(long)
	if len(s) > 1 && !slices.ContainsFunc(s, func(w string) bool { return !slices.Contains(l, w) }) {
		return true
	}
	return len(short) >= 5 && strings.Contains(strings.Join(l, ""), strings.Join(s, ""))
}

// wordsNear reports whether names with the same number of words are near in each of them.
func wordsNear(a, b []string) bool {
	if len(a) != len(b) {
		return true
	}
	for i := range a {
		if a[i] != b[i] && nearest.Of(a[i], b[i:i+1]) == "" {
			return false
		}
	}
	return true
}
