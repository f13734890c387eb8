package function

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/reading"
)

// quote is an answer of https://finnhub.io/docs/api/quote. For an unknown symbol all
// numbers are 0 and the changes are null.
type quote struct {
	Current       *float64 `json:"c"`
	Change        *float64 `json:"d"`
	ChangePercent *float64 `json:"dp"`
	High          *float64 `json:"h"`
	Low           *float64 `json:"l"`
	Open          *float64 `json:"o"`
	PreviousClose *float64 `json:"pc"`
	Time          int64    `json:"t"` // Unix time of the last trade; it does not change while the market is closed
	Error         string   `json:"error"`
}

func (c Config) query(symbol string) *url.URL {
	u := c.URL.JoinPath("quote")
	u.RawQuery = url.Values{"symbol": {symbol}}.Encode()
	return u
}

// usedUp reports whether an error of Finnhub says that the calls of the plan are used up.
func usedUp(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, "limit reached") || strings.Contains(text, "rate limit") || strings.Contains(text, "too many requests") || strings.Contains(text, "remaining limit")
}

// hints explain a status code of Finnhub.
var hints = map[int]string{
	http.StatusUnauthorized: "the key is not valid",
	http.StatusForbidden:    "the key's plan does not include this symbol: the free plan has the US market only",
}

// decode returns the reading of a quote. A change that is no number costs itself: odd says
// so. An error that Finnhub reports in a 200, and an
// unknown symbol, are a *fetch.UpstreamError.
func decode(body []byte, symbol string) (rs []reading.Reading, odd string, err error) {
	var q quote
	if odd, err = fetch.Decode(body, &q); err != nil {
		text := strings.TrimSpace(string(body))
		if text != "" && !strings.ContainsAny(text[:1], "{[<\"0123456789") { // Finnhub says some errors in plain text
			return nil, "", &fetch.UpstreamError{Host: "Finnhub", Message: text, Spent: usedUp(text)}
		}
		return nil, "", fmt.Errorf("decode quote: %w", err)
	}
	switch {
	case q.Error != "":
		return nil, "", &fetch.UpstreamError{Host: "Finnhub", Message: q.Error, Spent: usedUp(q.Error)}
	case q.Current == nil:
		return nil, "", errors.New("decode quote: no price in the answer")
	case *q.Current == 0 && q.Time == 0:
		return nil, "", &fetch.UpstreamError{Host: "Finnhub", Message: "only zeros, so the symbol is unknown: " + symbol}
	case *q.Current <= 0 || q.Time <= 0:
		return nil, "", fmt.Errorf("decode quote: price %v at Unix time %d cannot be right", *q.Current, q.Time)
	}
	fields := map[string]float64{}
	for k, v := range map[string]*float64{
		"price_usd": q.Current, "change_usd": q.Change, "change_percent": q.ChangePercent,
		"high_usd": q.High, "low_usd": q.Low, "open_usd": q.Open, "previous_close_usd": q.PreviousClose,
	} {
		if v != nil {
			fields[k] = *v
		}
	}
	return []reading.Reading{{
		Name: "stock_quote", Tags: map[string]string{"symbol": symbol}, Fields: fields, Time: time.Unix(q.Time, 0).UTC(),
	}}, odd, nil
}
