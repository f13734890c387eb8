package function

import (
	"errors"
	"fmt"
	"io"

	"golang.org/x/net/html"
)

// The limits keep the function within the memory of its container, whatever a host answers:
// the parsers take up to 500 bytes of memory for an element of three bytes of a page, 150 for
// one of a feed, and a stack frame for each level.
const (
	maxBytes      = 2 << 20   // of a feed or page, decompressed
	maxDepth      = 500       // elements or values within each other; a page's parser allows 512
	maxParts      = 200_000   // elements, attributes and texts of a feed, or values of a JSON feed
	maxTags       = 100_000   // of a page
	maxAttributes = 100_000   // of a page
	maxText       = 256 << 10 // bytes of an entry's title or text that are read
)

var (
	errDeep  = fmt.Errorf("nested more than %d levels deep", maxDepth)
	errParts = fmt.Errorf("a feed with more than %d elements, attributes and texts", maxParts)
)

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
