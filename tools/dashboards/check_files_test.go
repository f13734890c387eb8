package main_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const committed = "../../deploy/grafana"

// dashboardFile is what the tests read of a dashboard.
type dashboardFile struct {
	File       string `json:"-"`
	UID        string
	Title      string
	Panels     []panelJSON
	Templating struct{ List []variableJSON }
	Links      []linkJSON
}

type linkJSON struct {
	Title, Type, URL string
	Tags             []string
}

// panelJSON is a panel, or a row with the panels that are folded into it.
type panelJSON struct {
	ID              int
	Type            string
	Title           string
	Description     string
	GridPos         struct{ H, W, X, Y int }
	Datasource      sourceJSON
	Interval        string
	TimeFrom        string
	TimeShift       string
	MaxDataPoints   float64
	Targets         []targetJSON
	Transformations []struct {
		ID      string
		Options json.RawMessage
	}
	Options     json.RawMessage
	FieldConfig struct {
		Defaults  fieldJSON
		Overrides []struct {
			Matcher struct {
				ID      string
				Options json.RawMessage
			}
			Properties []struct {
				ID    string
				Value json.RawMessage
			}
		}
	}
	Panels []panelJSON
}

type sourceJSON struct{ Type, UID string }

// fieldJSON is how the values of a field are shown.
type fieldJSON struct {
	Unit       string
	Min, Max   *float64
	Decimals   *float64
	Mappings   json.RawMessage
	Thresholds struct {
		Mode  string
		Steps []struct {
			Value *float64
			Color string
		}
	}
	Custom json.RawMessage
}

// targetJSON is a query of a panel: Query in Flux, RawSQL for PostgreSQL.
type targetJSON struct {
	RefID      string
	Datasource sourceJSON
	Hide       bool
	Query      string
	RawSQL     string
	Format     string
}

type variableJSON struct {
	Name, Label, Type, Regex, AllValue string
	Datasource                         *sourceJSON
	Query                              json.RawMessage
	Multi, IncludeAll                  bool
	Current                            struct{ Text, Value json.RawMessage }
	Options                            []struct{ Text, Value json.RawMessage }
}

// readDashboards returns the dashboards of a folder with deploy/grafana's layout.
func readDashboards(t testing.TB, dir string) []dashboardFile {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "dashboards", "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no dashboards in %s: %v", dir, err)
	}
	var out []dashboardFile
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		d := dashboardFile{File: filepath.Base(path)}
		if err := json.Unmarshal(b, &d); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		out = append(out, d)
	}
	return out
}

// each calls fn for every panel, those in rows too, but not for the rows.
func (d dashboardFile) each(fn func(p panelJSON)) {
	var walk func([]panelJSON)
	walk = func(ps []panelJSON) {
		for _, p := range ps {
			if p.Type != "row" {
				fn(p)
			}
			walk(p.Panels)
		}
	}
	walk(d.Panels)
}

// text returns a JSON string, or the JSON itself.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(bytes.TrimSpace(raw))
}

// where names a panel in a test's messages.
func where(d dashboardFile, p panelJSON) string {
	return strings.TrimSuffix(d.File, ".json") + "/" + p.Title
}
