package main

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/table"
)

// column says how a column of a table is shown.
type column struct {
	name       string
	properties []dashboard.DynamicConfigValue
}

// as shows a column in a unit of Grafana.
func as(name, unit string) column {
	return column{name, []dashboard.DynamicConfigValue{{Id: "unit", Value: unit}}}
}

// marked colours a column from a value on.
func marked(c column, from float64) column {
	steps := []map[string]any{{"color": fine, "value": nil}, {"color": warning, "value": from}}
	c.properties = append(c.properties, dashboard.DynamicConfigValue{Id: "thresholds", Value: map[string]any{"mode": "absolute", "steps": steps}},
		dashboard.DynamicConfigValue{Id: "custom.cellOptions", Value: map[string]any{"type": "color-text"}},
		dashboard.DynamicConfigValue{Id: "color", Value: map[string]any{"mode": "thresholds"}})
	return c
}

// linked makes the texts of a column links to the address in the column Link, which is
// not shown.
func linked(name string) []column {
	link := map[string]any{"title": "Open", "url": "${__data.fields.Link}", "targetBlank": true}
	return []column{
		{name, []dashboard.DynamicConfigValue{{Id: "links", Value: []any{link}}}},
		{"Link", []dashboard.DynamicConfigValue{{Id: "custom.hidden", Value: true}}},
	}
}

// rows returns a table.
func rows(title, about string, t target, columns ...column) dashboard.Panel {
	var overrides []dashboard.DashboardFieldConfigSourceOverrides
	for _, c := range columns {
		if len(c.properties) == 0 { // Grafana fails on an override without any
			continue
		}
		overrides = append(overrides, dashboard.DashboardFieldConfigSourceOverrides{Matcher: dashboard.MatcherConfig{Id: "byName", Options: c.name}, Properties: c.properties})
	}
	config := dashboard.FieldConfig{NoValue: new("–"), Thresholds: &dashboard.ThresholdsConfig{Mode: dashboard.ThresholdsModeAbsolute, Steps: []dashboard.Threshold{{Color: fine}}}}
	config.Custom = map[string]any{"align": "auto", "filterable": false, "inspect": false}
	return panel("table", title, about, t, table.Options{ShowHeader: true, CellHeight: new(common.TableCellHeightSm)}, config, overrides...)
}

// value returns one number of an answer, without its course. The unit is one of Grafana;
// "": none. From a value on it is marked; nil: never.
func value(title, about string, t target, unit string, digits float64, from *float64) dashboard.Panel {
	config := dashboard.FieldConfig{NoValue: new("No data"), Decimals: &digits, Color: &dashboard.FieldColor{Mode: dashboard.FieldColorModeIdThresholds},
		Thresholds: &dashboard.ThresholdsConfig{Mode: dashboard.ThresholdsModeAbsolute, Steps: []dashboard.Threshold{{Color: plain}}}}
	if from != nil {
		config.Thresholds.Steps = []dashboard.Threshold{{Color: fine}, {Value: from, Color: warning}}
	}
	if unit != "" {
		config.Unit = &unit
	}
	return panel("stat", title, about, t, values("/.*/"), config)
}

// values are the options of a panel with the numbers of one line.
func values(fields string) stat.Options {
	return stat.Options{
		GraphMode: common.BigValueGraphModeNone, ColorMode: common.BigValueColorModeValue, JustifyMode: common.BigValueJustifyModeAuto, TextMode: common.BigValueTextModeAuto,
		WideLayout: true, ReduceOptions: latest(fields), PercentChangeColorMode: common.PercentChangeColorModeStandard, Orientation: common.VizOrientationAuto,
	}
}

// ago is the time since a moment in seconds, in SQL.
func ago(moment string) string { return fmt.Sprintf("extract(epoch from now() - %s)::float8", moment) }

func tasks() dashboard.Panel {
	return rows("Tasks", "Open tasks of Asana, those that were idle longest first", sql(`select title as "Task", idle_days as "Days since last update", age_days as "Age in days",
  attributes ->> 'priority' as "Priority", attributes ->> 'due_on' as "Due", url as "Link"
from hearth.tasks
order by idle_days desc nulls last
limit 100`), append(linked("Task"), column{"Days since last update", digits(1)}, column{"Age in days", digits(1)})...)
}

func digits(n int) []dashboard.DynamicConfigValue {
	return []dashboard.DynamicConfigValue{{Id: "decimals", Value: n}}
}

func products() dashboard.Panel {
	return rows("Raspberry Pi in stock", "Boards that shops have, by the feeds with stock=true", sql(`select title as "Product", `+ago("coalesce(at, seen)")+` as "Alert age", attributes ->> 'shop' as "Shop", attributes ->> 'country' as "Country", url as "Link"
from hearth.items
where source = 'feeds' and closed is null and attributes ? 'model'
order by coalesce(at, seen) desc
limit 50`), append(linked("Product"), as("Alert age", "s"))...)
}

func news() dashboard.Panel {
	return rows("News", "The newest entries of feeds and web pages", sql(`select title as "Entry", target as "Feed", `+ago("coalesce(at, seen)")+` as "Age", url as "Link"
from hearth.items
where source = 'feeds' and closed is null and not attributes ? 'model'
order by coalesce(at, seen) desc
limit 100`), append(linked("Entry"), as("Age", "s"))...)
}

const openAlerts = `from hearth.alerts a left join hearth.devices d on d.id = a.state::jsonb ->> 'device'
where a.active and a.state::jsonb ->> 'phase' in ('firing', 'unknown')`

func alertTable() dashboard.Panel {
	return rows("Open alerts", "What hearth alerts about. Unknown: it was firing when its data stopped", sql(`select a.state::jsonb ->> 'severity' as "Severity", a.state::jsonb ->> 'title' as "Alert",
  coalesce(d.name, a.state::jsonb ->> 'name', a.state::jsonb ->> 'function', '') as "Of", coalesce(d.room, '') as "Room",
  (a.state::jsonb ->> 'value')::float8 as "Value", a.state::jsonb ->> 'unit' as "Unit", `+ago("(a.state::jsonb ->> 'since')::timestamptz")+` as "For",
  a.state::jsonb ->> 'phase' as "State", a.state::jsonb ->> 'next' as "What to do"
`+openAlerts+`
order by a.state::jsonb ->> 'severity', a.state::jsonb ->> 'since'`), as("For", "s"), column{"Value", digits(1)})
}

func alertCount() dashboard.Panel {
	return value("Number of open alerts", "How many alerts of hearth are open", sql("select count(*) as \"Open alerts\"\n"+openAlerts), "", 0, new(1.0))
}
