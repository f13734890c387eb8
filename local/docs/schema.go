package docs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/hearth-home/hearth/shared/settings"
)

// schemaPage returns the JSON Schema of hearth.yml, from the types of shared/settings and
// their comments, which editors show. A field without a comment is an error.
func schemaPage(root string) (Page, error) {
	p, err := load(root, "shared/settings")
	if err != nil {
		return Page{}, err
	}
	var errs []error
	s := settings.Schema(func(typ, field string) string {
		about := p.about(typ, field)
		if about == "" {
			errs = append(errs, fmt.Errorf("shared/settings: %s %s has no comment", typ, field))
		}
		return about
	})
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	errs = append(errs, e.Encode(s))
	return Page{"docs/hearth.schema.json", b.Bytes()}, errors.Join(errs...)
}

// about returns the comment of a struct's field; with field "", that of the struct.
func (p *pkg) about(typ, field string) string {
	if field == "" {
		return strings.Join(strings.Fields(p.docs[typ]), " ")
	}
	if s := p.types[typ]; s != nil {
		for _, f := range s.Fields.List {
			if len(f.Names) == 1 && f.Names[0].Name == field {
				return strings.TrimSpace(f.Comment.Text())
			}
		}
	}
	return ""
}
