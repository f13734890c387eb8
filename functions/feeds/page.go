package function

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"
	"golang.org/x/net/html/charset"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/item"
)

const (
	acceptPage = "text/html, application/xhtml+xml, */*;q=0.8"

	maxMatch    = 200 // letters of the matched text that the item shows
	maxElements = 200 // of those that a selector finds
)

// decodePage returns one item if the page matches w, none if it does not.
func decodePage(a *fetch.Answer, w watch) ([]item.Item, error) {
	if len(bytes.TrimSpace(a.Body)) == 0 {
		return nil, errors.New("an empty answer instead of a page")
	}
	title, texts, err := w.read(a)
	if err != nil {
		return nil, err
	}
	for _, text := range texts {
		match, attributes, ok := w.matches(text)
		if !ok {
			continue
		}
		if w.stock && attributes["shop"] == "" {
			attributes["shop"] = strings.TrimPrefix(a.URL.Hostname(), "www.")
		}
		attributes["match"] = cutText(match, maxMatch)
		if title == "" {
			title = w.name
		}
		// The item has no time: Last-Modified is mostly the time of the request.
		return []item.Item{{ID: "page", Title: cutText(title, maxTitle), URL: config.Address(a.URL), Attributes: attributes}}, nil
	}
	return nil, nil
}

// matches reports whether text meets all conditions of w. It returns the part that matched
// and the attributes that the preset has read.
func (w watch) matches(text string) (match string, attributes map[string]string, ok bool) {
	match, attributes = text, map[string]string{}
	if w.stock {
		if attributes, match, ok = raspberryPi(text); !ok {
			return "", nil, false
		}
	}
	if w.match != nil {
		at := w.match.FindStringIndex(text)
		if at == nil {
			return "", nil, false
		}
		match = text[at[0]:at[1]]
	}
	return match, attributes, true
}

// read returns the title of the page and its visible text: one text for each element that
// the selector finds, or without a selector one text for the whole page.
func (w watch) read(a *fetch.Answer) (title string, texts []string, err error) {
	kind := a.Header.Get("Content-Type")
	if kind == "" {
		kind = http.DetectContentType(a.Body)
	}
	if !strings.Contains(kind, "html") && !looksHTML(a.Body) {
		if !readable(kind) {
			return "", nil, fmt.Errorf("%.60q instead of a page", kind)
		}
		if w.selector != nil {
			return "", nil, fmt.Errorf("%.60q, which has no elements for a selector", kind)
		}
		return "", []string{words(string(bytes.ToValidUTF8(a.Body, []byte("\uFFFD"))))}, nil
	}
	if cutOff(a.Body) {
		return "", nil, fmt.Errorf("a page that ends half-way: %w", io.ErrUnexpectedEOF)
	}
	decoded, err := decodeText(a.Body, kind)
	if err != nil {
		return "", nil, fmt.Errorf("decode page: %w", err)
	}
	if err := checkPage(bytes.NewReader(decoded)); err != nil {
		return "", nil, err
	}
	root, err := html.Parse(bytes.NewReader(decoded))
	if err != nil {
		return "", nil, fmt.Errorf("decode page: %w", err)
	}
	doc := goquery.NewDocumentFromNode(root)
	title = words(doc.Find("title").First().Text())
	if w.selector == nil {
		return title, []string{visible(root)}, nil
	}
	nodes := doc.FindMatcher(w.selector).Nodes
	for _, n := range nodes[:min(len(nodes), maxElements)] {
		texts = append(texts, visible(n))
	}
	return title, texts, nil
}

// decodeText returns the text of a page in UTF-8.
func decodeText(body []byte, kind string) ([]byte, error) {
	r, err := charset.NewReader(bytes.NewReader(body), kind)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, 4*int64(len(body))+64))
}

// readable reports whether content of this type is text.
func readable(kind string) bool {
	return strings.HasPrefix(kind, "text/") || strings.Contains(kind, "json") || strings.Contains(kind, "xml")
}

// cutOff reports whether a page has the beginning of an HTML document but not its end. The
// missing part could contain a match.
func cutOff(body []byte) bool {
	b := bytes.ToLower(body)
	return bytes.Contains(b, []byte("<html")) && !bytes.Contains(b, []byte("</html")) && !bytes.Contains(b, []byte("</body"))
}
