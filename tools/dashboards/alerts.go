package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/hearth-home/hearth/shared/catalogue"
)

// rule is an alert rule of Grafana: a query, and the values at which it begins and ends.
type rule struct {
	uid, title, text string
	source           string // uid of the data source
	query            target
	above            bool
	enter, leave     float64
	held             string // how long the condition must hold
	critical         bool
	silence          bool // no data is an alert, too
}

// alertRules returns the provisioning of the alert rules. They are paused: hearth alerts
// by the same thresholds itself, once, and resolves what it has told. No text has a
// dollar sign, which Grafana would replace by its environment.
func alertRules() object {
	var rules []any
	for _, r := range append(ownRules(), thresholdRules()...) {
		rules = append(rules, r.yaml())
	}
	return object{"apiVersion": 1, "groups": []any{object{"orgId": 1, "name": folderName, "folder": folderName, "interval": "1m", "rules": rules}}}
}

// ownRules watch hearth itself.
func ownRules() []rule {
	canary, _ := of("canary.latency_seconds")
	overdue := "select name, overdue from (" + pipelines + ") p"
	return []rule{
		{uid: "hearth-silent", title: "hearth is silent", text: "No message of the connector has come through broker and function to the store for 10 minutes, or they take longer than 2 minutes. Look whether broker, connector and functions run.",
			source: influxUID, query: flux(canary.newest("-10m")), above: true, enter: 120, leave: 60, held: "5m", critical: true, silence: true},
		{uid: "hearth-overdue", title: "A pipeline is overdue", text: "Its run is later than its schedule and grace time: see the log of the function and of the cron-connector.",
			source: postgresUID, query: sql(overdue), above: true, enter: 0, leave: 0, held: "10m"},
	}
}

// thresholdRules are the default alerts of the catalogue. Those that depend on what
// Grafana does not know are left out: rooms, freezers, single devices, whether somebody
// is at home, and other fields. So a self-test of a UPS counts as on battery here.
func thresholdRules() (out []rule) {
	for _, m := range catalogue.All() {
		for _, f := range m.Fields {
			for _, t := range append([]catalogue.Threshold{f.Warn}, f.Alerts...) {
				if t.Where != catalogue.Anywhere || t.Device != "" || t.Away == catalogue.AwayOnly || t.Instead != "" {
					continue
				}
				if t.HasAbove {
					out = append(out, thresholdRule(m, f, t, true))
				}
				if t.HasBelow {
					out = append(out, thresholdRule(m, f, t, false))
				}
			}
		}
	}
	return out
}

func thresholdRule(m catalogue.Measurement, f catalogue.Field, t catalogue.Threshold, above bool) rule {
	s, _ := of(m.Name + "." + f.Key)
	s.whole = true
	end, side, enter, leave := "high", "high", t.Above, t.Above-t.Hysteresis
	if !above {
		end, side, enter, leave = "low", "low", t.Below, t.Below+t.Hysteresis
	}
	title := cmp.Or(t.Title, f.Title+" is "+side)
	if f.Word(0) != "" {
		title = cmp.Or(t.Title, f.Title)
	}
	past := max(3*m.Cadence, m.Cadence+t.For)
	if m.Cadence == 0 {
		past = 3 * day // devices that report changes may be quiet for long
	}
	return rule{
		uid: strings.ReplaceAll(fmt.Sprintf("hearth-%s-%s-%s", m.Name, catalogue.WithoutUnit(f.Key), end), "_", "-"), title: fmt.Sprintf("%s (%s)", title, m.Title),
		text: strings.TrimSpace(t.Next), source: influxUID, query: flux(s.newest(fmt.Sprintf("-%dm", int(past.Minutes())))),
		above: above, enter: enter, leave: leave, held: fmt.Sprintf("%ds", int(t.For.Seconds())), critical: t.Critical,
	}
}

// newest returns the query for the newest reading of each series since a time.
func (s series) newest(start string) string {
	return fmt.Sprintf("from(bucket: v.defaultBucket)\n  |> range(start: %s)\n  |> filter(fn: (r) => %s and %s)\n  |> last()\n  |> map(fn: (r) => ({_time: r._time, _value: r._value, name: %s}))\n  |> group(columns: [\"name\"])\n",
		start, s.measured(), s.fields(""), s.name())
}

// yaml returns the rule as Grafana's provisioning has it: the query A, its newest value
// B, and the condition C with hysteresis.
func (r rule) yaml() object {
	begins, ends := "gt", "lt"
	if !r.above {
		begins, ends = "lt", "gt"
	}
	condition := object{"evaluator": object{"type": begins, "params": []float64{r.enter}}}
	if r.leave != r.enter {
		condition["unloadEvaluator"] = object{"type": ends, "params": []float64{r.leave}}
	}
	model := object{"refId": "A", "intervalMs": 60000, "maxDataPoints": 43200}
	if r.query.Query != "" {
		model["query"] = r.query.Query
	} else {
		model["rawSql"], model["rawQuery"], model["format"], model["editorMode"] = r.query.RawSQL, true, "table", "code"
	}
	noData := "OK" // missing data is an alert of its own in hearth
	if r.silence {
		noData = "Alerting"
	}
	severity := "warning"
	if r.critical {
		severity = "critical"
	}
	span := object{"from": 600, "to": 0}
	return object{
		"uid": r.uid, "title": r.title, "condition": "C", "for": r.held, "noDataState": noData, "execErrState": "Error", "isPaused": true,
		"labels":                object{"severity": severity, "source": "hearth"},
		"annotations":           object{"summary": r.title + ": {{ index .Labels \"name\" }}", "description": r.text},
		"notification_settings": object{"receiver": receiver},
		"data": []any{
			object{"refId": "A", "datasourceUid": r.source, "relativeTimeRange": span, "model": model},
			object{"refId": "B", "datasourceUid": "__expr__", "relativeTimeRange": span, "model": object{"refId": "B", "type": "reduce", "expression": "A", "reducer": "last"}},
			object{"refId": "C", "datasourceUid": "__expr__", "relativeTimeRange": span, "model": object{"refId": "C", "type": "threshold", "expression": "B", "conditions": []any{condition}}},
		},
	}
}
