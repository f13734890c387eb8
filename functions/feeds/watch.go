package function

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/andybalholm/cascadia"

	"github.com/hearth-home/hearth/shared/config"
)

// watch is one element of FEEDS or PAGES.
type watch struct {
	name          string
	url           *url.URL
	page          bool
	match, except *regexp.Regexp    // nil: anything, nothing
	selector      cascadia.Selector // nil: the whole page
	stock         bool              // the preset raspberry-pi
	maxAge        time.Duration
	err           error // what is wrong with it: it fails alone
}

// watches returns what there is to watch by its name, and the names in order.
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
			w := watch{page: list.page, maxAge: c.MaxAge}
			w.err = w.parse(words)
			if _, twice := all[w.name]; twice {
				return nil, nil, fmt.Errorf("%s: two are called %q", list.setting, w.name)
			}
			all[w.name] = w
			names = append(names, w.name)
		}
	}
	return all, names, nil
}

// parse reads name=url and the words after it. A bare URL is called as its host.
func (w *watch) parse(words []string) error {
	name, address, ok := strings.Cut(words[0], "=")
	if strings.Contains(name, "://") {
		name, address, ok = "", words[0], true
	}
	w.name = cutText(name, 60)
	u, err := config.URL(address)
	if !ok || err != nil {
		w.name = cmp.Or(w.name, "unnamed")
		return errors.New("its setting must begin with name=https://…") // the address may hold a key: it is not printed
	}
	w.url = u
	w.name = cmp.Or(w.name, u.Host)
	for _, word := range words[1:] {
		key, value, ok := strings.Cut(word, "=")
		if !ok {
			return fmt.Errorf("its setting has %q: write key=value", word)
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
		err = fmt.Errorf("there is no %q: use raspberry-pi", value)
	case w.page:
		err = errors.New("a page has selector, pattern and preset")
	default:
		err = errors.New("a feed has match, except, max_age and preset")
	}
	return err
}

// split splits s into elements at semicolons and line breaks, and these into
// words at spaces. What stands in ' or " is taken as it is, without the quotes;
// a backslash is a backslash, since regular expressions are full of them.
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
