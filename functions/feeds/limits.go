package function

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"

	"golang.org/x/net/html"
)

// The limits keep the function within the memory of its container, whatever a host answers:
// the parsers take up to 500 bytes of memory for an element of three bytes, and a stack
// frame for each level.
const (
	maxBytes      = 2 << 20   // of a feed or page, decompressed
	maxDepth      = 500       // elements or values within each other; a page's parser allows 512
	maxParts      = 60_000    // elements and attributes of a feed, or values of a JSON feed
	maxListed     = 5_000     // entries of a feed, of which the first maxEntries are read
	maxTags       = 100_000   // of a page
	maxAttributes = 100_000   // of a page
	maxText       = 256 << 10 // bytes of an entry's title or text that are read
)

var (
	errDeep  = fmt.Errorf("nested more than %d levels deep", maxDepth)
	errParts = fmt.Errorf("a feed with more than %d elements and attributes", maxParts)
	errLong  = fmt.Errorf("a feed with more than %d entries", maxListed)

	entryTag = regexp.MustCompile(`^(?i:[a-z0-9_.-]*:)?(?i:item|entry)[\s/>]`)
)

// checkFeed returns an error if the parser would take too much memory for a feed. It does
// not check the syntax.
func checkFeed(body []byte) error {
	if start := bytes.TrimLeft(body, "\ufeff \t\r\n"); len(start) > 0 && (start[0] == '{' || start[0] == '[') {
		return checkJSON(start)
	}
	return checkXML(body)
}

// checkJSON counts the values of a JSON document, and how deep they are nested.
func checkJSON(b []byte) error {
	depth, parts, inString := 0, 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			depth++
			parts++
		case c == '}' || c == ']':
			depth--
		case c == ',':
			parts++
		}
		if depth > maxDepth {
			return errDeep
		}
		if parts > maxParts {
			return errParts
		}
	}
	return nil
}

// checkXML counts the elements and attributes of an XML document, and how deep the elements
// are nested.
func checkXML(b []byte) error {
	depth, parts, entries := 0, 0, 0
	for {
		_, after, found := bytes.Cut(b, []byte("<"))
		if !found {
			return nil
		}
		b = after
		switch {
		case skipTo(&b, "!--", "-->"), skipTo(&b, "![CDATA[", "]]>"), skipTo(&b, "?", "?>"), skipTo(&b, "!", ">"):
		case skipTo(&b, "/", ">"):
			depth = max(depth-1, 0)
		default:
			if entryTag.Match(b) {
				entries++
			}
			attributes, empty := skipTag(&b)
			if parts += 1 + attributes; !empty {
				depth++
			}
		}
		if entries > maxListed {
			return errLong
		}
		if depth > maxDepth {
			return errDeep
		}
		if parts > maxParts {
			return errParts
		}
	}
}

// skipTo skips what begins with begin, up to and with end. It returns false if b does not
// begin with begin.
func skipTo(b *[]byte, begin, end string) bool {
	rest, ok := bytes.CutPrefix(*b, []byte(begin))
	if ok {
		_, *b, _ = bytes.Cut(rest, []byte(end))
	}
	return ok
}

// skipTag skips the rest of a start tag. It returns the number of its attributes, and
// whether the element ends with it.
func skipTag(b *[]byte) (attributes int, empty bool) {
	quote := byte(0)
	for i, c := range *b {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
		case c == '"' || c == '\'':
			quote = c
		case c == '=':
			attributes++
		case c == '>':
			empty = i > 0 && (*b)[i-1] == '/'
			*b = (*b)[i+1:]
			return attributes, empty
		}
	}
	*b = nil
	return attributes, false
}

// checkPage returns an error if the parser would take too much memory for a page. The
// parser checks how deep the elements are nested.
func checkPage(r io.Reader) error {
	tags, attributes := 0, 0
	for z := html.NewTokenizer(r); ; {
		switch z.Next() {
		case html.ErrorToken:
			if errors.Is(z.Err(), io.EOF) {
				return nil
			}
			return fmt.Errorf("decode page: %w", z.Err())
		case html.StartTagToken, html.SelfClosingTagToken:
			_, more := z.TagName()
			for ; more && attributes <= maxAttributes; attributes++ {
				_, _, more = z.TagAttr()
			}
		}
		tags++ // texts, comments and end tags, too
		if tags > maxTags || attributes > maxAttributes {
			return fmt.Errorf("a page with more than %d tags or %d attributes", maxTags, maxAttributes)
		}
	}
}
