package mapping

import (
	"slices"
	"strings"
)

// opposites are pairs of words of devices: 1 and 0. Of a word in several pairs, the first
// pair counts.
var opposites = [][2]string{
	{"open", "closed"}, {"opened", "closed"}, {"open", "close"}, {"yes", "no"},
	{"online", "offline"}, {"connected", "disconnected"}, {"reachable", "unreachable"},
	{"detected", "clear"}, {"detected", "not_detected"}, {"detected", "undetected"}, {"triggered", "clear"},
	{"occupied", "free"}, {"occupied", "unoccupied"}, {"occupied", "vacant"}, {"present", "absent"},
	{"motion", "no_motion"}, {"motion", "no motion"}, {"motion", "nomotion"}, {"presence", "no_presence"}, {"moving", "still"},
	{"wet", "dry"}, {"leak", "no_leak"}, {"leaking", "dry"}, {"locked", "unlocked"}, {"lock", "unlock"},
	{"home", "away"}, {"home", "not_home"}, {"active", "inactive"}, {"enabled", "disabled"}, {"enable", "disable"},
	{"running", "stopped"}, {"armed", "disarmed"}, {"alive", "dead"}, {"alive", "lost"}, {"pressed", "released"},
	{"plugged", "unplugged"}, {"charging", "discharging"}, {"up", "down"}, {"success", "failure"},
}

// byKey are pairs with a word that means another thing elsewhere: only a key that names
// the first of them has such words.
var byKey = []struct {
	names []string
	pair  [2]string
}{
	{[]string{"motion", "pir", "occupancy", "presence"}, [2]string{"motion", "none"}},
	{[]string{"leak", "water", "flood"}, [2]string{"leak", "none"}},
	{[]string{"smoke", "gas", "alarm", "tamper"}, [2]string{"alarm", "none"}},
	{[]string{"smoke", "gas", "alarm", "tamper"}, [2]string{"alarm", "normal"}},
	{[]string{"smoke", "gas", "alarm", "tamper"}, [2]string{"alarm", "ok"}},
	{[]string{"batt", "battery"}, [2]string{"low", "ok"}},
	{[]string{"batt", "battery"}, [2]string{"low", "normal"}},
}

// levels are the keys of words that are not opposites there.
var levels = []string{"direction", "position", "command", "action", "trend"}

// wordsFor returns the words for hearth.yml of a text that is one of two opposites: {open:
// 1, closed: 0}. It is "" for other texts, and for those that are numbers in every
// mapping.
func wordsFor(name, s string) string {
	word := strings.ToLower(s)
	parts := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == '_' || r == '.' || r == '-' || r == ' ' })
	has := func(names []string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return slices.Contains(parts, n) })
	}
	if _, ok := defaultWords[word]; ok || has(levels) {
		return ""
	}
	for _, k := range byKey {
		if (word == k.pair[0] || word == k.pair[1]) && has(k.names) {
			return writeWords(k.pair)
		}
	}
	for _, pair := range opposites {
		if word == pair[0] || word == pair[1] {
			return writeWords(pair)
		}
	}
	return ""
}

func writeWords(pair [2]string) string {
	return "{" + quote(pair[0]) + ": 1, " + quote(pair[1]) + ": 0}"
}
