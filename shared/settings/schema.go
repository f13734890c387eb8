package settings

import (
	"maps"
	"reflect"
)

// Schema returns the JSON Schema (draft 2020-12) of hearth.yml, for editors. about
// returns the description of a field of one of this package's types; field "" is the
// type itself. Rules that concern several values together are not in the schema.
func Schema(about func(typ, field string) string) map[string]any {
	s := schema{about: about, defs: map[string]any{}}
	root := s.object(reflect.TypeFor[File]())
	sections := root["properties"].(map[string]any)
	for name, section := range sections { // a section whose lines are all comments is null
		sections[name] = map[string]any{"description": section.(map[string]any)["description"], "anyOf": []any{section, map[string]any{"type": "null"}}}
	}
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "hearth.yml"
	root["type"] = []string{"object", "null"}
	root["patternProperties"] = map[string]any{"^x-": map[string]any{"description": "yours: a place for anchors"}}
	root["$defs"] = s.defs
	return root
}

type schema struct {
	about func(typ, field string) string
	defs  map[string]any // of types, by name
}

// of returns the schema of a type. one: a list of one element may be written without
// the list; of a map, each of its lists.
func (s schema) of(t reflect.Type, one bool) map[string]any {
	if known, ok := scalars[t]; ok {
		return maps.Clone(known.schema)
	}
	switch t.Kind() {
	case reflect.Pointer:
		return s.of(t.Elem(), one)
	case reflect.Slice:
		list := map[string]any{"type": "array", "items": s.of(t.Elem(), false)}
		if one {
			return map[string]any{"anyOf": []any{s.of(t.Elem(), false), list}}
		}
		return list
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": s.of(t.Elem(), one)}
	}
	if s.defs[t.Name()] == nil {
		s.defs[t.Name()] = true // a placeholder, so that a recursive type ends
		s.defs[t.Name()] = s.shorthand(t)
	}
	return map[string]any{"$ref": "#/$defs/" + t.Name()}
}

// shorthand returns the schema of a struct, or of the single value that may stand for
// it.
func (s schema) shorthand(t reflect.Type) map[string]any {
	object := s.object(t)
	for _, f := range fieldsOf(t) {
		if f.short {
			return map[string]any{"anyOf": []any{s.of(t.Field(f.index).Type, f.one), object}}
		}
	}
	return object
}

func (s schema) object(t reflect.Type) map[string]any {
	properties := map[string]any{}
	for _, f := range fieldsOf(t) {
		of := s.of(t.Field(f.index).Type, f.one)
		of["description"] = s.about(t.Name(), t.Field(f.index).Name)
		properties[f.name] = of
	}
	return map[string]any{"type": "object", "description": s.about(t.Name(), ""), "properties": properties, "additionalProperties": false}
}
