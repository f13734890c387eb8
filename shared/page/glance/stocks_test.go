package glance

import (
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
)

// quote stores a quote of a symbol.
func (f *fixture) quote(symbol string, at time.Time, price, before float64, more ...string) {
	f.T.Helper()
	tags := map[string]string{"symbol": symbol}
	for _, label := range more {
		tags[label] = "true"
	}
	fields := map[string]float64{"price_usd": price}
	if before > 0 {
		fields["previous_close_usd"], fields["change_percent"] = before, (price-before)/before*100
	}
	f.Readings(reading.Reading{Name: "stock_quote", Tags: tags, Time: at, Fields: fields})
}

func TestStocksShowPriceAndChange(t *testing.T) {
	f := newFixture(t)
	if f.tile("stocks") != nil {
		t.Fatal("a tile without quotes")
	}
	f.quote("AAPL", now.Add(-5*time.Minute), 231.2, 233.82)
	f.quote("SPY", now.Add(-5*time.Minute), 583.63, 580)
	f.quote("BTC", now.Add(-5*time.Minute), 96012.4, 96012.4)
	f.quote("NEW", now.Add(-5*time.Minute), 0.1234, 0)
	tile := f.tile("stocks")
	if got, want := words(tile), "S&amp;P 500 SPY 583.63 ▲ 0.63 % Apple AAPL 231.20 ▼ 1.12 % BTC 96 012 0.00 % NEW 0.1234"; strings.ReplaceAll(got, thin, " ") != want {
		t.Errorf("%s, want %s", got, want)
	}
	if len(tile.Needs) != 0 || strings.Contains(string(tile.Body), "bad") || strings.Contains(string(tile.Body), "mid") {
		t.Errorf("a falling stock is red or needs somebody: %s", tile.Body)
	}
	if tile.Sample || tile.At != now.Add(-5*time.Minute) || len(tile.Plots) != 4 || tile.Plots[0].Key() != "stock_quote.price_usd,symbol=SPY" {
		t.Errorf("%+v", tile)
	}
}

func TestAClosedMarketSaysWhenItTradedLast(t *testing.T) {
	f := newFixture(t)
	f.quote("SPY", now.Add(-15*time.Hour), 583.63, 580, "sample")
	tile := f.tile("stocks")
	if got := words(tile); !strings.HasPrefix(got, "last trade 15 h ago") || !tile.Sample {
		t.Errorf("%s, sample %v", got, tile.Sample)
	}
	if old := f.Now.Sub(tile.At); old > tile.Stale {
		t.Errorf("%s is stale", old)
	}
	f.Now = tile.At.Add(93 * time.Hour) // from Friday evening to Tuesday noon
	if tile = f.tile("stocks"); f.Now.Sub(tile.At) > tile.Stale {
		t.Error("a long weekend is stale")
	}
	f.Now = f.Now.Add(24 * time.Hour)
	if tile = f.tile("stocks"); f.Now.Sub(tile.At) <= tile.Stale || !strings.Contains(words(tile), "4 days old") {
		t.Error("after a long weekend and a day it is not stale")
	}
}

func TestASymbolThatFailsIsGreyAlone(t *testing.T) {
	f := newFixture(t)
	f.quote("SPY", now.Add(-5*time.Minute), 583.63, 580)
	f.quote("OLD", now.Add(-6*24*time.Hour), 1000, 990)
	f.quote("GONE", now.Add(-20*24*time.Hour), 7, 6.9)
	tile := f.tile("stocks")
	if got := words(tile); !strings.Contains(got, "OLD 6 days old 1") || strings.Contains(got, "GONE") || strings.Count(string(tile.Body), "old-row") != 1 {
		t.Error(got)
	}
	if tile.At != now.Add(-5*time.Minute) {
		t.Errorf("the tile is as old as its oldest quote: %v", tile.At)
	}
}

func TestTheCurveOfAStockHasTheLastValueOfEachDay(t *testing.T) {
	f := newFixture(t)
	for d := 20; d >= 0; d-- {
		f.quote("SPY", now.AddDate(0, 0, -d).Add(-2*time.Hour), 100, 100)
		f.quote("SPY", now.AddDate(0, 0, -d).Add(-time.Minute), 200+float64(d), 100)
	}
	body := string(f.tile("stocks").Body)
	_, line, _ := strings.Cut(body, `class="line" d="`)
	line, _, _ = strings.Cut(line, `"`)
	if strings.Count(line, "L") != 20 || !strings.HasPrefix(line, "M0.0 1.") {
		t.Errorf("%s: want 21 falling points", line)
	}
	f = newFixture(t)
	f.quote("SPY", now.Add(-time.Minute), 101, 100)
	if body := string(f.tile("stocks").Body); !strings.Contains(body, `class="spark"`) {
		t.Errorf("the first quote has no curve from the close before: %s", body)
	}
}

func TestHostileSymbolsStayText(t *testing.T) {
	f := newFixture(t)
	f.quote(`"><script>alert(1)</script>`, now.Add(-time.Minute), 1, 1)
	if body := string(f.tile("stocks").Body); strings.Contains(body, "<script") || !strings.Contains(body, "&lt;script") {
		t.Error(body)
	}
}
