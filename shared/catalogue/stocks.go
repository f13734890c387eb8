package catalogue

// A quote is of the last trade: while the market is closed nothing new comes,
// so none is expected.
var stocks = []Measurement{{
	Name: "stock_quote", About: "The last trade of a stock or fund, by Finnhub", Function: "stocks",
	Labels: []string{"symbol"},
	Fields: []Field{
		{Key: "price_usd", Title: "Price", Unit: "$", Max: 1e7},
		{Key: "change_usd", Title: "Change since the previous close", Unit: "$", Min: -1e7, Max: 1e7},
		{Key: "change_percent", Title: "Change since the previous close", Unit: "%", Min: -100, Max: 1e5},
		{Key: "high_usd", Title: "High of the day", Unit: "$", Max: 1e7},
		{Key: "low_usd", Title: "Low of the day", Unit: "$", Max: 1e7},
		{Key: "open_usd", Title: "Open", Unit: "$", Max: 1e7},
		{Key: "previous_close_usd", Title: "Previous close", Unit: "$", Max: 1e7},
	},
}}
