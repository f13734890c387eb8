package catalogue

// A quote has the time of the last trade. While the market is closed there is no new
// one, so there is no cadence.
var _ = declare(Family{Function: "stocks", Private: true, place: 30, About: "Quotes of stocks and funds, by Finnhub", Measurements: []Measurement{{
	Name: "stock_quote", About: "The last trade of a stock or fund, by Finnhub",
	Labels: []string{"symbol"},
	Fields: []Field{
		{Key: "price_usd", Title: "Price", Unit: "$", Max: 1e7},
		{Key: "change_percent", Title: "Since last close", Unit: "%", Min: -100, Max: 1e5, Digits: 2},
		{Key: "change_usd", Title: "Since last close", Unit: "$", Min: -1e7, Max: 1e7},
		{Key: "high_usd", Title: "High of the day", Unit: "$", Max: 1e7},
		{Key: "low_usd", Title: "Low of the day", Unit: "$", Max: 1e7},
		{Key: "open_usd", Title: "Open", Unit: "$", Max: 1e7},
		{Key: "previous_close_usd", Title: "Previous close", Unit: "$", Max: 1e7},
	},
}}})
