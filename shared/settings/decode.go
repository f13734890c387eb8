package settings

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/hearth-home/hearth/shared/nearest"
)

const (
	maxDepth = 30
	maxNodes = 200_000 // including the values that anchors repeat
)

// decoder decodes YAML nodes into Go values by their types. It notes every mistake and
// continues after it.
type decoder struct {
	file    *File
	nodes   int
	tooMany bool // there were more than maxNodes; noted once
}

// key is one key of a YAML mapping, with its value.
type key struct {
	name  string
	node  *yaml.Node // of the name
	value *yaml.Node
}

// enter counts a node and notes its position. It returns the node that an alias stands
// for. false: there is nothing to decode.
func (d *decoder) enter(n *yaml.Node, path string, depth int) (*yaml.Node, bool) {
	d.file.at[path] = position{n.Line, n.Column}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	d.nodes++
	switch {
	case depth > maxDepth:
		d.mistake(n, path, "this value is nested deeper than %d levels", maxDepth)
		return n, false
	case d.nodes > maxNodes:
		if !d.tooMany {
			d.mistake(n, "", "there are more than %d values in hearth.yml: anchors are repeated too often", maxNodes)
		}
		d.tooMany = true
		return n, false
	case n.Style&yaml.TaggedStyle != 0 && !strings.HasPrefix(n.ShortTag(), "!!"):
		d.mistake(n, path, "the tag %s is unknown: hearth.yml has no tags", short(n.Tag))
		return n, false
	}
	return n, !isNull(n)
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

func (d *decoder) mistake(n *yaml.Node, path, format string, args ...any) {
	d.file.mistake(position{n.Line, n.Column}, path, fmt.Sprintf(format, args...), false)
}

// value decodes a node into v. one: a list of one element may be written without the
// list; of a map, each of its lists.
func (d *decoder) value(n *yaml.Node, v reflect.Value, path string, one bool, depth int) {
	n, ok := d.enter(n, path, depth)
	if !ok {
		return
	}
	if s, ok := scalars[v.Type()]; ok {
		d.scalar(n, v, s, path)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		to := reflect.New(v.Type().Elem())
		d.value(n, to.Elem(), path, one, depth+1)
		v.Set(to)
	case reflect.Slice:
		d.list(n, v, path, one, depth)
	case reflect.Map:
		if n.Kind != yaml.MappingNode {
			d.mistake(n, path, "expected lines of `key: value`, but found %s", kind(n))
			return
		}
		v.Set(reflect.MakeMap(v.Type()))
		for _, k := range d.keys(n, path, depth) {
			to := reflect.New(v.Type().Elem()).Elem()
			d.value(k.value, to, path+"."+k.name, one, depth+1)
			v.SetMapIndex(reflect.ValueOf(k.name), to)
		}
	case reflect.Struct:
		d.object(n, v, path, depth)
	}
}

func (d *decoder) scalar(n *yaml.Node, v reflect.Value, s scalar, path string) {
	if n.Kind != yaml.ScalarNode {
		d.mistake(n, path, "expected one value, but found %s", kind(n))
		return
	}
	got, err := s.parse(d, n.Value)
	if err != nil {
		hint := ""
		if strings.ContainsAny(n.Value, "“”„‟«»‘’") && n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) == 0 {
			hint = "; these quotes are part of the text: write \" or '"
		}
		d.mistake(n, path, "%s%s", err, hint)
		return
	}
	v.Set(reflect.ValueOf(got).Convert(v.Type()))
}

func (d *decoder) list(n *yaml.Node, v reflect.Value, path string, one bool, depth int) {
	elements := n.Content
	switch {
	case n.Kind == yaml.SequenceNode:
	case one:
		elements = []*yaml.Node{n}
	default:
		d.mistake(n, path, "expected a list with - before each element, but found %s", kind(n))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(elements), len(elements)))
	for i, e := range elements {
		where := fmt.Sprintf("%s[%d]", path, i)
		d.value(e, v.Index(i), where, false, depth+1)
		if isNull(e) {
			d.mistake(e, where, "there is nothing after the -")
		}
	}
}

