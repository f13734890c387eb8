package glance

import (
	"cmp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// placeWords are the names of rooms and places that a device's name may begin with, in small
// letters and without spaces (see folded), and how they are written.
var placeWords = func() map[string]string {
	out := map[string]string{}
	for _, name := range []string{
		"Office", "Study", "Living room", "Lounge", "Bedroom", "Kitchen", "Pantry", "Dining room", "Bath", "Bathroom", "Toilet", "Hall", "Hallway", "Landing", "Entrance",
		"Cellar", "Basement", "Attic", "Loft", "Garage", "Laundry", "Laundry room", "Utility room", "Nursery", "Kids room", "Guest room", "Children", "Workshop", "Shed", "Conservatory",
		"Garden", "Balcony", "Terrace", "Patio", "Porch", "Outside", "Outdoor",
		"Büro", "Arbeitszimmer", "Wohnzimmer", "Schlafzimmer", "Küche", "Esszimmer", "Bad", "Badezimmer", "Gäste-WC", "Flur", "Diele", "Keller", "Dachboden", "Waschküche", "Kinderzimmer",
		"Gästezimmer", "Werkstatt", "Schuppen", "Wintergarten", "Speisekammer", "Garten", "Balkon", "Terrasse", "Draußen",
	} {
		out[folded(name)] = name
	}
	return out
}()

// maxPlaceWords is how many words the name of a place has at most.
const maxPlaceWords = 2

// umlauts are written as in ids.
var umlauts = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss")

// folded returns the letters and digits of a text, in small letters, with umlauts as in ids.
func folded(s string) string {
	return umlauts.Replace(strings.Map(func(r rune) rune {
		if !inWord(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, s))
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) }

// guessPlace returns the room that a device's name or id begins with: "Living room" of
// living_room_lamp, "Bedroom 2" of bedroom-2-climate; "" if there is none.
func guessPlace(names ...string) string {
	for _, name := range names {
		words := strings.FieldsFunc(name, func(r rune) bool { return !inWord(r) })
		for n := min(maxPlaceWords, len(words)); n > 0; n-- {
			place, ok := placeWords[folded(strings.Join(words[:n], ""))]
			if !ok {
				continue
			}
			if len(words) > n+1 && isNumber(words[n]) {
				place += " " + words[n]
			}
			return place
		}
	}
	return ""
}

func isNumber(s string) bool {
	return len(s) <= 2 && strings.Trim(s, "0123456789") == ""
}

// withoutPlace returns a name without the place at its beginning: "Air" of "Office air" in
// "Office". A name that is the place itself stays.
func withoutPlace(name, place string) string {
	want := folded(place)
	if want == "" {
		return name
	}
	for i := 0; i <= min(len(name), 4*len(want)); {
		r, size := utf8.DecodeRuneInString(name[i:])
		if folded(name[:i]) == want && !inWord(r) {
			rest := strings.TrimLeftFunc(name[i:], func(r rune) bool { return !inWord(r) })
			if rest == "" {
				return name
			}
			first, n := utf8.DecodeRuneInString(rest)
			return string(unicode.ToUpper(first)) + rest[n:]
		}
		i += max(size, 1)
	}
	return name
}

// spoken returns the name of a device for people: "Desk plug" of desk-plug.
func (w *world) spoken(d device) string {
	name := w.Redact(cmp.Or(d.Name, d.ID))
	if name != d.ID {
		return name
	}
	first, size := utf8.DecodeRuneInString(name)
	return string(unicode.ToUpper(first)) + strings.NewReplacer("-", " ", "_", " ").Replace(name[size:])
}
