package catalogue

import "time"

var _ = declare(Family{Function: "treasuries", Private: true, place: 40, Title: "US Treasury yields", About: "The US yield curve, with history, by the US Treasury or Alpha Vantage", Measurements: []Measurement{
	{
		Name: "treasury_yield", Title: "US Treasury yields", About: "Par yields at the close of a business day, by the Treasury",
		Labels: []string{"maturity"}, Term: "maturity", Day: true, Cadence: longWeekend, Since: time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC),
		Fields: []Field{yieldPercent, maturityMonths},
	},
	{
		Name: "treasury_yield_alphavantage", Title: "US Treasury yields by Alpha Vantage", About: "Yields of a business day, by Alpha Vantage",
		Labels: []string{"maturity"}, Term: "maturity", Day: true, Cadence: longWeekend, Since: time.Date(1962, 1, 1, 0, 0, 0, 0, time.UTC),
		Fields: []Field{yieldPercent, maturityMonths},
	},
}})

// longWeekend is the longest usual gap between values, Friday to Tuesday, and a day: the
// value of a day is published in the evening.
const longWeekend = 5 * 24 * time.Hour

// yieldPercent may be negative. The highest yield so far was 17 %, in 1981.
var yieldPercent = Field{Key: "yield_percent", Title: "Yield", Unit: "%", Min: -5, Max: 25, Digits: 2}

// maturityMonths is the label maturity as a number, by which a table can sort.
var maturityMonths = Field{Key: "maturity_months", Title: "Maturity", Unit: "months", Max: 1200, Show: Hidden, Of: "maturity"}
