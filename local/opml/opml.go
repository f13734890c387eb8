// Package opml reads the lists of feeds that feed readers export
// (http://opml.org/spec2.opml), and writes them as the setting FEEDS.
package opml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"unicode"

	"golang.org/x/net/html/charset"

	"github.com/hearth-home/hearth/shared/config"
)

const (
	maxName  = 40     // letters
	maxFeeds = 10_000 // more are an error
)

// List is what a file has.
type List struct {
	Feeds   []Feed
	LeftOut []string // why an outline is no feed here, each in a line
}

// Feed is an element of FEEDS. Its name has letters, digits and - only, and no other has it.
// Its address has no character that means something in FEEDS or in a shell's single quotes.
type Feed struct{ Name, address string }

// Setting returns the value of FEEDS.
func (l List) Setting() string {
	var out []string
	for _, f := range l.Feeds {
		out = append(out, f.Name+"="+f.address)
	}
	return strings.Join(out, "; ")
}

// Parse reads an OPML file. Folders count for nothing. An address that comes twice is taken
// once. The error says what the file is instead.
func Parse(b []byte) (List, error) {
	d := xml.NewDecoder(bytes.NewReader(b))
	d.Strict, d.Entity, d.CharsetReader = false, xml.HTMLEntity, charset.NewReaderLabel
	var l List
	root, seen, names := "", map[string]bool{}, map[string]bool{}
	for {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF) && root == "":
			return List{}, errors.New("no OPML: it has no element")
		case errors.Is(err, io.EOF):
			return l, l.check()
		case err != nil:
			return List{}, wrong(err)
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if root == "" {
			if root = e.Name.Local; !strings.EqualFold(root, "opml") {
				return List{}, fmt.Errorf("no OPML: it begins with <%.40s>", root)
			}
		}
		if strings.EqualFold(e.Name.Local, "outline") {
			l.add(e, seen, names)
		}
		if len(l.Feeds)+len(l.LeftOut) > maxFeeds {
			return List{}, fmt.Errorf("more than %d feeds", maxFeeds)
		}
	}
}

// wrong returns an error in our words.
func wrong(err error) error {
	if e, ok := errors.AsType[*xml.SyntaxError](err); ok {
		if strings.Contains(e.Msg, "unexpected EOF") {
			return errors.New("it ends half-way: export it again")
		}
		return fmt.Errorf("no OPML: a mistake of its XML in line %d", e.Line)
	}
	return errors.New("no OPML: it is in an encoding that is not known")
}

func (l List) check() error {
	if len(l.Feeds) > 0 {
		return nil
	}
	if len(l.LeftOut) > 0 {
		return fmt.Errorf("no feed that can be read: %s", l.LeftOut[0])
	}
	return errors.New("a list without feeds")
}

// add adds an outline if it is a feed.
func (l *List) add(e xml.StartElement, seen, names map[string]bool) {
	attributes := map[string]string{}
	for _, a := range e.Attr {
		attributes[strings.ToLower(a.Name.Local)] = strings.TrimSpace(a.Value)
	}
	title := attributes["title"]
	if title == "" {
		title = attributes["text"]
	}
	address, isFeed := attributes["xmlurl"]
	if !isFeed && (strings.EqualFold(attributes["type"], "rss") || strings.EqualFold(attributes["type"], "atom")) {
		address, isFeed = attributes["url"], true
	}
	if !isFeed { // a folder, or a link to a page
		if attributes["htmlurl"] != "" {
			l.LeftOut = append(l.LeftOut, fmt.Sprintf("%q has no xmlUrl", short(title)))
		}
		return
	}
	u := addressOf(address)
	switch {
	case address == "":
		l.LeftOut = append(l.LeftOut, fmt.Sprintf("%q has an empty xmlUrl", short(title)))
	case u == nil:
		l.LeftOut = append(l.LeftOut, fmt.Sprintf("%q has an xmlUrl that is no web address", short(title)))
	case seen[u.String()]:
		l.LeftOut = append(l.LeftOut, fmt.Sprintf("%q is in the list twice", short(title)))
	default:
		seen[u.String()] = true
		l.Feeds = append(l.Feeds, Feed{nameOf(title, u, names), quoted(u.String())})
	}
}

// addressOf returns a web address, nil if it is none. feed: is the scheme of some readers.
func addressOf(s string) *url.URL {
	if rest, ok := strings.CutPrefix(s, "feed:"); ok {
		if s = rest; strings.HasPrefix(s, "//") {
			s = "https:" + s
		}
	}
	u, err := config.URL(strings.Join(strings.Fields(s), "%20"))
	if err != nil {
		return nil
	}
	u.Host = strings.ToLower(u.Host)
	return u
}

// quoted percent-encodes what separates in FEEDS or ends a quote, and a comma where it could
// be taken for a separator.
func quoted(address string) string {
	var b strings.Builder
	for i, c := range []byte(address) {
		rest := address[i+1:]
		comma := c == ',' && (rest == "" || strings.ContainsAny(rest, "=") || strings.Contains(rest, "://"))
		if comma || c <= ' ' || c >= 0x7f || strings.IndexByte(`;'"`+"`\\<>", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// nameOf returns a name that no other feed has.
func nameOf(title string, u *url.URL, names map[string]bool) string {
	name := safe(title)
	if name == "" {
		name = safe(strings.TrimPrefix(u.Hostname(), "www."))
	}
	if name == "" {
		name = "feed"
	}
	unique := name
	for n := 2; names[unique]; n++ {
		unique = fmt.Sprintf("%s-%d", name, n)
	}
	names[unique] = true
	return unique
}

// safe returns s with letters and digits, and a - between its words.
func safe(s string) string {
	words := strings.FieldsFunc(s, func(r rune) bool { return !unicode.In(r, unicode.L, unicode.N, unicode.M) })
	r := []rune(strings.Join(words, "-"))
	return strings.Trim(string(r[:min(len(r), maxName)]), "-")
}

func short(title string) string {
	r := []rune(title)
	return string(r[:min(len(r), 2*maxName)])
}
