package function

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/hearth-home/hearth/shared/fetch"
)

// jsonFeed returns a JSON feed (https://www.jsonfeed.org/version/1.1/), and how many of its
// entries could not be read. A field of an unexpected type counts as absent.
func jsonFeed(text, address string) (f feed, unread int, err error) {
	var top map[string]json.RawMessage
	err = json.NewDecoder(strings.NewReader(repairJSON(text))).Decode(&top)
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); !ok && err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return feed{}, 0, errHalf
		}
		return feed{}, 0, errNoJSON
	}
	var list []json.RawMessage
	err = json.Unmarshal(top["items"], &list)
	switch version := scalar(top["version"]); {
	case !strings.Contains(version, "jsonfeed") && (list == nil || len(list) == 0 && top["title"] == nil):
		return feed{}, 0, fmt.Errorf("JSON that is not a feed%s", quoted(words(fetch.Said(text))))
	case err != nil && top["items"] != nil:
		return feed{}, 0, errors.New("a JSON feed whose items are not a list")
	}
	f.title = words(scalar(top["title"]))
	base := address
	if site := webLink(resolve(address, scalar(top["home_page_url"]))); site != "" {
		base = site
	}
	for _, raw := range list {
		var fields map[string]json.RawMessage
		if json.Unmarshal(raw, &fields) != nil || fields == nil {
			unread++
			continue
		}
		if e := jsonEntry(fields, base); e.id+e.title+e.summary+e.link != "" {
			f.entries = append(f.entries, e)
		} else {
			unread++
		}
	}
	if unread > 0 && len(f.entries) == 0 {
		return feed{}, 0, errors.New("a JSON feed whose entries have other fields than those of its format")
	}
	return f, unread, nil
}

func jsonEntry(fields map[string]json.RawMessage, base string) entry {
	value := func(key string) string { return strings.TrimSpace(scalar(fields[key])) }
	e := entry{id: words(value("id")), title: words(value("title")), summary: words(value("summary"))}
	if e.summary == "" {
		e.summary = words(value("content_text"))
	}
	if e.summary == "" {
		e.summary = plain(value("content_html"))
	}
	addresses := []string{value("url"), value("external_url")}
	if webLink(e.id) != "" {
		addresses = append(addresses, e.id)
	}
	var attachments []map[string]json.RawMessage
	_ = json.Unmarshal(fields["attachments"], &attachments) // of another type: none
	for _, a := range attachments {
		addresses = append(addresses, scalar(a["url"]))
	}
	for _, address := range addresses {
		if address != "" && e.link == "" {
			e.link = webLink(resolve(base, address))
		}
	}
	for _, key := range []string{"date_published", "date_modified"} {
		if t := words(value(key)); t != "" {
			e.dates = append(e.dates, t)
		}
	}
	return e
}

// scalar returns a string, or a number as it is written; "" for anything else.
func scalar(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		return n.String()
	}
	return ""
}

// repairJSON puts spaces for line breaks and tabs within strings, and U+FFFD for other
// control characters, which JSON does not allow there.
func repairJSON(text string) string {
	inString, escaped := false, false
	return strings.Map(func(r rune) rune {
		switch {
		case escaped:
			escaped = false
		case r == '\\':
			escaped = inString
		case r == '"':
			inString = !inString
		}
		switch {
		case r >= ' ' || !inString:
			return r
		case r == '\t' || r == '\n' || r == '\r':
			return ' '
		}
		return '\uFFFD'
	}, text)
}
