package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// The uids of the two data sources, and of the folder that the dashboards are in.
const (
	influxUID   = "hearth-influxdb"
	postgresUID = "hearth-postgresql"
	folderName  = "hearth"
)

var (
	influxSource   = common.DataSourceRef{Type: new("influxdb"), Uid: new(influxUID)}
	postgresSource = common.DataSourceRef{Type: new("grafana-postgresql-datasource"), Uid: new(postgresUID)}
)

// target is a query of a panel. The SDK has none for InfluxDB and for PostgreSQL.
type target struct {
	RefID      string               `json:"refId"`
	Datasource common.DataSourceRef `json:"datasource"`
	Query      string               `json:"query,omitempty"` // Flux
	RawSQL     string               `json:"rawSql,omitempty"`
	RawQuery   bool                 `json:"rawQuery,omitempty"`
	Format     string               `json:"format,omitempty"`
	EditorMode string               `json:"editorMode,omitempty"`
}

func (target) ImplementsDataqueryVariant()            {}
func (t target) Equals(other variants.Dataquery) bool { return t == other }
func (t target) DataqueryType() string                { return *t.Datasource.Type }
func (target) Validate() error                        { return nil }

// flux returns a query of InfluxDB.
func flux(query string) target {
	return target{RefID: "A", Datasource: influxSource, Query: query}
}

// sql returns a query of PostgreSQL whose answer is a table.
func sql(query string) target {
	return target{RefID: "A", Datasource: postgresSource, RawSQL: query, RawQuery: true, Format: "table", EditorMode: "code"}
}

// page is a dashboard while it is put together: panels go from left to right, and into
// the next line when they do not fit.
type page struct {
	uid, title, about string
	from              string // the span it opens with; "": now-24h
	zone              string // "": the browser's
	refresh           string // "": 1m
	variables         []dashboard.VariableModel
	panels            []dashboard.PanelOrRowPanel
	measured          []string // the measurements of which all numbers are shown

	x, y, height, id uint32
	row              *dashboard.RowPanel // a closed row, which new panels go into
}

const columns = 24

// add places a panel of a width and height in Grafana's grid of 24 columns.
func (p *page) add(width, height uint32, panel dashboard.Panel) {
	if p.x+width > columns {
		p.line()
	}
	p.id++
	panel.Id, panel.GridPos = new(p.id), &dashboard.GridPos{X: p.x, Y: p.y, W: width, H: height}
	p.x, p.height = p.x+width, max(p.height, height)
	if p.row != nil {
		p.row.Panels = append(p.row.Panels, panel)
		return
	}
	p.panels = append(p.panels, dashboard.PanelOrRowPanel{Panel: &panel})
}

// line begins a new line.
func (p *page) line() {
	p.x, p.y, p.height = 0, p.y+p.height, 0
}

// open begins a row whose panels are shown.
func (p *page) open(title string) { p.heading(title, false) }

// closed begins a row whose panels are shown, and read, when a person opens it.
func (p *page) closed(title string) { p.heading(title, true) }

func (p *page) heading(title string, collapsed bool) {
	p.line()
	if p.row != nil { // a closed row takes one line
		p.y = p.row.GridPos.Y + 1
	}
	p.id++
	row := &dashboard.RowPanel{Type: "row", Title: &title, Collapsed: collapsed, Id: p.id, GridPos: &dashboard.GridPos{Y: p.y, W: columns, H: 1}, Panels: []dashboard.Panel{}}
	p.panels = append(p.panels, dashboard.PanelOrRowPanel{RowPanel: row})
	p.y++
	if p.row = nil; collapsed {
		p.row = row
	}
}

// json returns the dashboard's file.
func (p *page) json() ([]byte, error) {
	or := func(s, other string) *string {
		if s == "" {
			return &other
		}
		return &s
	}
	d := dashboard.NewDashboard()
	d.Uid, d.Title, d.Description = new("hearth-"+p.uid), &p.title, &p.about
	d.Tags, d.Timezone, d.Refresh = []string{folderName}, or(p.zone, "browser"), or(p.refresh, "1m")
	d.Time = &dashboard.DashboardDashboardTime{From: *or(p.from, "now-24h"), To: "now"}
	d.GraphTooltip = new(dashboard.DashboardCursorSyncCrosshair)
	d.Templating.List, d.Panels = p.variables, p.panels
	d.Links = []dashboard.DashboardLink{{Title: folderName, Type: dashboard.DashboardLinkTypeDashboards, Icon: "external link", Tags: []string{folderName}, AsDropdown: true, KeepTime: true}}
	if err := d.Validate(); err != nil {
		return nil, fmt.Errorf("dashboard %s: %w", p.uid, err)
	}
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("dashboard %s: %w", p.uid, err)
	}
	return append(readable.apply(text), '\n'), nil
}

// readable undoes the escapes of < > & in JSON.
var readable = escapes{{`\u003e`, ">"}, {`\u003c`, "<"}, {`\u0026`, "&"}}

type escapes [][2]string

func (e escapes) apply(text []byte) []byte {
	for _, pair := range e {
		text = bytes.ReplaceAll(text, []byte(pair[0]), []byte(pair[1]))
	}
	return text
}
