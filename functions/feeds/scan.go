package function

import (
	"html"
	"regexp"
	"slices"
	"strings"
)

// Limits of what a document declares; what is beyond is ignored.
const (
	maxScopes = 200      // namespaces that hold at one place
	maxSubset = 64 << 10 // bytes of a document type
	maxBase   = 300      // bytes of an xml:base
	maxGrown  = 1 << 20  // bytes that stand for entities of the document
)

// document is what a scanner read: a feed, or another document.
type document struct {
	root     *node             // nil: no element of a feed was found
	first    string            // the name of the document's first element
	page     bool              // HTML comes before any element of a feed
	whole    bool              // nothing is missing at the end
	entities map[string]string // that the document declares
	grown    int               // bytes that stood for them so far
}

// scanner reads a document. It takes what other readers of feeds take: elements without an
// end tag, attributes without quotes, < and & as they are, and prefixes that are not declared.
type scanner struct {
	document
	rest  string
	own   string   // the vocabulary of the root, whose elements have no prefix in their keys
	open  []opened // from the root inwards
	parts int      // elements, attributes and texts
	noPI  bool     // no ?> is in the rest
}

// opened is an element whose end tag was not found yet.
type opened struct {
	*node
	raw   string // its name as in the document, in lower case
	scope *scope
}

// scope is a declared namespace, and those that are declared outside of it.
type scope struct {
	prefix, vocabulary string
	outer              *scope
	depth              int
}

// scan reads a document. An error says that the document would take too much memory.
func scan(text string) (*document, error) {
	s := scanner{rest: text}
	for s.rest != "" && !s.whole {
		before, _, found := strings.Cut(s.rest, "<")
		s.add(part{text: before})
		if !found {
			break
		}
		s.rest = s.rest[len(before):]
		if err := s.markup(); err != nil {
			return nil, err
		}
		if s.parts > maxParts {
			return nil, errParts
		}
	}
	if len(s.open) == 1 && s.root.key == "rss" && len(s.root.all("item")) == 0 && len(s.root.entries(nil)) > 0 {
		s.whole = true // only the end tag of RSS is missing: its channel has the entries and has ended
	}
	return &s.document, nil
}

// add adds a part to the innermost open element.
func (s *scanner) add(p part) {
	if n := len(s.open); n > 0 && (p.text != "" || p.child != nil) {
		s.open[n-1].parts = append(s.open[n-1].parts, p)
		s.parts++
	}
}

// markup reads what begins with the < at the beginning of the rest.
func (s *scanner) markup() error {
	r := s.rest
	switch {
	case strings.HasPrefix(r, "<!--"):
		s.skip("-->")
	case hasPrefix(r, "<![cdata["):
		text, after, _ := strings.Cut(r[len("<![cdata["):], "]]>")
		s.add(part{text: text, cdata: true})
		s.rest = after
	case strings.HasPrefix(r, "<!"):
		s.declaration()
	case strings.HasPrefix(r, "<?"):
		s.instruction()
	case strings.HasPrefix(r, "</"):
		s.close(nameAt(r[2:]))
		s.skip(">")
	case nameAt(r[1:]) != "":
		return s.start(nameAt(r[1:]))
	default:
		s.add(part{text: "<"})
		s.rest = r[1:]
	}
	return nil
}

// skip skips the rest up to end and end itself.
func (s *scanner) skip(end string) { _, s.rest, _ = strings.Cut(s.rest, end) }

// instruction skips <?…?>. The declaration of XML ends with its first >.
func (s *scanner) instruction() {
	if !s.noPI && !hasPrefix(s.rest, "<?xml ") {
		if _, after, found := strings.Cut(s.rest, "?>"); found {
			s.rest = after
			return
		}
		s.noPI = true
	}
	s.skip(">")
}

var (
	subsetEnd = regexp.MustCompile(`\]\s*>`)
	declared  = regexp.MustCompile(`<!ENTITY\s+([\w.-]{1,40})\s+["']((?:[^"'<&%]|&#\w{1,8};){0,40})["']\s*>`)
)

