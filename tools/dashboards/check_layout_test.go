package main_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// targetKeys are the keys that the editors of Grafana's InfluxDB and PostgreSQL data
// sources write into a query, beside the one that marks it as a query of that source.
var targetKeys = map[string][]string{
	"query":  {"refId", "datasource", "hide", "query", "rawQuery", "resultFormat", "queryType", "maxDataPoints", "intervalMs"},
	"rawSql": {"refId", "datasource", "hide", "rawSql", "rawQuery", "format", "editorMode", "dataset", "queryType", "maxDataPoints", "intervalMs"},
}

func checkTarget(target map[string]any) error {
	for text, keys := range targetKeys {
		if _, ok := target[text]; !ok {
			continue
		}
		if s, ok := target[text].(string); !ok || s == "" {
			return fmt.Errorf("%s is %v", text, target[text])
		}
		for k := range target {
			if !slices.Contains(keys, k) {
				return fmt.Errorf("a query has no key %q", k)
			}
		}
		if format := target["format"]; text == "rawSql" && format != "table" && format != "time_series" {
			return fmt.Errorf("format is %v: table or time_series", format)
		}
		source, _ := target["datasource"].(map[string]any)
		if want := map[string]string{"query": "influxdb", "rawSql": "grafana-postgresql-datasource"}[text]; source["type"] != want {
			return fmt.Errorf("a %s belongs to the data source type %s, not %v", text, want, source["type"])
		}
		return nil
	}
	return fmt.Errorf("neither a Flux query nor SQL: %v", slices.Sorted(maps.Keys(target)))
}

// columns is the width of a dashboard's grid.
const columns = 24

// checkLayout checks that ids and names are unique, that no panel covers another, and that
// every variable is declared and used.
func checkLayout(d dashboardFile) (mistakes []error) {
	if d.UID == "" || d.Title == "" {
		mistakes = append(mistakes, fmt.Errorf("uid %q, title %q", d.UID, d.Title))
	}
	ids := map[int]string{}
	taken := map[[2]int]string{}
	walk(d.Panels, func(p panelJSON, folded bool) {
		if other, ok := ids[p.ID]; ok || p.ID <= 0 {
			mistakes = append(mistakes, fmt.Errorf("%q has the id %d of %q", p.Title, p.ID, other))
		}
		ids[p.ID] = p.Title
		g := p.GridPos
		if g.W <= 0 || g.H <= 0 || g.X < 0 || g.Y < 0 || g.X+g.W > columns {
			mistakes = append(mistakes, fmt.Errorf("%q is outside of the grid: %+v", p.Title, g))
		}
		if folded {
			return
		}
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				if other, ok := taken[[2]int{x, y}]; ok {
					mistakes = append(mistakes, fmt.Errorf("%q covers %q", p.Title, other))
					return
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
	})
	return append(append(mistakes, checkPanels(d)...), checkVariables(d)...)
}

// checkPanels checks that a panel has a title, which no other one of its row has, and queries
// with different names.
func checkPanels(d dashboardFile) (mistakes []error) {
	titles := map[string]bool{}
	walk(d.Panels, func(p panelJSON, folded bool) {
		if p.Title == "" && p.Type != "text" {
			mistakes = append(mistakes, fmt.Errorf("panel %d has no title", p.ID))
		}
		if p.Type == "row" {
			titles = map[string]bool{}
			return
		}
		if titles[p.Title] && p.Title != "" {
			mistakes = append(mistakes, fmt.Errorf("two panels of a row are called %q", p.Title))
		}
		titles[p.Title] = true
		if len(p.Targets) == 0 && p.Type != "text" && p.Type != "dashlist" {
			mistakes = append(mistakes, fmt.Errorf("%q has no query", p.Title))
		}
		refs := map[string]bool{}
		for _, t := range p.Targets {
			if refs[t.RefID] || t.RefID == "" {
				mistakes = append(mistakes, fmt.Errorf("%q: two queries are called %q", p.Title, t.RefID))
			}
			refs[t.RefID] = true
		}
	})
	return mistakes
}

func walk(panels []panelJSON, fn func(p panelJSON, folded bool)) {
	for _, p := range panels {
		fn(p, false)
		for _, q := range p.Panels {
			fn(q, true)
		}
	}
}

// ofGrafana are variables that Grafana sets itself.
var ofGrafana = regexp.MustCompile(`^(__.*|timeFilter)$`)

// checkVariables checks that what the dashboard uses as a variable is one, and that each is
// used, by a query, a title, another variable or as the data source.
func checkVariables(d dashboardFile) (mistakes []error) {
	declared, used := map[string]bool{}, map[string]bool{}
	use := func(texts ...string) {
		for _, s := range texts {
			for _, m := range variable.FindAllStringSubmatch(s, -1) {
				used[variableName(m)] = true
			}
		}
	}
	for _, v := range d.Templating.List {
		if declared[v.Name] {
			mistakes = append(mistakes, fmt.Errorf("two variables are called %q", v.Name))
		}
		declared[v.Name] = true
		use(queryOf(v))
	}
	d.each(func(p panelJSON) {
		use(p.Title, p.Description, p.Datasource.UID, string(p.Options))
		for _, t := range p.Targets {
			use(t.Query, t.RawSQL, t.Datasource.UID)
		}
		for _, o := range p.FieldConfig.Overrides {
			for _, property := range o.Properties {
				use(string(property.Value))
			}
		}
	})
	for name := range used {
		if !declared[name] && !ofGrafana.MatchString(name) {
			mistakes = append(mistakes, fmt.Errorf("$%s is no variable of this dashboard", name))
		}
	}
	for name := range declared {
		if !used[name] {
			mistakes = append(mistakes, fmt.Errorf("the variable %s is not used", name))
		}
	}
	return mistakes
}

// queryOf returns the query of a variable: in Flux a text, in SQL a text or an object.
func queryOf(v variableJSON) string {
	var object struct{ Query, RawSQL string }
	if v.Type != "query" {
		return ""
	}
	if json.Unmarshal(v.Query, &object) == nil {
		return strings.TrimSpace(object.Query + object.RawSQL)
	}
	return text(v.Query)
}
