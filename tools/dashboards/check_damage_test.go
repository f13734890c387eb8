package main_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

func TestDashboardsMatchGrafanasSchema(t *testing.T) {
	for _, d := range readDashboards(t, committed) {
		raw, err := os.ReadFile(filepath.Join(committed, "dashboards", d.File))
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range checkDashboard(raw) {
			t.Errorf("%s: %v", d.File, err)
		}
	}
}

func TestDashboardsHaveDifferentNames(t *testing.T) {
	uids, titles := map[string]string{}, map[string]string{}
	for _, d := range readDashboards(t, committed) {
		if other := uids[d.UID] + titles[d.Title]; other != "" {
			t.Errorf("%s has the uid or the title of %s", d.File, other)
		}
		uids[d.UID], titles[d.Title] = d.File, d.File
	}
}

// at returns the object under keys: a text is a key, a number an index.
func at(t *testing.T, value any, path ...any) map[string]any {
	t.Helper()
	for _, p := range path {
		switch p := p.(type) {
		case string:
			value = value.(map[string]any)[p]
		case int:
			value = value.([]any)[p]
		}
	}
	object, ok := value.(map[string]any)
	if !ok {
		t.Fatalf("%v is no object but %v", path, value)
	}
	return object
}

// graph returns the first panel of a type in a dashboard's JSON.
func graph(t *testing.T, d map[string]any, kind string) (found map[string]any) {
	t.Helper()
	eachPanel(d, func(_ string, panel map[string]any) {
		if panel["type"] == kind && found == nil {
			found = panel
		}
	})
	if found == nil {
		t.Skipf("no panel of the type %s", kind)
	}
	return found
}

// Each damage makes one of the committed dashboards wrong in one place.
func TestDamagedDashboardsAreRefused(t *testing.T) {
	panel := func(t *testing.T, d map[string]any) map[string]any { return graph(t, d, "timeseries") }
	for name, damage := range map[string]func(t *testing.T, d map[string]any){
		"a key that Grafana does not know":      func(t *testing.T, d map[string]any) { d["titel"] = "x" },
		"a number as text":                      func(t *testing.T, d map[string]any) { d["schemaVersion"] = "41" },
		"no list of variables":                  func(t *testing.T, d map[string]any) { delete(d, "templating") },
		"a variable without a name":             func(t *testing.T, d map[string]any) { delete(at(t, d, "templating", "list", 0), "name") },
		"a variable that nobody uses":           func(t *testing.T, d map[string]any) { at(t, d, "templating", "list", 0)["name"] = "other" },
		"a panel that is too wide":              func(t *testing.T, d map[string]any) { at(t, panel(t, d), "gridPos")["w"] = json.Number("25") },
		"a panel over another":                  func(t *testing.T, d map[string]any) { at(t, panel(t, d), "gridPos")["h"] = json.Number("200") },
		"a width as text":                       func(t *testing.T, d map[string]any) { at(t, panel(t, d), "gridPos")["w"] = "12" },
		"a panel of a type that does not exist": func(t *testing.T, d map[string]any) { panel(t, d)["type"] = "timeserie" },
		"a panel with an unknown key":           func(t *testing.T, d map[string]any) { panel(t, d)["heigth"] = json.Number("3") },
		"an option that the type does not have": func(t *testing.T, d map[string]any) { at(t, panel(t, d), "options")["graphMode"] = "area" },
		"an option with an unknown word":        func(t *testing.T, d map[string]any) { at(t, panel(t, d), "options", "legend")["displayMode"] = "lists" },
		"a setting of fields that no panel has": func(t *testing.T, d map[string]any) { at(t, panel(t, d), "fieldConfig", "defaults")["colour"] = "red" },
		"a setting that the type does not have": func(t *testing.T, d map[string]any) {
			at(t, panel(t, d), "fieldConfig", "defaults", "custom")["lineWith"] = json.Number("1")
		},
		"a unit that does not exist": func(t *testing.T, d map[string]any) {
			at(t, panel(t, d), "fieldConfig", "defaults")["unit"] = "celcius"
		},
		"a query without text":        func(t *testing.T, d map[string]any) { at(t, panel(t, d), "targets", 0)["query"] = "" },
		"a query with an unknown key": func(t *testing.T, d map[string]any) { at(t, panel(t, d), "targets", 0)["alias"] = "x" },
		"a query of another data source": func(t *testing.T, d map[string]any) {
			at(t, panel(t, d), "targets", 0, "datasource")["type"] = "prometheus"
		},
		"no query": func(t *testing.T, d map[string]any) { panel(t, d)["targets"] = []any{} },
		"a query with a variable that is absent": func(t *testing.T, d map[string]any) {
			at(t, panel(t, d), "targets", 0)["query"] = "from(bucket: \"$nothing\")"
		},
		"two panels with one id": func(t *testing.T, d map[string]any) { panel(t, d)["id"] = graph(t, d, "stat")["id"] },
		"an override with an unknown setting": func(t *testing.T, d map[string]any) {
			at(t, panel(t, d), "fieldConfig")["overrides"] = []any{map[string]any{"matcher": map[string]any{"id": "byName", "options": "x"},
				"properties": []any{map[string]any{"id": "custom.lineColour", "value": "red"}}}}
		},
		"an override with a value of a wrong kind": func(t *testing.T, d map[string]any) {
			at(t, panel(t, d), "fieldConfig")["overrides"] = []any{map[string]any{"matcher": map[string]any{"id": "byName", "options": "x"},
				"properties": []any{map[string]any{"id": "decimals", "value": "two"}}}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := graphDashboard(t)
			damage(t, d)
			raw, err := json.Marshal(d)
			if err != nil {
				t.Fatal(err)
			}
			if mistakes := checkDashboard(raw); len(mistakes) == 0 {
				t.Error("the check found nothing")
			}
		})
	}
}

// graphDashboard returns the JSON of the first committed dashboard with a graph and a
// variable, in which the check finds nothing.
func graphDashboard(t *testing.T) map[string]any {
	t.Helper()
	for _, file := range readDashboards(t, committed) {
		graphs := 0
		file.each(func(p panelJSON) {
			if p.Type == "timeseries" {
				graphs++
			}
		})
		if graphs == 0 || len(file.Templating.List) == 0 {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(committed, "dashboards", file.File))
		if err != nil {
			t.Fatal(err)
		}
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.UseNumber()
		var d map[string]any
		if err := decoder.Decode(&d); err != nil {
			t.Fatal(err)
		}
		return d
	}
	t.Fatal("no dashboard with a graph")
	return nil
}
