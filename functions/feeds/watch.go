package function

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/andybalholm/cascadia"

	"github.com/hearth-home/hearth/shared/config"
)

// watch is an element of FEEDS or PAGES.
type watch struct {
	name          string
	url           *url.URL
	page          bool
	match, except *regexp.Regexp    // nil match: any text; nil except: no text is excluded
	selector      cascadia.Selector // nil: the whole page
	stock         bool              // the preset raspberry-pi
	maxAge        time.Duration
	err           error // a mistake in the element: the other elements still work
}

// watches returns the elements of FEEDS and PAGES by name, and the names in order.
func (c Config) watches() (map[string]watch, []string, error) {
	all := map[string]watch{}
	var names []string
	for _, list := range []struct {
		setting, value string
		page           bool
	}{{"FEEDS", c.Feeds, false}, {"PAGES", c.Pages, true}} {
		elements, err := split(list.value)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", list.setting, err)
		}
		for _, words := range elements {
			if err := checkSeparators(words, list.value); err != nil {
				return nil, nil, fmt.Errorf("%s: %w", list.setting, err)
			}
			w := watch{page: list.page, maxAge: c.MaxAge}
			w.err = w.parse(words)
			if _, exists := all[w.name]; exists {
				return nil, nil, fmt.Errorf("%s: two elements have the name %q", list.setting, w.name)
			}
			all[w.name] = w
			names = append(names, w.name)
		}
	}
	return all, names, nil
}

var (
	// joined matches a comma that ends a word, or before which a word or an element ends.
	joined = regexp.MustCompile(`(?i),(?:$|(?:match|except|max_age|selector|pattern|preset)=|(?:[^=&?/#]*=)?https?://)`)
	begun  = regexp.MustCompile(`(?i)^(?:([^=&?/#]*)=)?https?://`) // a word that begins an element
)

// checkSeparators refuses an element of a setting that is several, with commas or spaces
// between them, or whose words have commas between them. Its error does not quote an address,
// which may hold a key.
func checkSeparators(words []string, setting string) error {
	name, rest, _ := named(words[0])
	if u, err := config.URL(rest); err == nil {
		name = cmp.Or(name, u.Host)
	}
	for i, word := range append([]string{rest}, words[1:]...) {
		if i > 0 && endsPattern(word, i == len(words)-1, setting) {
			word = strings.TrimRight(word, ",")
		}
		if joined.MatchString(word) {
			return fmt.Errorf("the element %q has a comma as separator: write a semicolon between elements and a space between the words of one; "+
				"a comma in an address is written %%2C, and a value with spaces stands in quotes", name)
		}
		if m := begun.FindStringSubmatch(word); i > 0 && m != nil && !slices.Contains([]string{"match", "except", "selector", "pattern"}, m[1]) {
			return fmt.Errorf("the element %q has two addresses: write a semicolon between elements", name)
		}
	}
	return nil
}

// endsPattern reports whether a comma at the end of a word belongs to its regular expression:
// the word is the element's last one, or the setting has a quote after it.
func endsPattern(word string, last bool, setting string) bool {
	key, value, _ := strings.Cut(word, "=")
	quoted := strings.Contains(setting, value+"'") || strings.Contains(setting, value+`"`)
	return slices.Contains([]string{"match", "except", "pattern"}, key) && (last || quoted)
}

// named returns the name and the address of an element's first word; ok is false if there
// is neither a name nor an address.
func named(word string) (name, address string, ok bool) {
	name, address, ok = strings.Cut(word, "=")
	if strings.Contains(name, "://") {
		return "", word, true
	}
	return name, address, ok
}

// parse parses name=url and the words after it. Without a name, the URL's host is the
// name.
func (w *watch) parse(words []string) error {
	name, address, ok := named(words[0])
	w.name = cutText(name, 60)
	u, err := config.URL(address)
	if !ok || err != nil {
		if w.name == "" || strings.ContainsAny(w.name, "/:@?") { // an address is in the place of the name
			w.name = "unnamed"
		}
		return errors.New("its setting must begin with name=https://…") // without the address, which may hold a key
	}
	w.url = u
	w.name = cmp.Or(w.name, u.Host)
	for _, word := range words[1:] {
		key, value, ok := strings.Cut(word, "=")
		if !ok { // not quoted: it may be the rest of an address with a space
			return errors.New("its setting has a word without =: write key=value")
		}
		if err := w.set(key, value); err != nil {
			return fmt.Errorf("its setting %s: %w", key, err)
		}
	}
	if w.page && w.match == nil && w.selector == nil && !w.stock {
		return errors.New("its setting needs a selector, a pattern or a preset")
	}
	return nil
}

// set sets one key=value of the element.
func (w *watch) set(key, value string) (err error) {
	switch {
	case key == "match" && !w.page, key == "pattern" && w.page:
		w.match, err = regexp.Compile(value)
	case key == "except" && !w.page:
		w.except, err = regexp.Compile(value)
	case key == "max_age" && !w.page:
		w.maxAge, err = time.ParseDuration(value)
	case key == "selector" && w.page:
		w.selector, err = cascadia.Compile(value)
	case key == "preset" && value == "raspberry-pi":
		w.stock = true
	case key == "preset":
		err = fmt.Errorf("unknown preset %q: use raspberry-pi", value)
	case w.page:
		err = errors.New("is not a setting of a page: use selector, pattern or preset")
	default:
		err = errors.New("is not a setting of a feed: use match, except, max_age or preset")
	}
	return err
}

// split splits s into elements at semicolons and line breaks, and each element into words
// at spaces. Text in ' or " is part of a word, without the quotes. A backslash does not
// escape, since regular expressions contain many.
func split(s string) ([][]string, error) {
	var elements [][]string
	var words []string
	var word strings.Builder
	inWord, quote := false, rune(0)
	endWord := func() {
		if inWord {
			words = append(words, word.String())
		}
		word.Reset()
		inWord = false
	}
	for _, r := range s + "\n" {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			inWord, quote = true, r
		case r == ';' || r == '\n':
			endWord()
			if len(words) > 0 {
				elements = append(elements, words)
			}
			words = nil
		case r == ' ' || r == '\t' || r == '\r':
			endWord()
		default:
			inWord = true
			word.WriteRune(r)
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a quote %c is not closed", quote)
	}
	return elements, nil
}
