package main

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/grafana/grafana-foundation-sdk/go/bargauge"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/gauge"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/statetimeline"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"

	"github.com/hearth-home/hearth/shared/catalogue"
)

// seriesName is the name of a series: the label that all queries give it.
const seriesName = "${__field.labels.name}"

// panel returns a panel without options.
func panel(kind, title, about string, t target, options any, config dashboard.FieldConfig, overrides ...dashboard.DashboardFieldConfigSourceOverrides) dashboard.Panel {
	if overrides == nil {
		overrides = []dashboard.DashboardFieldConfigSourceOverrides{}
	}
	source := t.Datasource
	p := dashboard.Panel{Type: kind, Title: &title, Datasource: &source, Options: options}
	p.Targets = append(p.Targets, t)
	p.FieldConfig = &dashboard.FieldConfigSource{Defaults: config, Overrides: overrides}
	if about != "" {
		p.Description = &about
	}
	return p
}

// plot returns lines over time. Where the field has thresholds, they are dashed lines.
func plot(title, about string, query string, f catalogue.Field) dashboard.Panel {
	config := fieldConfig(f)
	config.Color = &dashboard.FieldColor{Mode: dashboard.FieldColorModeIdPaletteClassic}
	custom := common.GraphFieldConfig{
		DrawStyle: new(common.GraphDrawStyleLine), LineWidth: new(1.0), FillOpacity: new(8.0), ShowPoints: new(common.VisibilityModeAuto),
		SpanNulls: &common.BoolOrFloat64{Bool: new(false)},
	}
	if len(config.Thresholds.Steps) > 1 {
		custom.ThresholdsStyle = &common.GraphThresholdsStyleConfig{Mode: common.GraphThresholdsStyleModeDashed}
	}
	config.Custom = custom
	return panel("timeseries", title, about, flux(query), timeseries.Options{Legend: legend(), Tooltip: tooltip()}, config)
}

// bars returns bars over time.
func bars(title, about string, query string, f catalogue.Field) dashboard.Panel {
	p := plot(title, about, query, f)
	p.FieldConfig.Defaults.Custom = common.GraphFieldConfig{DrawStyle: new(common.GraphDrawStyleBars), LineWidth: new(1.0), FillOpacity: new(60.0),
		Stacking: &common.StackingConfig{Mode: new(common.StackingModeNormal), Group: new("A")}}
	return p
}

func legend() common.VizLegendOptions {
	return common.VizLegendOptions{DisplayMode: common.LegendDisplayModeTable, Placement: common.LegendPlacementBottom, ShowLegend: true, Calcs: []string{"min", "mean", "max", "lastNotNull"}}
}

func tooltip() common.VizTooltipOptions {
	return common.VizTooltipOptions{Mode: common.TooltipDisplayModeMulti, Sort: common.SortOrderDescending}
}

// latest is the newest value of each series.
func latest(fields string) common.ReduceDataOptions {
	return common.ReduceDataOptions{Calcs: []string{"lastNotNull"}, Values: new(false), Fields: &fields}
}

// number returns the newest value of each series, with its course in small.
func number(title, about, query string, f catalogue.Field) dashboard.Panel {
	return panel("stat", title, about, flux(query), stat.Options{
		GraphMode: common.BigValueGraphModeArea, ColorMode: common.BigValueColorModeValue, JustifyMode: common.BigValueJustifyModeAuto, TextMode: common.BigValueTextModeAuto,
		WideLayout: true, ReduceOptions: latest(""), PercentChangeColorMode: common.PercentChangeColorModeStandard, Orientation: common.VizOrientationAuto,
	}, fieldConfig(f))
}

// ring returns the newest value of each series in a ring, coloured by the thresholds.
func ring(title, about, query string, f catalogue.Field) dashboard.Panel {
	config := fieldConfig(f)
	config.Min, config.Max = scale(f)
	return panel("gauge", title, about, flux(query), gauge.Options{
		ShowThresholdMarkers: true, Sizing: common.BarGaugeSizingAuto, MinVizWidth: 75, MinVizHeight: 75, ReduceOptions: latest(""), Orientation: common.VizOrientationAuto,
	}, config)
}

// levels returns the newest value of each series as a bar.
func levels(title, about, query string, f catalogue.Field) dashboard.Panel {
	config := fieldConfig(f)
	config.Min, config.Max = scale(f)
	return panel("bargauge", title, about, flux(query), bargauge.Options{
		DisplayMode: common.BarGaugeDisplayModeGradient, ValueMode: common.BarGaugeValueModeColor, NamePlacement: common.BarGaugeNamePlacementAuto, ShowUnfilled: true,
		Sizing: common.BarGaugeSizingAuto, MinVizWidth: 8, MinVizHeight: 16, MaxVizHeight: 300, Orientation: common.VizOrientationHorizontal,
		Legend:        common.VizLegendOptions{DisplayMode: common.LegendDisplayModeList, Placement: common.LegendPlacementBottom, Calcs: []string{}},
		ReduceOptions: latest(""),
	}, config)
}

