package glance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/page/history"
	"github.com/hearth-home/hearth/shared/page/texts"
	"github.com/hearth-home/hearth/shared/reading"
)

const (
	yieldsKept = 62 * 24 * time.Hour // a curve that is older is not shown
	yieldsOld  = 6 * 24 * time.Hour  // Friday's is the newest until Tuesday evening after a long weekend
	businessIn = 10 * 24 * time.Hour // within so many days there is a business day
	flatBelow  = 0.2                 // percentage points between 2 and 10 years, from 0 on
)

// FirstYields is the first day of which a source has a curve.
var FirstYields = time.Date(1962, 1, 2, 0, 0, 0, 0, time.UTC)

// yieldSources are the measurements with a yield curve, the better one first.
var yieldSources = []string{"treasury_yield", "treasury_yield_alphavantage"}

// Curve is the yield curve of one business day.
type Curve struct {
	Source     string    `json:"source"`     // the measurement
	Day        string    `json:"day"`        // 2026-11-27
	Maturities []string  `json:"maturities"` // the shortest first: "1m", "10y"
	Yields     []float64 `json:"yields"`     // percent, of each maturity
	Spread     *float64  `json:"spread"`     // 10 years minus 2 years, percentage points; null: one of them is missing
	Sample     bool      `json:"sample,omitempty"`

	day    time.Time
	months []float64
	tags   []map[string]string
}

// ErrNoCurve means that no yields are stored of the days before the day that was asked for.
var ErrNoCurve = errors.New(texts.Say("curve.none"))

// Curve returns the yield curve of a day of the calendar, at midnight UTC, or of the nearest
// business day before it; ErrNoCurve if there is none.
func (g *Glance) Curve(ctx context.Context, v View, on time.Time) (Curve, error) {
	w, err := g.world(ctx, v)
	if err != nil {
		return Curve{}, err
	}
	return w.anyCurveOn(ctx, on)
}

// CurvePlot draws the newest curve, as the tile does, and that of a day of one's choice, as
// Curve returns it; without one if on is zero. The answer is an SVG.
func (g *Glance) CurvePlot(ctx context.Context, v View, on time.Time) ([]byte, error) {
	w, err := g.world(ctx, v)
	if err != nil {
		return nil, err
	}
	var chosen Curve
	if !on.IsZero() {
		if chosen, err = w.anyCurveOn(ctx, on); err != nil {
			return nil, err
		}
	}
	today, before, err := w.curves(ctx)
	return []byte(plotCurves(today, before, chosen)), err
}

// anyCurveOn returns the curve of the first source that has one of a day.
func (w *world) anyCurveOn(ctx context.Context, on time.Time) (Curve, error) {
	for _, source := range yieldSources {
		c, err := w.curveOn(ctx, source, on)
		if err != nil || len(c.Yields) > 0 {
			return c, err
		}
	}
	return Curve{}, ErrNoCurve
}

// curveOn returns the curve of a source on a day or the nearest business day before; without
// yields if there is none.
func (w *world) curveOn(ctx context.Context, source string, on time.Time) (Curve, error) {
	rs, err := w.between(ctx, source, nil, on.Add(-businessIn), on.Add(24*time.Hour))
	if err != nil {
		return Curve{}, err
	}
	last := time.Time{}
	for _, r := range rs {
		if r.Time.After(last) {
			last = r.Time
		}
	}
	return curveOf(source, slices.DeleteFunc(slices.Clone(rs), func(r reading.Reading) bool { return r.Time != last })), nil
}

// curveOf returns the curve of the readings of one day.
func curveOf(source string, rs []reading.Reading) Curve {
	c := Curve{Source: source}
	slices.SortFunc(rs, func(a, b reading.Reading) int {
		return cmp.Compare(catalogue.Months(a.Tags["maturity"]), catalogue.Months(b.Tags["maturity"]))
	})
	for _, r := range rs {
		yield, ok := r.Fields["yield_percent"]
		months := catalogue.Months(r.Tags["maturity"])
		if !ok || months <= 0 {
			continue
		}
		c.day, c.Day = r.Time, r.Time.UTC().Format(time.DateOnly)
		c.Maturities, c.Yields = append(c.Maturities, termOf(months)), append(c.Yields, yield)
		c.months, c.tags = append(c.months, months), append(c.tags, r.Tags)
		c.Sample = c.Sample || r.Tags[catalogue.SampleLabel] != ""
	}
	two, ok2 := c.yield(24)
	if ten, ok10 := c.yield(120); ok2 && ok10 {
		spread := math.Round((ten-two)*100) / 100
		c.Spread = &spread
	}
	return c
}

