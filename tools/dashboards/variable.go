package main

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// chosen is the condition for the devices that are chosen in the variable device.
const chosen = `r.device =~ /^${device:regex}$/`

// roomOf is the room of a device d in SQL, as the variable room has it.
const roomOf = "coalesce(nullif(d.room, ''), '(no room)')"

// rooms returns the variable room: the rooms of devices that have a metric which
// matches a regular expression.
func rooms(metrics string) dashboard.VariableModel {
	v := choice("room", "Room", fmt.Sprintf("select distinct %s from hearth.devices d where %s order by 1", roomOf, having(metrics)))
	return v
}

// devices returns the variable device: those in the chosen rooms with a matching metric.
// Names are shown, ids are used.
func devices(name, label, metrics string) dashboard.VariableModel {
	return choice(name, label, fmt.Sprintf("select d.name as __text, d.id as __value from hearth.devices d where %s in (${room:sqlstring}) and %s order by 1", roomOf, having(metrics)))
}

func having(metrics string) string {
	return fmt.Sprintf("exists (select 1 from hearth.device_states s where s.device = d.id and s.metric ~ '%s')", metrics)
}

// metric returns a regular expression for keys, also those of parts of a device.
func metric(keys ...string) string { return "^(.+_)?" + alternatives(keys) + "$" }

// choice returns a variable of which several values can be chosen, at first all.
func choice(name, label, query string) dashboard.VariableModel {
	all := []string{"$__all"}
	return dashboard.VariableModel{
		Type: dashboard.VariableTypeQuery, Name: name, Label: &label, Datasource: &postgresSource, Query: &dashboard.StringOrMap{String: &query}, Definition: &query,
		Multi: new(true), IncludeAll: new(true), Refresh: new(dashboard.VariableRefreshOnDashboardLoad), Options: []dashboard.VariableOption{},
		Current: &dashboard.VariableOption{Text: dashboard.StringOrArrayOfString{ArrayOfString: []string{"All"}}, Value: dashboard.StringOrArrayOfString{ArrayOfString: all}},
	}
}

// labels returns a variable with the values of a label of a measurement, such as the
// symbols of stocks.
func labels(name, label, measurement string) dashboard.VariableModel {
	query := fmt.Sprintf("import \"influxdata/influxdb/v1\"\nv1.tagValues(bucket: v.defaultBucket, tag: %q, predicate: (r) => r._measurement == %q, start: -90d)", name, measurement)
	v := choice(name, label, query)
	v.Datasource, v.Query = &influxSource, &dashboard.StringOrMap{Map: map[string]any{"query": query, "refId": "variable"}}
	return v
}

// text returns a variable that a person types.
func text(name, label, about, value string) dashboard.VariableModel {
	option := dashboard.VariableOption{Selected: new(true), Text: dashboard.StringOrArrayOfString{String: &value}, Value: dashboard.StringOrArrayOfString{String: &value}}
	return dashboard.VariableModel{Type: dashboard.VariableTypeTextbox, Name: name, Label: &label, Description: &about, Query: &dashboard.StringOrMap{String: &value},
		Current: &option, Options: []dashboard.VariableOption{option}}
}