// states returns when a field had which of its words.
func states(title, about, query string, f catalogue.Field) dashboard.Panel {
	config := fieldConfig(f)
	config.Custom = statetimeline.FieldConfig{LineWidth: new(uint32(0)), FillOpacity: new(uint32(70))}
	return panel("state-timeline", title, about, flux(query), statetimeline.Options{
		ShowValue: common.VisibilityModeAuto, RowHeight: 0.9, MergeValues: new(true), AlignValue: new(common.TimelineValueAlignmentLeft),
		Legend: common.VizLegendOptions{DisplayMode: common.LegendDisplayModeList, Placement: common.LegendPlacementBottom, Calcs: []string{}}, Tooltip: tooltip(),
	}, config)
}

// fieldConfig returns unit, digits, words and thresholds of a field.
func fieldConfig(f catalogue.Field) dashboard.FieldConfig {
	c := dashboard.FieldConfig{
		DisplayName: new(seriesName), Decimals: decimals(f), Mappings: words(f), Thresholds: thresholds(f),
		Color: &dashboard.FieldColor{Mode: dashboard.FieldColorModeIdThresholds}, NoValue: new("No data"),
	}
	if u := unit(cmp.Or(f.Unit, catalogue.KeyUnit(f.Key))); u != "" {
		c.Unit = &u
	}
	return c
}

// words returns the words of a field: value mappings. The word of an alert has its
// colour.
func words(f catalogue.Field) []dashboard.ValueMapping {
	options := map[string]dashboard.ValueMappingResult{}
	for v := 0; v <= max(1, len(f.Words)-1); v++ {
		if w := f.Word(float64(v)); w != "" {
			options[strconv.Itoa(v)] = dashboard.ValueMappingResult{Text: &w, Color: new(colour(f, float64(v))), Index: new(int32(v))}
		}
	}
	if len(options) == 0 {
		return nil
	}
	return []dashboard.ValueMapping{{ValueMap: &dashboard.ValueMap{Type: dashboard.MappingTypeValueToText, Options: options}}}
}

// The colours of values: as they should be, and beyond the thresholds.
const (
	fine     = "green"
	plain    = "blue"
	warning  = "orange"
	critical = "red"
	cold     = "light-blue"
)

// colour returns the colour of a value.
func colour(f catalogue.Field, v float64) string {
	steps := thresholds(f).Steps
	at := steps[0].Color
	for _, s := range steps[1:] {
		if v >= *s.Value {
			at = s.Color
		}
	}
	if len(steps) == 1 && v > 0 {
		return plain
	}
	return at
}

// thresholds returns the colours of a field by its default alerts. Those of freezers
// and of single devices are left out: a colour holds for all.
func thresholds(f catalogue.Field) *dashboard.ThresholdsConfig {
	var low, high *catalogue.Threshold
	for _, t := range append([]catalogue.Threshold{f.Warn}, f.Alerts...) {
		if t.Where == catalogue.Freezers || t.Device != "" || t.Away == catalogue.AwayOnly {
			continue
		}
		if t.HasBelow && (low == nil || t.Below > low.Below) {
			low = &t
		}
		if t.HasAbove && (high == nil || t.Above < high.Above) {
			high = &t
		}
	}
	base := fine
	var steps []dashboard.Threshold
	if low != nil {
		base = cmp.Or(map[bool]string{true: cold}[f.Unit == "°C"], severity(*low))
		steps = append(steps, dashboard.Threshold{Value: &low.Below, Color: fine})
	}
	if high != nil {
		steps = append(steps, dashboard.Threshold{Value: &high.Above, Color: severity(*high)})
	}
	steps = slices.Insert(steps, 0, dashboard.Threshold{Color: base})
	return &dashboard.ThresholdsConfig{Mode: dashboard.ThresholdsModeAbsolute, Steps: steps}
}

func severity(t catalogue.Threshold) string {
	if t.Critical {
		return critical
	}
	return warning
}

// scale returns where a ring or bar of a field begins and ends: percents at 0 and 100,
// other fields at twice the threshold or, without one, at the largest value of the span.
func scale(f catalogue.Field) (low, high *float64) {
	low = new(max(f.Min, 0))
	switch t := f.Warn; {
	case t.HasAbove && f.Max > 2*t.Above:
		return low, new(2 * t.Above)
	case f.Unit == "%":
		return low, new(100.0)
	default:
		return low, nil
	}
}

// drawing makes a panel of the answer to a query.
type drawing func(title, about, query string, f catalogue.Field) dashboard.Panel
