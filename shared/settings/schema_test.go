package settings

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

// compiled returns the schema that editors get, with other descriptions.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	b, err := json.Marshal(Schema(func(typ, field string) string { return typ + "." + field }))
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("hearth.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("hearth.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// plain returns a file as an editor reads it: by YAML 1.2, which has no times.
func plain(t *testing.T, file []byte) any {
	t.Helper()
	var n yaml.Node
	if err := yaml.Unmarshal(file, &n); err != nil {
		t.Fatal(err)
	}
	var texts func(*yaml.Node)
	texts = func(n *yaml.Node) {
		if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!timestamp" {
			n.Tag = "!!str"
		}
		for _, c := range n.Content {
			texts(c)
		}
	}
	texts(&n)
	var v any
	if err := n.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTheSchemaAcceptsWhatTheProgramAccepts(t *testing.T) {
	s := compiled(t)
	example, err := os.ReadFile("../../hearth.example.yml")
	if err != nil {
		t.Fatal(err)
	}
	mappings := "devices: [{device: [\"{$.a}-{2}\", $.b], when: {$.a: x, $.b: [1, true, y*]}, time: [$.t, $.u], pairs: {list: $, id: [$.i, \"{$.j}-{key}\"], value: [$.v, 1]}, topic: t, fields: {x: [$.x, $.y], y: {path: [$.x, 17]}, z: {sum: \"$.p[*].w\"}, d: {difference: [$.a, $.b]}}, text: {s: [$.s, $.t], r: $.r}}]"
	for name, file := range map[string][]byte{"mappings": []byte(mappings), "whole": []byte(whole), "example": example, "empty": []byte("# nothing\ndevices:\nhouse:\n"), "none": []byte("# nothing\n"),
		"short": []byte("house: {price_per_kwh: 0.3}\ndevices: [{device: a, physical: x, topic: t, time: $.t, fields: {x: $.x}}]\nrules: {r: {above: 3, device: a}}\ntiles: [{lines: air.co2_ppm}, air]\nquiet_hours: [{from: \"22:00\", to: \"07:00\", days: monday}]\n")} {
		if f := Parse(file); f.Err() != nil {
			t.Errorf("%s: %v", name, f.Err())
		}
		if err := s.Validate(plain(t, file)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheSchemaRefusesWhatTheProgramRefuses(t *testing.T) {
	s := compiled(t)
	for _, file := range []string{
		"devices: [{device: a, nmae: b}]", "devices: {device: a}", "device: []", "house: {units: english}", "house: {currency: euro}", "house: {price_per_kwh: dear}",
		"rules: [a]", "rules: {a: {for: 10 minutes}}", "rules: {a: {above: {enter: 1, leaf: 2}}}", "rules: {a: {severity: bad}}", "tiles: [{lines: [{feild: x}]}]",
		"reminders: [{text: x, on: [someday]}]", "devices: [{topic: t, fields: {x: [{path: a}]}}]", "devices: [{topic: t, when: [a], fields: {x: $}}]", "quiet_hours: {from: \"25:00\", to: \"07:00\"}", "- a",
	} {
		if f := Parse([]byte(file)); len(f.Mistakes) == 0 {
			t.Errorf("%s: the program accepts it", file)
		}
		if s.Validate(plain(t, []byte(file))) == nil {
			t.Errorf("%s: the schema accepts it", file)
		}
	}
}
