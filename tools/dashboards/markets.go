package main

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/xychart"
)

// markets is the dashboard of stocks and of US Treasury yields. Its times are in UTC: a
// yield is of a day, at 00:00 UTC.
func markets() *page {
	p := &page{uid: "markets", title: "Markets", about: "Stocks and funds, and the US yield curve. Dates are in UTC, so that none moves to the day before", from: "now-90d", zone: "utc", refresh: "15m"}
	p.variables = append(p.variables, labels("symbol", "Symbol", "stock_quote"))
	p.open("Stocks and funds")
	p.add(8, 5, repeated(stock(), "symbol"))
	p.line()
	p.show("", 24, 9, quantity{title: "Price, course", fields: []string{"stock_quote.price_usd"}, draw: plot, where: `r.symbol =~ /^${symbol:regex}$/`})
	p.open("US Treasury yields")
	p.add(14, 11, yieldCurve())
	p.add(10, 11, bills())
	p.add(12, 9, spread())
	p.show("", 12, 9, quantity{title: "Yields, course", about: "2 and 10 years", fields: []string{"treasury_yield.yield_percent"}, draw: plot, where: twoAndTen})
	p.add(6, 6, billRates())
	p.add(18, 6, billsOfAlphaVantage())
	for _, m := range measurements("stock_quote", "treasury_yield", "treasury_yield_alphavantage") {
		p.numbers(m)
	}
	return p
}

const twoAndTen = `(r.maturity == "2y" or r.maturity == "10y")`

// repeated shows a panel once for each value of a variable.
func repeated(p dashboard.Panel, variable string) dashboard.Panel {
	p.Repeat, p.RepeatDirection, p.MaxPerRow = &variable, new(dashboard.PanelRepeatDirectionH), new(3.0)
	return p
}

// stock shows open, last and change of a symbol. The change is in percent.
func stock() dashboard.Panel {
	p := panel("stat", "${symbol}", "Open, last price and change since the last close, by Finnhub", flux(`from(bucket: v.defaultBucket)
  |> range(start: -14d)
  |> filter(fn: (r) => r._measurement == "stock_quote" and r.symbol =~ /^${symbol:regex}$/)
  |> last()
  |> group()
  |> pivot(rowKey: ["symbol"], columnKey: ["_field"], valueColumn: "_value")
  |> map(fn: (r) => ({Open: r.open_usd, Last: r.price_usd, Change: r.change_percent}))
`), values("/.*/"), dashboard.FieldConfig{NoValue: new("No data"), Color: &dashboard.FieldColor{Mode: dashboard.FieldColorModeIdThresholds},
		Thresholds: &dashboard.ThresholdsConfig{Mode: dashboard.ThresholdsModeAbsolute, Steps: []dashboard.Threshold{{Color: plain}}}})
	for _, of := range [][2]string{{"Open", "open_usd"}, {"Last", "price_usd"}, {"Change", "change_percent"}} {
		name := of[0]
		_, f := field("stock_quote." + of[1])
		properties := []dashboard.DynamicConfigValue{{Id: "unit", Value: unit(f.Unit)}, {Id: "decimals", Value: 2}}
		if name == "Change" {
			steps := []map[string]any{{"color": critical, "value": nil}, {"color": fine, "value": 0}}
			properties = append(properties, dashboard.DynamicConfigValue{Id: "thresholds", Value: map[string]any{"mode": "absolute", "steps": steps}})
		}
		p.FieldConfig.Overrides = append(p.FieldConfig.Overrides, dashboard.DashboardFieldConfigSourceOverrides{Matcher: dashboard.MatcherConfig{Id: "byName", Options: name}, Properties: properties})
	}
	return p
}

// bills is the table of yields by date, the newest first.
func bills() dashboard.Panel {
	return yields("T-bills and bonds", "Par yields at the close of a day, by the US Treasury", "treasury_yield")
}

func billsOfAlphaVantage() dashboard.Panel {
	return yields("T-bills by Alpha Vantage", "Where ALPHAVANTAGE_KEY is set", "treasury_yield_alphavantage")
}

