package status

import (
	"encoding/json"
	"html/template"
)

// drawing is a block of a message as the page draws it.
type drawing struct {
	Kind    string          // section, fields, context, actions, header or divider
	Text    template.HTML   // of a section, context or header
	Fields  []template.HTML // of fields: each has a name in its first line
	Buttons []string        // of actions: their texts. They do nothing
	Menus   []string
}

// block is what the page reads of one of Slack's blocks.
// https://docs.slack.dev/reference/block-kit/blocks
type block struct {
	Type     string    `json:"type"`
	Text     *words    `json:"text"`
	Fields   []words   `json:"fields"`
	Elements []element `json:"elements"`
}

type words struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// element is a part of a context or of actions. The text of a button is an object, that of a
// context's part is not.
type element struct {
	Type        string          `json:"type"`
	Text        json.RawMessage `json:"text"`
	Placeholder words           `json:"placeholder"`
}

// drawBlocks draws Slack's blocks, which are given as JSON. A block that the page does not
// know is left out.
func (m mrkdwn) drawBlocks(blocks []byte) ([]drawing, error) {
	var all []block
	if err := json.Unmarshal(blocks, &all); err != nil {
		return nil, err
	}
	var out []drawing
	for _, b := range all {
		switch b.Type {
		case "section":
			if b.Text != nil {
				out = append(out, drawing{Kind: "section", Text: m.words(*b.Text)})
			}
			if len(b.Fields) > 0 {
				d := drawing{Kind: "fields"}
				for _, f := range b.Fields {
					d.Fields = append(d.Fields, m.words(f))
				}
				out = append(out, d)
			}
		case "header":
			if b.Text != nil {
				out = append(out, drawing{Kind: "header", Text: m.words(*b.Text)})
			}
		case "divider":
			out = append(out, drawing{Kind: "divider"})
		case "context":
			out = append(out, drawing{Kind: "context", Text: m.context(b.Elements)})
		case "actions":
			out = append(out, actions(b.Elements))
		}
	}
	return out, nil
}

// words draws a text object.
func (m mrkdwn) words(w words) template.HTML {
	if w.Type == "plain_text" {
		return template.HTML(template.HTMLEscapeString(w.Text))
	}
	return m.draw(w.Text)
}

func (m mrkdwn) context(elements []element) (out template.HTML) {
	for _, e := range elements {
		w := words{Type: e.Type}
		if json.Unmarshal(e.Text, &w.Text) != nil {
			continue // an image
		}
		if out != "" {
			out += " · "
		}
		out += m.words(w)
	}
	return out
}

func actions(elements []element) drawing {
	d := drawing{Kind: "actions"}
	for _, e := range elements {
		var text words
		switch {
		case e.Type == "button" && json.Unmarshal(e.Text, &text) == nil:
			d.Buttons = append(d.Buttons, text.Text)
		case e.Placeholder.Text != "":
			d.Menus = append(d.Menus, e.Placeholder.Text)
		}
	}
	return d
}
