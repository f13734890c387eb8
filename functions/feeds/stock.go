package function

import (
	"regexp"
	"strings"
)

// The preset raspberry-pi reads stock alerts such as this one of rpilocator, and the text of
// shop pages in English, German and French:
//
//	Stock Alert (US): RPi 5 - 8GB RAM is In Stock at Adafruit 100 units in stock.
const (
	// amount matches a number of pieces in two groups: what says that there are more, and
	// the digits with a +.
	amount = `(more than |over |at least |mehr als |über |mindestens |plus de |au moins |[>≥] ?)?(\d{1,3}(?:[,.]\d{3})+\b ?\+?|\d+ ?\+?) ?`
	pieces = `units?|pieces?|pcs|items?|stück|stk|pièces?|unités?|exemplaires?`
)

var (
	board = regexp.MustCompile(`(?i)\b(?:raspberry[\s-]*|r)?pi[®™]?[\s-]*(compute module \d\w*|cm\s?\d\w*|zero(?: ?2)?(?: ?wh?\b)?|pico(?: ?2)?(?: ?wh?\b)?|[45]00\+?|[1-9](?: model)?(?-i: ?[AB]\b\+?)?)(?:\W|$)`)
	ram   = regexp.MustCompile(`(?i)\b(512\s?MB|(?:1|2|3|4|8|16)\s?GB)\b`)

	// absent matches the words for "not in stock". They are removed before present is
	// searched, since some contain its words.
	absent = regexp.MustCompile(`(?i)\b(?:out[ -]of[ -]stock|sold[ -]out|unavailable|discontinued|coming soon|(?:on )?back-?order(?:ed)?|notify me|` +
		`(?:not|never|no longer|isn.t|when|once|until|if|expected|due)\b[^.!?:|]{0,40}\b(?:in stock|available)|` +
		`(?:back )?in stock (?:soon|again soon)|(?:in stock|stock|available):? ?(?:0|no)\b|0 ?(?:units?|pieces?|pcs|items?)? ?(?:in stock|available|left)|` +
		`ausverkauft|(?:nicht|kein\w*)\b[^.!?:|]{0,30}\b(?:auf lager|lieferbar|verfügbar|vorrätig)|nicht vorrätig|benachrichtig\w*|` +
		`rupture de stock|en rupture|indisponible|plus disponible)|épuisé`)
	// present matches the words for "in stock".
	present = regexp.MustCompile(`(?i)\b(?:in stock|available now|only \d+ left|auf lager|sofort (?:lieferbar|verfügbar)|vorrätig|en stock|` +
		`\d+ available|\d+ ?(?:\+ ?|\+? ?(?:` + pieces + `) )(?:available|verfügbar|disponibles?))\b`)
	// order matches a button to order. It counts only in a text without any word of
	// absent, since many shops also show it for products that are not in stock.
	order = regexp.MustCompile(`(?i)\b(?:add to (?:cart|basket|bag|trolley)|buy now|in den (?:warenkorb|einkaufswagen)|ajouter au panier)\b`)

	country = regexp.MustCompile(`(?i:alert|stock)\s*\(([A-Z]{2})\)`)
	shop    = regexp.MustCompile(`(?i)\bin stock at (.+?)(?:\s+` + amount + `(?:` + pieces + `|in stock|available)\b|[.!](?:\s|$)|\n|$)`)
	units   = regexp.MustCompile(`(?i)(?:^|[^\d.,])` + amount + `(?:` + pieces + `)? ?(?:in stock|available|left|auf lager|verfügbar|vorrätig|lieferbar|en stock|disponibles?)\b|` +
		`\b(?:in stock|stock|auf lager|lagerbestand|verfügbar|en stock) ?[:(] ?` + amount + `(?:\b|$|\W)`)
)

// raspberryPi reports whether according to text a Raspberry Pi is in stock. It returns the
// attributes country, model, ram, shop and units, as far as text has them, and the words
// that matched: the board and the words for "in stock".
//
// With several boards in the text, the one before the words for "in stock" counts.
func raspberryPi(text string) (attributes map[string]string, match string, ok bool) {
	// masked is text with zero bytes in place of the words for "not in stock". Positions in
	// both are the same.
	zeros := func(s string) string { return strings.Repeat("\x00", len(s)) }
	masked := absent.ReplaceAllStringFunc(text, zeros)
	at := present.FindStringIndex(masked)
	if at == nil && masked == text {
		at = order.FindStringIndex(text)
	}
	boards := board.FindAllStringSubmatchIndex(text, -1)
	if at == nil || len(boards) == 0 {
		return nil, "", false
	}
	nearest := boards[0]
	for _, b := range boards {
		if b[0] <= at[0] {
			nearest = b // the last one before the words
		}
	}
	attributes = map[string]string{"model": text[nearest[2]:nearest[3]]}
	near := text[nearest[2]:min(len(text), nearest[3]+100)]
	for key, m := range map[string][]string{
		"ram":     ram.FindStringSubmatch(near),
		"country": country.FindStringSubmatch(text),
		"shop":    shop.FindStringSubmatch(text),
	} {
		if m != nil && m[1] != "" {
			attributes[key] = strings.TrimSpace(m[1])
		}
	}
	if n := unitsIn(board.ReplaceAllStringFunc(masked, zeros)); n != "" {
		attributes["units"] = n
	}
	return attributes, strings.TrimSpace(text[nearest[0]:nearest[3]] + " … " + text[at[0]:at[1]]), true
}

// unitsIn returns how many pieces are in stock according to a text, "" if it does not say:
// 12, or 100+ for 100 or more.
func unitsIn(text string) string {
	m := units.FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	n := strings.TrimRight(m[2]+m[4], "+ ")
	if m[1]+m[3] != "" || strings.Contains(m[2]+m[4], "+") {
		n += "+"
	}
	return n
}