// declaration skips <!…> and takes the entities that the document type declares. Those that
// contain other entities or elements are ignored, so none grows.
func (s *scanner) declaration() {
	s.page = s.page || s.root == nil && hasPrefix(s.rest, "<!doctype html")
	if hasPrefix(s.rest, "<!doctype") && s.entities == nil {
		s.entities = map[string]string{}
		subset := strings.IndexByte(s.rest, '[')
		end := subsetEnd.FindStringIndex(s.rest)
		if end != nil && subset >= 0 && subset < strings.IndexByte(s.rest, '>') {
			for _, m := range declared.FindAllStringSubmatch(s.rest[subset:min(end[0], subset+maxSubset)], -1) {
				s.entities[m[1]] = html.UnescapeString(m[2])
			}
			s.rest = s.rest[end[1]:]
			return
		}
	}
	s.skip(">")
}

// start reads a start tag.
func (s *scanner) start(raw string) error {
	s.rest = s.rest[1+len(raw):]
	attrs, empty := s.attributes()
	raw = strings.ToLower(raw)
	s.parts += len(attrs)
	switch {
	case len(s.open) >= maxDepth:
		return errDeep
	case s.root == nil && !s.begins(raw, attrs):
		return nil
	}
	if isEntry(raw[strings.IndexByte(raw, ':')+1:]) && slices.ContainsFunc(s.open, func(o opened) bool { return o.raw == raw }) {
		s.close(raw) // of an entry, the end tag is missing
	}
	o := opened{&node{attrs: attrs}, raw, nil}
	if n := len(s.open); n > 0 {
		o.scope, o.base = s.open[n-1].scope, s.open[n-1].base
	}
	o.declare(attrs)
	prefix, name, found := strings.Cut(raw, ":")
	if !found {
		prefix, name = "", raw
	}
	v := o.scope.find(prefix)
	if s.root == nil {
		s.root, s.own = o.node, v
	}
	if o.key = name; v != "" && v != s.own {
		o.key = v + ":" + name
	}
	s.add(part{child: o.node})
	if s.open = append(s.open, o); empty && o.node != s.root { // the / may end an address: xmlns:x=http://x.example/>
		s.close(raw)
	}
	return nil
}

// begins reports whether an element is the root of a feed. What comes before may be a
// warning of the program that writes the feed. In a page, the root must say what it is.
func (s *scanner) begins(raw string, attrs []attribute) bool {
	if s.first == "" {
		s.first = raw
	}
	s.page = s.page || raw == "html" || s.first == "head" || s.first == "body"
	roots := []string{"rss", "rdf", "feed", "channel", "entry"}
	if s.page {
		roots = roots[:3]
	}
	says := slices.ContainsFunc(attrs, func(a attribute) bool { return a.key == "version" || strings.HasPrefix(a.key, "xmlns") })
	return slices.Contains(roots, raw[strings.IndexByte(raw, ':')+1:]) && (says || !s.page)
}

// declare takes the namespaces and the xml:base of a start tag.
func (o *opened) declare(attrs []attribute) {
	for _, a := range attrs {
		switch prefix, name, found := strings.Cut(a.key, ":"); {
		case a.key == "xmlns", prefix == "xmlns" && found:
			if o.scope == nil || o.scope.depth < maxScopes {
				outer := o.scope
				o.scope = &scope{name, vocabulary(a.value, name), outer, 1}
				if outer != nil {
					o.scope.depth += outer.depth
				}
			}
		case a.key == "xml:base" && len(a.value) <= maxBase:
			if base := resolve(o.base, a.value); len(base) <= maxBase {
				o.base = base
			}
		}
	}
}

// find returns the vocabulary of a prefix, "" for elements without one.
func (s *scope) find(prefix string) string {
	for ; s != nil; s = s.outer {
		if s.prefix == prefix {
			return s.vocabulary
		}
	}
	switch prefix {
	case "rss":
		return ""
	case "a10": // as .NET writes it
		return "atom"
	}
	return prefix
}

// close closes the innermost open element of this name, and those within it, whose end tags
// are missing. The end tag of an element that is not open is ignored.
func (s *scanner) close(raw string) {
	raw = strings.ToLower(raw)
	for i, o := range slices.Backward(s.open) {
		if o.raw == raw {
			s.open = s.open[:i]
			s.whole = i == 0
			return
		}
	}
	s.parts++ // it costs as much as a part
}

// hasPrefix reports whether s begins with prefix, which is in lower case, in any case.
func hasPrefix(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