func yields(title, about, measurement string) dashboard.Panel {
	p := rows(title, about, flux(fmt.Sprintf(`import "strings"

from(bucket: v.defaultBucket)
  |> range(start: -60d)
  |> filter(fn: (r) => r._measurement == %q and r._field == "yield_percent")
  |> map(fn: (r) => ({Date: strings.substring(v: string(v: r._time), start: 0, end: 10), maturity: r.maturity, _value: r._value}))
  |> group()
  |> pivot(rowKey: ["Date"], columnKey: ["maturity"], valueColumn: "_value")
  |> sort(columns: ["Date"], desc: true)
  |> limit(n: 60)
`, measurement)))
	_, f := field(measurement + ".yield_percent")
	u := unit(f.Unit)
	p.FieldConfig.Defaults.Unit, p.FieldConfig.Defaults.Decimals = &u, decimals(f)
	return inOrder(p, "Date", "1m", "1.5m", "2m", "3m", "4m", "6m", "1y", "2y", "3y", "5y", "7y", "10y", "20y", "30y")
}

// billRates shows the newest yields of 2 and 10 years.
func billRates() dashboard.Panel {
	s, f := of("treasury_yield.yield_percent")
	s.where = twoAndTen
	p := number("T-Bill rates", "Of 2 and 10 years", s.flux(), f)
	p.TimeFrom = new("30d")
	return p
}

// yieldCurve shows the yields by maturity: the newest, and those of a month, six months
// and a year before.
func yieldCurve() dashboard.Panel {
	_, f := field("treasury_yield.yield_percent")
	config := fieldConfig(f)
	config.DisplayName, config.Color = nil, &dashboard.FieldColor{Mode: dashboard.FieldColorModeIdPaletteClassic}
	config.Custom = xychart.FieldConfig{Show: new(xychart.XYShowModePointsAndLines), LineWidth: new(int32(2)), AxisLabel: new("Yield")}
	months := dashboard.DashboardFieldConfigSourceOverrides{Matcher: dashboard.MatcherConfig{Id: "byName", Options: "maturity_months"}, Properties: []dashboard.DynamicConfigValue{
		{Id: "unit", Value: unit("months")}, {Id: "decimals", Value: 0}, {Id: "custom.axisLabel", Value: "Maturity in months"}}}
	return panel("xychart", "Yield curve", "Against a month, six months and a year ago", flux(`curve = (start, stop, of) => from(bucket: v.defaultBucket)
  |> range(start: start, stop: stop)
  |> filter(fn: (r) => r._measurement == "treasury_yield")
  |> last()
  |> group()
  |> pivot(rowKey: ["maturity"], columnKey: ["_field"], valueColumn: "_value")
  |> map(fn: (r) => ({maturity_months: r.maturity_months, yield: r.yield_percent, of: of}))
union(tables: [
  curve(start: -14d, stop: now(), of: "Today"),
  curve(start: -44d, stop: -30d, of: "A month ago"),
  curve(start: -196d, stop: -182d, of: "Six months ago"),
  curve(start: -379d, stop: -365d, of: "A year ago"),
])
  |> pivot(rowKey: ["maturity_months"], columnKey: ["of"], valueColumn: "yield")
  |> sort(columns: ["maturity_months"])
`), xychart.Options{Mapping: xychart.SeriesMappingAuto, Series: []xychart.XYSeriesConfig{}, Tooltip: common.VizTooltipOptions{Mode: common.TooltipDisplayModeSingle, Sort: common.SortOrderNone},
		Legend: common.VizLegendOptions{DisplayMode: common.LegendDisplayModeList, Placement: common.LegendPlacementBottom, ShowLegend: true, Calcs: []string{}}}, config, months)
}

// spread is the yield of 10 years less that of 2 years: below 0 the curve is inverted.
func spread() dashboard.Panel {
	_, f := field("treasury_yield.yield_percent")
	return plot("Spread", "The yield of 10 years less that of 2 years; below 0 the curve is inverted", `from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "treasury_yield" and r._field == "yield_percent" and `+twoAndTen+`)
  |> group()
  |> pivot(rowKey: ["_time"], columnKey: ["maturity"], valueColumn: "_value")
  |> filter(fn: (r) => exists r["10y"] and exists r["2y"])
  |> map(fn: (r) => ({_time: r._time, _value: r["10y"] - r["2y"], name: "10 years less 2 years"}))
  |> group(columns: ["name"])
  |> sort(columns: ["_time"])
`, f)
}
