package slacktest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/slack-go/slack"
)

// tooFast answers a message that follows another of its channel within a second.
func (s *Server) tooFast(channel string) *Answer {
	now := s.Now()
	if last, ok := s.last[channel]; ok && now.Sub(last) < time.Second {
		s.broken = append(s.broken, fmt.Sprintf("two messages in %s within %s", channel, now.Sub(last)))
		return &Answer{Status: http.StatusTooManyRequests, Header: map[string]string{"Retry-After": "1"}}
	}
	s.last[channel] = now
	return nil
}

// check returns Slack's error for a message that breaks a limit of its content.
func (s *Server) check(form url.Values) string {
	code := checkContent(form.Get("text"), form.Get("blocks"))
	if code != "" {
		s.broken = append(s.broken, code)
	}
	return code
}

func checkContent(text, blocks string) string {
	if len(text) > 40_000 {
		return "msg_too_long"
	}
	if blocks == "" || blocks == "[]" {
		if text == "" {
			return "no_text"
		}
		return ""
	}
	var all slack.Blocks
	if json.Unmarshal([]byte(blocks), &all) != nil || len(all.BlockSet) > 50 {
		return "invalid_blocks"
	}
	for _, b := range all.BlockSet {
		if !fits(b) {
			return "invalid_blocks"
		}
	}
	return ""
}

// fits reports whether a block keeps Slack's limits.
// https://docs.slack.dev/reference/block-kit/blocks
func fits(b slack.Block) bool {
	length := func(t *slack.TextBlockObject) int { return len([]rune(t.Text)) }
	switch b := b.(type) {
	case *slack.SectionBlock:
		if b.Text != nil && (length(b.Text) > 3000 || b.Text.Text == "") || b.Text == nil && len(b.Fields) == 0 || len(b.Fields) > 10 {
			return false
		}
		return !slices.ContainsFunc(b.Fields, func(f *slack.TextBlockObject) bool { return length(f) > 2000 || f.Text == "" })
	case *slack.ActionBlock:
		for _, e := range b.Elements.ElementSet {
			switch e := e.(type) {
			case *slack.ButtonBlockElement:
				if length(e.Text) > 75 || len(e.Value) > 2000 {
					return false
				}
			case *slack.SelectBlockElement:
				if len(e.Options) > 100 || slices.ContainsFunc(e.Options, func(o *slack.OptionBlockObject) bool { return len(o.Value) > 150 || length(o.Text) > 75 }) {
					return false
				}
			}
		}
		return len(b.Elements.ElementSet) <= 25
	case *slack.ContextBlock:
		return len(b.ContextElements.Elements) <= 10
	}
	return true
}
