package catalogue

import "time"

var treasuries = []Measurement{
	{
		Name: "treasury_yield", About: "US Treasury par yields at the close of a business day, by the Treasury", Function: "treasuries",
		Labels: []string{"maturity"}, Cadence: longWeekend, Since: time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC),
		Fields: []Field{yieldPercent},
	},
	{
		Name: "treasury_yield_alphavantage", About: "US Treasury yields of a business day, by Alpha Vantage", Function: "treasuries",
		Labels: []string{"maturity"}, Cadence: longWeekend, Since: time.Date(1962, 1, 1, 0, 0, 0, 0, time.UTC),
		Fields: []Field{yieldPercent},
	},
}

// longWeekend is the longest usual gap between business days: Friday to
// Tuesday. A day's value comes on its evening.
const longWeekend = 5 * 24 * time.Hour

// Treasury publishes negative yields where it measures them; the most ever was
// 17 % in 1981.
var yieldPercent = Field{Key: "yield_percent", Title: "Yield", Unit: "%", Min: -5, Max: 25}
