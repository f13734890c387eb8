package main_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

const schemaURL = "https://grafana.test/"

// compiler holds Grafana's schemas, as schemaURL + "timeseries".
var compiler = sync.OnceValues(func() (*jsonschema.Compiler, error) {
	c := jsonschema.NewCompiler()
	paths, err := filepath.Glob("testdata/grafana/*.jsonschema.json")
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(filepath.Base(path), ".jsonschema.json")
		if name == "dashboard" {
			anyValue(doc)
		}
		if err := c.AddResource(schemaURL+name, doc); err != nil {
			return nil, err
		}
	}
	return c, nil
})

// anyValue allows any JSON where an override says which fields it is for, as its values, and
// as the query of a variable: testdata/grafana/README.md.
func anyValue(schema any) {
	definitions := schema.(map[string]any)["definitions"].(map[string]any)
	for of, key := range map[string]string{"DynamicConfigValue": "value", "MatcherConfig": "options", "VariableModel": "query"} {
		definitions[of].(map[string]any)["properties"].(map[string]any)[key] = true
	}
}

// conforms returns an error if the JSON value does not match a schema, such as
// "timeseries#/definitions/Options". ok is false if there is no such schema.
func conforms(value any, schema string) (ok bool, err error) {
	c, err := compiler()
	if err != nil {
		return false, err
	}
	s, err := c.Compile(schemaURL + schema)
	if err != nil {
		return false, nil
	}
	return true, s.Validate(value)
}

// checkDashboard returns what is wrong with the JSON of a dashboard: against Grafana's
// schema, against the SDK's types, and in what neither of them knows.
func checkDashboard(raw []byte) (mistakes []error) {
	add := func(what string, err error) {
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %w", what, err))
		}
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return []error{err}
	}
	ok, err := conforms(value, "dashboard")
	if !ok {
		return []error{fmt.Errorf("the schema is missing: %v", err)}
	}
	add("schema", err)
	//lint:ignore SA1019 Grafana provisions this form from files in every version
	var d dashboard.Dashboard
	if err := d.UnmarshalJSONStrict(raw); err != nil && err.Error() != "" { // it returns an empty list as an error
		add("SDK", err)
	} else {
		add("SDK", d.Validate())
	}
	object, _ := value.(map[string]any)
	eachPanel(object, func(title string, panel map[string]any) {
		for _, err := range checkPanel(panel) {
			add(title, err)
		}
	})
	var file dashboardFile
	if err := json.Unmarshal(raw, &file); err == nil {
		for _, err := range checkLayout(file) {
			add("layout", err)
		}
	}
	return mistakes
}

// schemaNames are the names of the schemas of panel types that are called differently.
var schemaNames = map[string]string{"state-timeline": "statetimeline", "dashlist": "dashboardlist"}

func eachPanel(object map[string]any, fn func(title string, panel map[string]any)) {
	panels, _ := object["panels"].([]any)
	for _, p := range panels {
		panel, _ := p.(map[string]any)
		if panel["type"] != "row" {
			fn(fmt.Sprint(panel["title"]), panel)
		}
		eachPanel(panel, fn)
	}
}

// checkPanel checks what the schema of a dashboard leaves open: the options of the panel's
// type, its settings of fields, units and queries.
func checkPanel(panel map[string]any) (mistakes []error) {
	add := func(what string, err error) {
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %w", what, err))
		}
	}
	kind := cmp.Or(schemaNames[fmt.Sprint(panel["type"])], fmt.Sprint(panel["type"]))
	known, err := conforms(panel["options"], kind+"#/definitions/Options")
	if !known {
		return []error{fmt.Errorf("no schema of the panel type %q", kind)}
	}
	add("options", err)
	for _, target := range list(panel["targets"]) {
		add("target", checkTarget(target))
	}
	config, _ := panel["fieldConfig"].(map[string]any)
	defaults, _ := config["defaults"].(map[string]any)
	if custom, ok := defaults["custom"]; ok {
		if known, err := conforms(custom, kind+"#/definitions/FieldConfig"); known {
			add("custom", err)
		} else if len(custom.(map[string]any)) > 0 {
			add("custom", fmt.Errorf("panels of the type %s have no settings of their own", kind))
		}
	}
	if unit, ok := defaults["unit"]; ok {
		add("unit", checkUnit(unit))
	}
	for _, o := range list(config["overrides"]) {
		for _, p := range list(o["properties"]) {
			add("override", checkProperty(kind, fmt.Sprint(p["id"]), p["value"]))
		}
	}
	return mistakes
}

// checkProperty checks a property of an override: "custom.x" is a setting of the panel's
// type, everything else one of fields.
func checkProperty(kind, id string, value any) error {
	if id == "unit" {
		return checkUnit(value)
	}
	schema, key := "dashboard#/definitions/FieldConfig", id
	if custom, ok := strings.CutPrefix(id, "custom."); ok {
		schema, key = kind+"#/definitions/FieldConfig", custom
	}
	object := map[string]any{}
	for _, part := range []string{key} { // one level: Grafana names properties by their first
		object[strings.Split(part, ".")[0]] = value
	}
	known, err := conforms(object, schema)
	if !known {
		return fmt.Errorf("%s: no such schema as %s", id, schema)
	}
	return ignoreMissing(err)
}

// ignoreMissing drops the complaint that other properties are missing.
func ignoreMissing(err error) error {
	if err == nil || !strings.Contains(err.Error(), "missing propert") || strings.Contains(err.Error(), "additional propert") {
		return err
	}
	return nil
}

// checkUnit checks the id of a unit: one of Grafana's, or one that Grafana makes of a text,
// such as "suffix: per 0.1 l".
func checkUnit(unit any) error {
	id, ok := unit.(string)
	if !ok {
		return fmt.Errorf("unit: %v is no text", unit)
	}
	for _, prefix := range []string{"suffix:", "prefix:", "time:", "si:", "count:", "currency:", "bool:"} {
		if rest, ok := strings.CutPrefix(id, prefix); ok && rest != "" {
			return nil
		}
	}
	if units, err := unitIDs(); err != nil || units[id] {
		return err
	}
	return fmt.Errorf("unit: Grafana has none with the id %q", id)
}

// unitIDs are the ids of Grafana's units.
var unitIDs = sync.OnceValues(func() (map[string]bool, error) {
	b, err := os.ReadFile("testdata/grafana/units.jsonschema.json")
	if err != nil {
		return nil, err
	}
	var schema struct {
		Definitions map[string]struct{ Const string }
	}
	if err := json.Unmarshal(b, &schema); err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for _, d := range schema.Definitions {
		ids[d.Const] = true
	}
	return ids, nil
})

// list returns the objects of a JSON array.
func list(value any) (out []map[string]any) {
	values, _ := value.([]any)
	for _, v := range values {
		if object, ok := v.(map[string]any); ok {
			out = append(out, object)
		}
	}
	return out
}