// termOf writes a maturity in short: 1.5m, 10y.
func termOf(months float64) string {
	if months < 12 {
		return fmt.Sprintf("%gm", months)
	}
	return fmt.Sprintf("%gy", months/12)
}

// yield returns the yield of a maturity.
func (c Curve) yield(months float64) (v float64, ok bool) {
	if i := slices.Index(c.months, months); i >= 0 {
		return c.Yields[i], true
	}
	return 0, false
}

// shape says how yields of 2 and of 10 years compare.
func (c Curve) shape() string {
	switch {
	case c.Spread == nil:
		return ""
	case *c.Spread < 0:
		return texts.Say("curve.inverted")
	case *c.Spread < flatBelow:
		return texts.Say("curve.flat")
	}
	return texts.Say("curve.normal")
}

// curve shows the newest yield curve against those of a month, half a year and a year ago.
func curve(ctx context.Context, w *world) (*Tile, error) {
	today, before, err := w.curves(ctx)
	if err != nil || len(today.Yields) == 0 {
		return nil, err
	}
	return &Tile{
		At: today.day, Stale: yieldsOld, Sample: today.Sample, Plots: today.plots(),
		Body: draw("curve", curveView{Plot: plotCurves(today, before, Curve{}), On: `<span class="on">` + day(today.day, date) + `</span>`, Shape: today.shape(), Spread: today.spread(),
			Month: len(before[0].Yields) > 0, Half: len(before[1].Yields) > 0, Year: len(before[2].Yields) > 0, Single: today.single(),
			Day: today.Day, First: FirstYields.Format(time.DateOnly)}),
	}, nil
}

// curves returns the newest curve, without yields if there is none, and those before with which
// it is compared.
func (w *world) curves(ctx context.Context) (today Curve, before []Curve, err error) {
	source, today, err := w.newestCurve(ctx)
	if err != nil || len(today.Yields) == 0 {
		return today, nil, err
	}
	for _, months := range []int{1, 6, 12} {
		c, err := w.curveOn(ctx, source, monthsBefore(today.day, months))
		if err != nil {
			return today, before, err
		}
		before = append(before, c)
	}
	return today, before, nil
}

// curveView is what the markup of the tile reads.
type curveView struct {
	Plot              template.HTML
	On                template.HTML // the day of the newest
	Day, First        string        // the days between which one can choose
	Shape             string
	Spread            template.HTML
	Single            template.HTML // a curve of one maturity
	Month, Half, Year bool          // there are curves of these
}

// newestCurve returns the curve of the last business day, of the first source that has one.
func (w *world) newestCurve(ctx context.Context) (source string, c Curve, err error) {
	for _, source := range yieldSources {
		rs, err := w.latest(ctx, source, yieldsKept)
		if err != nil {
			return "", Curve{}, err
		}
		if len(rs) == 0 {
			continue
		}
		newest := slices.MaxFunc(rs, func(a, b reading.Reading) int { return a.Time.Compare(b.Time) }).Time
		c, err := w.curveOn(ctx, source, newest)
		return source, c, err
	}
	return "", Curve{}, nil
}

// monthsBefore returns the day of the calendar some months before: of 31 March, 28 or 29 February.
func monthsBefore(t time.Time, months int) time.Time {
	year, month, d := t.UTC().Date()
	last := time.Date(year, month-time.Month(months)+1, 0, 0, 0, 0, 0, time.UTC)
	return time.Date(last.Year(), last.Month(), min(d, last.Day()), 0, 0, 0, 0, time.UTC)
}

func (c Curve) spread() template.HTML {
	if c.Spread == nil {
		return ""
	}
	return signed(*c.Spread, 2)
}

// single writes the yield if there is only one.
func (c Curve) single() template.HTML {
	if len(c.Yields) != 1 {
		return ""
	}
	return template.HTML(c.Maturities[0]+" ") + "<b>" + num(c.Yields[0], 2) + "</b> %"
}

// plots returns the series of some maturities, or of the longest ones.
func (c Curve) plots() (out []history.Series) {
	for i, months := range c.months {
		if slices.Contains([]float64{3, 24, 60, 120, 360}, months) || len(c.months) <= maxPlotted {
			out = append(out, history.Series{Measurement: c.Source, Field: "yield_percent", Tags: c.tags[i], Title: c.Maturities[i]})
		}
	}
	return out
}

// sentence reads a curve to those who do not see it.
func (c Curve) sentence() string {
	var parts []string
	for i, m := range c.Maturities {
		if slices.Contains(curveTicks, c.months[i]) || len(c.Yields) <= maxPlotted {
			parts = append(parts, fmt.Sprintf("%s %.2f %%", m, c.Yields[i]))
		}
	}
	return c.day.Format("2 January 2006") + ": " + strings.Join(parts, ", ")
}
