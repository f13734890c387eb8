package fetch

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/net/html"
)

// Describe says in a few words what an answer is that was not expected: its message, in
// quotes, if it is JSON or a text; else "a page of HTML titled …", "an XML document …" or
// "an empty answer". It has no markup, so that it may be shown in a message. It is not
// shortened, since it may hold a key: the caller redacts it, then shortens it.
func Describe(body string) string {
	text := strings.TrimSpace(strings.TrimPrefix(body, "\ufeff"))
	switch {
	case text == "":
		return "an empty answer"
	case strings.HasPrefix(text, "<"):
		return markup(text)
	}
	if said := Said(text); said != "" {
		return quote(said)
	}
	if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
		return "JSON without a message: " + quote(text)
	}
	return quote(text)
}

// Message returns the text of an error in JSON or in plain text, without quotes, or what
// Describe says of another answer.
func Message(body string) string {
	if said := Said(body); said != "" {
		return said
	}
	text := strings.Join(strings.Fields(strings.TrimPrefix(body, "\ufeff")), " ")
	if text != "" && !strings.ContainsAny(text[:1], "<{[") {
		return text
	}
	return Describe(body)
}

// Said returns the text of an error in JSON, "" if there is none.
func Said(text string) string {
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return ""
	}
	return message(v, 0)
}

// quote puts a text into quotes, in one line.
func quote(text string) string { return fmt.Sprintf("%q", strings.Join(strings.Fields(text), " ")) }

var tag = regexp.MustCompile(`(?s)<!--.*?-->|<[^>]*>?`)

// markup describes HTML or XML.
func markup(text string) string {
	start := strings.ToLower(text[:min(len(text), 1<<10)])
	for _, sign := range []string{"<!doctype html", "<html", "<head", "<body", "<title", "<script", "<h1", "<p>", "<center", "<div"} {
		if strings.Contains(start, sign) {
			if title := title(text); title != "" {
				return "a page of HTML titled " + quote(title)
			}
			return "a page of HTML"
		}
	}
	if said := strings.TrimSpace(html.UnescapeString(tag.ReplaceAllString(text, " "))); said != "" {
		return "an XML document: " + quote(said)
	}
	return "an XML document"
}

// title returns the text of a page's <title>, else of its first <h1>.
func title(page string) string {
	found := map[string]string{}
	in := ""
	for z := html.NewTokenizer(strings.NewReader(page)); ; {
		switch z.Next() {
		case html.ErrorToken:
			if t := strings.TrimSpace(found["title"]); t != "" {
				return t
			}
			return strings.TrimSpace(found["h1"])
		case html.StartTagToken:
			name, _ := z.TagName()
			if in = string(name); in != "title" && in != "h1" || found[in] != "" {
				in = ""
			}
		case html.EndTagToken:
			in = ""
		case html.TextToken:
			if in != "" {
				found[in] += string(z.Text())
			}
		}
	}
}

// sayings are the keys under which APIs put an error's text, the most telling first.
var sayings = []string{"message", "error_description", "error_message", "detail", "details", "error", "errors", "Error Message", "Information", "Note", "description", "reason", "title", "status_message", "msg"}

// message returns the text of an error in JSON, "" if there is none. Lists and objects are
// searched a few levels deep.
func message(v any, depth int) string {
	if depth > 3 {
		return ""
	}
	switch v := v.(type) {
	case string:
		return strings.TrimSpace(v)
	case []any:
		if len(v) > 0 {
			return message(v[0], depth+1)
		}
	case map[string]any:
		for _, key := range sayings {
			if said := message(v[key], depth+1); said != "" {
				return said
			}
		}
	}
	return ""
}

// Explain adds to err the hint for its status code, if err is a *StatusError and there is
// one. It says what the owner may do.
func Explain(err error, hints map[int]string) error {
	if e, ok := errors.AsType[*StatusError](err); ok && hints[e.Code] != "" {
		return fmt.Errorf("%s: %w", hints[e.Code], err)
	}
	return err
}