// object decodes a mapping, or the value or list that may stand for it, into a struct.
func (d *decoder) object(n *yaml.Node, v reflect.Value, path string, depth int) {
	fields := fieldsOf(v.Type())
	if n.Kind != yaml.MappingNode {
		i := slices.IndexFunc(fields, func(f structField) bool { return f.short })
		if i < 0 || n.Kind != yaml.ScalarNode && !fields[i].one {
			hint := ""
			if k, _, ok := strings.Cut(n.Value, ":"); ok && slices.Contains(names(fields), k) {
				hint = ": write a space after the colon"
			}
			d.mistake(n, path, "expected lines of `key: value`, but found %s%s", kind(n), hint)
			return
		}
		d.value(n, v.Field(fields[i].index), path, fields[i].one, depth+1)
		return
	}
	for _, k := range d.keys(n, path, depth) {
		i := slices.IndexFunc(fields, func(f structField) bool { return f.name == k.name })
		if i < 0 {
			d.file.markInvalid(path + "." + cmp.Or(nearest.Of(k.name, names(fields)), k.name))
			d.file.note(position{k.node.Line, k.node.Column}, path, unknown("key", k.name, names(fields)), false)
			continue
		}
		if isNull(k.value) && strings.HasPrefix(cmp.Or(k.value.LineComment, k.node.LineComment), "#") && k.value.Value == "" {
			d.comment(k, path+"."+k.name)
		}
		d.value(k.value, v.Field(fields[i].index), path+"."+k.name, fields[i].one, depth+1)
	}
}

// comment notes a topic whose filter is a comment for YAML: topic: #.
func (d *decoder) comment(k key, path string) {
	if k.name == "topic" {
		d.mistake(k.value, path, "# begins a comment, and so there is no topic: put the filter in quotes")
	}
}

// keys returns the keys of a mapping. Its own keys take precedence over those that are
// merged by <<, and an earlier merge over a later one.
func (d *decoder) keys(n *yaml.Node, path string, depth int) []key {
	var own, merged []key
	has := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind == yaml.AliasNode {
			k = k.Alias
		}
		switch {
		case k.Kind != yaml.ScalarNode:
			d.mistake(k, path, "expected one word as the key, but found %s", kind(k))
		case k.Value == "<<" && k.ShortTag() == "!!merge":
			merged = append(merged, d.merge(v, path, depth+1)...)
		case has[k.Value]:
			d.mistake(k, path, "the key %s is here twice: keep one", short(k.Value))
		default:
			has[k.Value] = true
			own = append(own, key{k.Value, k, v})
		}
	}
	for _, m := range merged {
		if !has[m.name] {
			has[m.name] = true
			own = append(own, m)
		}
	}
	return own
}

// merge returns the keys of the value of <<.
func (d *decoder) merge(n *yaml.Node, path string, depth int) []key {
	written := n
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if d.nodes++; depth > maxDepth || d.nodes > maxNodes {
		d.mistake(n, path, "an anchor is merged into itself")
		return nil
	}
	switch n.Kind {
	case yaml.MappingNode:
		return d.keys(n, path, depth)
	case yaml.SequenceNode:
		var out []key
		for _, e := range n.Content {
			out = append(out, d.merge(e, path, depth+1)...)
		}
		return out
	}
	d.mistake(written, path, "expected an anchor of `key: value` lines after <<, as in <<: *name, but found %s", kind(n))
	return nil
}

func kind(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "lines of `key: value`"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		return fmt.Sprintf("the value %q", short(n.Value))
	}
	return "none"
}

// structField is a field of a section's type.
type structField struct {
	name       string
	index      int
	short, one bool // short: a single value fills its struct; one: a list of one element may be written without the list
}

func fieldsOf(t reflect.Type) []structField {
	var out []structField
	for i := range t.NumField() {
		tag := strings.Split(t.Field(i).Tag.Get("yaml"), ",")
		if tag[0] != "" && tag[0] != "-" {
			out = append(out, structField{tag[0], i, slices.Contains(tag, "short"), slices.Contains(tag, "one")})
		}
	}
	return out
}

func names(fields []structField) []string {
	var out []string
	for _, f := range fields {
		out = append(out, f.name)
	}
	return out
}
