package glance

import (
	"cmp"
	"context"
	"html/template"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/page/history"
	"github.com/hearth-home/hearth/shared/page/texts"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	quotesKept  = 31 * 24 * time.Hour // a quote that is older is not shown
	quoteLeft   = 10 * 24 * time.Hour // nor is one that is this much older than the newest: its symbol is no longer fetched
	longWeekend = 4 * 24 * time.Hour  // Friday evening to Tuesday, and some hours
	tradeIsOld  = 45 * time.Minute    // quotes are fetched every 15 minutes: without a newer one the market is closed
	fewDays     = 4                   // with fewer daily values the curve is one of hours
	maxPlotted  = 6                   // series of a plot
)

// companies are the names of symbols that many people follow: a quote has none.
var companies = texts.Part("symbols")

// stock is what the tile shows of one symbol.
type stock struct {
	Symbol, Name string // without a known name: the symbol, and ""
	Price        float64
	Change       float64 // percent since the last close
	HasChange    bool
	Spark        template.HTML
	Old          template.HTML // how old the quote is; "": it is as new as it can be
	Plot         plotted

	at time.Time
}

// plotted is what a click on a part of a tile plots.
type plotted struct{ Keys, Labels string }

func plotsOf(series ...history.Series) plotted {
	t := Tile{Plots: series}
	return plotted{t.Keys(), t.Labels()}
}

// stocks shows the price of each symbol, its change since the last close and its last month.
func stocks(ctx context.Context, w *world) (*Tile, error) {
	quotes, err := w.latest(ctx, "stock_quote", quotesKept)
	if err != nil || len(quotes) == 0 {
		return nil, err
	}
	newest := slices.MaxFunc(quotes, func(a, b reading.Reading) int { return a.Time.Compare(b.Time) }).Time
	quotes = slices.DeleteFunc(slices.Clone(quotes), func(r reading.Reading) bool { return newest.Sub(r.Time) > quoteLeft })
	curves, err := w.quoteCurves(ctx)
	t := &Tile{At: newest, Stale: longWeekend}
	var rows []stock
	for _, r := range quotes {
		s := w.stock(r, curves[r.Tags["symbol"]])
		t.Sample = t.Sample || r.Tags[catalogue.SampleLabel] != ""
		rows = append(rows, s)
	}
	slices.SortFunc(rows, func(a, b stock) int {
		return cmp.Or(cmp.Compare(fundPlace(a.Symbol), fundPlace(b.Symbol)), strings.Compare(a.Symbol, b.Symbol))
	})
	for _, s := range rows[:min(len(rows), maxPlotted)] {
		i := slices.IndexFunc(quotes, func(r reading.Reading) bool { return r.Tags["symbol"] == s.Symbol })
		t.Plots = append(t.Plots, priceOf(quotes[i], s))
	}
	var closed template.HTML
	if w.Now.Sub(newest) > tradeIsOld {
		closed = w.at(newest, age)
	}
	t.Body = draw("stocks", struct {
		Rows   []stock
		Closed template.HTML // how long ago the last trade was
		Dense  bool
	}{rows, closed, len(rows) > 3})
	return t, err
}

// priceOf returns the series of a quote's price.
func priceOf(r reading.Reading, s stock) history.Series {
	return history.Series{Measurement: r.Name, Field: "price_usd", Tags: maps.Clone(r.Tags), Title: cmp.Or(s.Name, s.Symbol)}
}

// stock returns what is shown of a quote. The curve has the last value of each day or hour.
func (w *world) stock(r reading.Reading, curve []point) stock {
	symbol := r.Tags["symbol"]
	s := stock{Symbol: symbol, Name: companies[strings.ToUpper(symbol)], Price: r.Fields["price_usd"], at: r.Time}
	before, known := r.Fields["previous_close_usd"]
	if s.Change, s.HasChange = r.Fields["change_percent"]; !s.HasChange && known && before > 0 {
		s.Change, s.HasChange = (s.Price-before)/before*100, true
	}
	if n := len(curve); n > 0 && n < fewDays && known { // the first days: the curve begins with the last close before
		curve = append([]point{{curve[0].X - 1, before}}, curve...)
	}
	s.Spark = spark(curve)
	if w.Now.Sub(r.Time) > longWeekend {
		s.Old = w.at(r.Time, age)
	}
	s.Plot = plotsOf(priceOf(r, s))
	return s
}

// Arrow says whether the price rose or fell: ▲, ▼ or "".
func (s stock) Arrow() string {
	switch {
	case s.rounded() > 0:
		return "▲"
	case s.rounded() < 0:
		return "▼"
	}
	return ""
}

// Way is Arrow for those who do not see it.
func (s stock) Way() string {
	return map[string]string{"▲": texts.Say("stocks.up"), "▼": texts.Say("stocks.down")}[s.Arrow()]
}

// Size writes the change without its sign.
func (s stock) Size() template.HTML { return num(math.Abs(s.rounded()), 2) }

func (s stock) rounded() float64 { return math.Round(s.Change*100) / 100 }

// Digits is how many digits the price has behind the point: prices of more than 10,000 none.
func (s stock) Digits() int {
	switch {
	case s.Price >= 10000:
		return 0
	case s.Price < 1:
		return 4
	}
	return 2
}

// funds stand before other symbols: they say how the market does.
var funds = []string{"SPY", "VOO", "IVV", "VTI", "VT", "QQQ", "DIA", "IWM"}

// fundPlace returns where a symbol stands among the others.
func fundPlace(symbol string) int {
	if i := slices.Index(funds, symbol); i >= 0 {
		return i
	}
	return len(funds)
}

// quoteCurves returns the prices of the last month by symbol: of days, while there are few of
// hours. A day is one of UTC, within which the market in New York opens and closes.
func (w *world) quoteCurves(ctx context.Context) (map[string][]point, error) {
	out := map[string][]point{}
	for _, q := range []struct{ span, step time.Duration }{{30 * 24 * time.Hour, 24 * time.Hour}, {5 * 24 * time.Hour, time.Hour}} {
		series, err := w.windows(ctx, store.Query{Name: "stock_quote", Fields: []string{"price_usd"}, From: w.Now.Add(-q.span), To: w.Now, Step: q.step})
		if err != nil {
			return out, err
		}
		again := false
		for _, s := range series {
			symbol := s.Tags["symbol"]
			if len(out[symbol]) >= fewDays {
				continue
			}
			out[symbol] = nil
			for i, x := range s.Windows { // evenly: the market is closed at night and at the weekend
				out[symbol] = append(out[symbol], point{float64(i), x.Last})
			}
			again = again || len(s.Windows) < fewDays
		}
		if !again {
			break
		}
	}
	return out, nil
}
