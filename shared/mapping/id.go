package mapping

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// deviceID is how a device's id is made of a message: the first of several ways for
// which the message has all parts.
type deviceID struct {
	literal string   // "": it is made of parts
	written []string // the ways as hearth.yml has them
	ways    [][]part
}

// part is one part of an id.
type part struct {
	kind  partKind
	text  string // as it is written
	index int    // of a partLevel the level of the topic, from 0; of a partValue the slot
}

type partKind byte

const (
	partText  partKind = iota
	partLevel          // a level of the topic
	partKey            // the key of the list's element
	partValue          // a value of the payload
)

// isLiteral reports whether a way is an id as it is.
func isLiteral(way string) bool { return way != "" && !strings.ContainsAny(way, "${") }

// deviceID compiles the ids of devices that hearth.yml writes as $.path, as a text with
// {2}, {key} and {$.path}, or as it is.
func (c *compiler) deviceID(key string, ways []string) (out deviceID) {
	if len(ways) == 1 && isLiteral(ways[0]) {
		return deviceID{literal: ways[0]}
	}
	for i, way := range ways {
		at := key
		if len(ways) > 1 {
			at = fmt.Sprintf("%s[%d]", key, i)
		}
		if isLiteral(way) || way == "" {
			c.check(at, fmt.Errorf("%q is the same for all messages: in a list write paths, or texts with {}", way))
			continue
		}
		parts, err := c.parts(at, way)
		c.check(at, err)
		out.ways, out.written = append(out.ways, parts), append(out.written, way)
	}
	return out
}

// parts divides one way into its parts.
func (c *compiler) parts(key, way string) (out []part, err error) {
	if strings.HasPrefix(way, "$") {
		return []part{{partValue, way, c.slot(key, way)}}, nil
	}
	for rest := way; ; {
		before, after, open := strings.Cut(rest, "{")
		if before != "" {
			out = append(out, part{partText, before, 0})
		}
		if !open {
			return out, nil
		}
		var p part
		if p, rest, err = c.part(key, after); err != nil {
			return nil, fmt.Errorf("%q: %w", way, err)
		}
		out = append(out, p)
	}
}

var (
	errBrace = errors.New("write {2} for the second level of the topic, {$.key} for a value of the payload, and with each {key}")
	errOpen  = errors.New("a { is not closed")
)

// part reads what stands in braces, after the opening one, and returns what follows the
// closing one.
func (c *compiler) part(key, s string) (p part, rest string, err error) {
	if strings.HasPrefix(s, "$") {
		n, err := pathEnd(s)
		if err != nil {
			return p, "", err
		}
		return part{partValue, s[:n], c.slot(key, s[:n])}, s[n+1:], nil
	}
	what, rest, ok := strings.Cut(s, "}")
	if !ok {
		return p, "", errOpen
	}
	if what == "key" && c.rule.hasEach {
		return part{partKey, "{key}", 0}, rest, nil
	}
	if n, err := strconv.Atoi(what); err == nil && n >= 1 && n < 100 {
		return part{partLevel, "{" + what + "}", n - 1}, rest, nil
	}
	return p, "", fmt.Errorf("{%s} is unknown: %w", what, errBrace)
}

// pathEnd returns the index of the brace that ends a path.
func pathEnd(s string) (int, error) {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '}':
			return i, nil
		case strings.HasPrefix(s[i:], "['"), strings.HasPrefix(s[i:], `["`):
			n := strings.Index(s[i+2:], s[i+1:i+2]+"]")
			if n < 0 {
				return 0, errOpen
			}
			i += 2 + n + 1
		}
	}
	return 0, errOpen
}

// of returns the id for a message. err: a part is missing.
func (d *deviceID) of(topicName, key string, at [][]byte) (id string, err error) {
	for i, way := range d.ways {
		id, lacks := join(way, topicName, key, at)
		switch {
		case lacks == nil:
			return id, nil
		case err != nil: // the first way says what is missing
		case len(way) == 1 && lacks.kind == partValue:
			err = missing("there is no device at " + lacks.text)
		default:
			err = missing("there is no " + lacks.text + " for the device " + d.written[i])
		}
	}
	return "", err
}

// join joins the parts of an id. lacks is the first part that is missing.
func join(parts []part, topicName, key string, at [][]byte) (id string, lacks *part) {
	for i := range parts {
		p := &parts[i]
		s := p.text
		switch p.kind {
		case partLevel:
			s = level(topicName, p.index)
		case partKey:
			s = key
		case partValue:
			if s = text(at[p.index]); NoValue(s) {
				s = ""
			}
		}
		if s == "" {
			return "", p
		}
		id += s
	}
	return id, nil
}

// level returns a level of a topic, from 0; a leading slash does not count.
func level(topicName string, n int) string {
	rest := strings.TrimPrefix(topicName, "/")
	for ; n > 0; n-- {
		_, after, more := strings.Cut(rest, "/")
		if !more {
			return ""
		}
		rest = after
	}
	first, _, _ := strings.Cut(rest, "/")
	return first
}
