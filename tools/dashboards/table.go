package main

import (
	"fmt"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/hearth-home/hearth/shared/catalogue"
)

// readings asks for whole readings of a measurement, one line each, as columns with the
// titles of the fields.
type readings struct {
	of     string
	start  string   // "-40d"
	stop   string   // "": now
	where  string   // further condition on r; "": none
	labels []string // that are columns
	keys   []string // fields and texts that are columns
	day    bool     // the time is a day in UTC, written as a text: no zone moves it
	latest bool     // only the newest of each series
	newest bool     // the newest first
}

// flux returns the query.
func (q readings) flux() string {
	m := measurements(q.of)[0]
	var b strings.Builder
	if q.day {
		b.WriteString("import \"strings\"\n\n")
	}
	bounds := "start: " + q.start
	if q.stop != "" {
		bounds += ", stop: " + q.stop
	}
	where := fmt.Sprintf("r._measurement == %q and (%s)", q.of, anyOf("_field", q.keys))
	if q.where != "" {
		where += " and " + q.where
	}
	fmt.Fprintf(&b, "from(bucket: v.defaultBucket)\n  |> range(%s)\n  |> filter(fn: (r) => %s)\n", bounds, where)
	if q.latest {
		b.WriteString("  |> last()\n")
	}
	// Numbers and texts are in tables of their own until the pivot.
	b.WriteString("  |> pivot(rowKey: [\"_time\"], columnKey: [\"_field\"], valueColumn: \"_value\")\n  |> group()\n")
	fmt.Fprintf(&b, "  |> sort(columns: [\"_time\"], desc: %t)\n  |> map(fn: (r) => ({%s}))\n  |> limit(n: 200)\n", q.newest, strings.Join(q.columns(m), ", "))
	return b.String()
}

// columns returns the columns of a line, as fields of a record of Flux.
func (q readings) columns(m catalogue.Measurement) []string {
	out := []string{"Time: r._time"}
	if q.day {
		out[0] = "Date: strings.substring(v: string(v: r._time), start: 0, end: 10)"
	}
	for _, l := range q.labels {
		out = append(out, fmt.Sprintf("%s: r.%s", catalogue.Title(l), l))
	}
	for _, k := range q.keys {
		out = append(out, fmt.Sprintf("%q: r.%s", titleIn(m, k), k))
	}
	return out
}

func titleIn(m catalogue.Measurement, key string) string {
	if f, ok := m.Field(key); ok {
		return f.Title
	}
	return catalogue.Title(key)
}

// readingTable returns a table of readings, with the units and thresholds of the fields.
func readingTable(title, about string, q readings, more ...column) dashboard.Panel {
	m := measurements(q.of)[0]
	for _, k := range q.keys {
		f, ok := m.Field(k)
		if !ok {
			continue
		}
		c := column{name: f.Title}
		if u := unit(f.Unit); u != "" {
			c = as(f.Title, u)
		}
		if d := decimals(f); d != nil {
			c.properties = append(c.properties, dashboard.DynamicConfigValue{Id: "decimals", Value: *d})
		}
		if w := words(f); w != nil {
			c.properties = append(c.properties, dashboard.DynamicConfigValue{Id: "mappings", Value: w})
		}
		more = append(more, c)
	}
	names := []string{"Time", "Date"}
	for _, l := range q.labels {
		names = append(names, catalogue.Title(l))
	}
	for _, k := range q.keys {
		names = append(names, titleIn(m, k))
	}
	return inOrder(rows(title, about, flux(q.flux()), more...), names...)
}

// inOrder puts the columns of a table into this order: Flux sorts them by name.
func inOrder(p dashboard.Panel, names ...string) dashboard.Panel {
	index := map[string]int{}
	for i, n := range names {
		index[n] = i
	}
	p.Transformations = []dashboard.DataTransformerConfig{{Id: "organize", Options: map[string]any{"indexByName": index, "excludeByName": map[string]bool{}, "renameByName": map[string]string{}}}}
	return p
}

func forecast() dashboard.Panel {
	return readingTable("Forecast", "In steps of three hours", readings{of: "weather_forecast", start: "now()", stop: "6d", labels: []string{"place"},
		keys: []string{"temperature_celsius", "feels_like_celsius", "rain_mm", "snow_mm", "precipitation_chance_percent", "wind_mps", "description"}})
}

func daysToCome() dashboard.Panel {
	return readingTable("Days to come", "High, low and rain of days from local midnight", readings{of: "weather_day", start: "-1d", stop: "6d", labels: []string{"place"},
		keys: []string{"high_celsius", "low_celsius", "rain_mm", "snow_mm", "precipitation_chance_percent"}})
}
