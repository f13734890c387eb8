package function

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/pause"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/source"
)

// maturities has the label of each maturity of Alpha Vantage. The labels are those of the
// Treasury's maturities.
var maturities = map[string]string{"3month": "3m", "2year": "2y", "5year": "5y", "7year": "7y", "10year": "10y", "30year": "30y"}

// answer is the part of https://www.alphavantage.co/documentation/#treasury-yield
// that we use. It has the whole history, newest first.
type answer struct {
	Name     string `json:"name"` // "10-Year Treasury Constant Maturity Rate"
	Interval string `json:"interval"`
	Unit     string `json:"unit"`
	Data     []struct {
		Date  string          `json:"date"`
		Value json.RawMessage `json:"value"` // a text; "." on a holiday
	} `json:"data"`
}

// point is the yield of one business day in percent.
type point struct {
	time  time.Time
	yield float64
}

// history is the result of one call. A backfill keeps it for all its steps, since the free
// plan has 25 calls a day.
type history struct {
	points  []point
	odd     oddities
	fetched time.Time
}

const maxAge = time.Hour // of a history that a backfill still uses

// vantage fetches from Alpha Vantage. It is safe for concurrent use.
type vantage struct {
	Config
	redact func(string) string
	now    func() time.Time

	mu        sync.Mutex         // held during a call, since the plan allows one call a second
	began     time.Time          // of the last call
	histories map[string]history // by maturity
}

// fetch returns the yields of one maturity for the days in w. If now is true, the yields
// are fetched again and it is an error if there are none.
func (x *vantage) fetch(ctx context.Context, client *fetch.Client, maturity string, w source.Window, now bool) (source.Batch, error) {
	label, ok := maturities[maturity]
	if !ok {
		all := slices.Sorted(maps.Keys(maturities))
		return source.Batch{}, fmt.Errorf("%s has no maturity %q: use %s", x.AlphaVantageURL.Host, maturity, strings.Join(all, ", "))
	}
	h, err := x.history(ctx, client, maturity, now)
	if err != nil {
		return source.Batch{}, err
	}
	b := source.Batch{Warnings: h.odd.warnings("")}
	for _, p := range h.points {
		if p.time.Before(w.From) || !p.time.Before(w.To) {
			continue
		}
		b.Readings = append(b.Readings, reading.Reading{
			Name:   "treasury_yield_alphavantage",
			Tags:   map[string]string{"maturity": label},
			Fields: map[string]float64{"yield_percent": p.yield, monthsKey: catalogue.Months(label)},
			Time:   p.time,
		})
	}
	if now && len(b.Readings) == 0 {
		return b, noYield(x.AlphaVantageURL.Host, maturity, w, b.Warnings)
	}
	return b, nil
}

// history returns all yields of a maturity. Unless now is true, they may be up to maxAge
// old.
func (x *vantage) history(ctx context.Context, client *fetch.Client, maturity string, now bool) (history, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if h := x.histories[maturity]; !now && x.now().Sub(h.fetched) < maxAge {
		return h, nil
	}
	if err := x.pause(ctx); err != nil {
		return history{}, err
	}
	u := x.AlphaVantageURL
	u.RawQuery = url.Values{"function": {"TREASURY_YIELD"}, "interval": {"daily"}, "maturity": {maturity}, "apikey": {x.AlphaVantageKey.Reveal()}}.Encode()
	a, err := client.Get(ctx, &u, nil)
	if err != nil {
		return history{}, err
	}
	h, err := decodeHistory(a.Body, maturity)
	if e, ok := errors.AsType[*fetch.UpstreamError](err); ok {
		// The message may contain our key. It is redacted before an error is shortened.
		e.Host, e.Message = u.Host, x.redact(e.Message)
		return history{}, err
	}
	if err != nil {
		return history{}, fmt.Errorf("decode Alpha Vantage's yields of %s: %w", maturity, err)
	}
	h.fetched = x.now()
	x.histories[maturity] = h
	return h, nil
}

// pause waits until AlphaVantagePause has passed since the last call. The caller holds
// x.mu.
func (x *vantage) pause(ctx context.Context) error {
	if !pause.For(ctx, x.AlphaVantagePause-time.Since(x.began)) {
		return fmt.Errorf("wait for the next call to be allowed: %w", ctx.Err())
	}
	x.began = time.Now()
	return nil
}

// decodeHistory returns the days that have a value. A day that cannot be read costs itself;
// if none can, the format has changed. Alpha Vantage reports errors as a text with status
// 200: an answer without data is a *fetch.UpstreamError.
func decodeHistory(body []byte, maturity string) (history, error) {
	var a answer
	odd, err := fetch.Decode(body, &a)
	if err != nil {
		return history{}, err
	}
	if a.Data == nil {
		return history{}, upstreamError(body)
	}
	// For an unknown maturity, Alpha Vantage answers with the yields of another.
	if name := strings.ReplaceAll(strings.ToLower(a.Name), "-", ""); !strings.HasPrefix(name, maturity) {
		return history{}, fmt.Errorf("the answer is about %.60q", a.Name)
	}
	if a.Interval != "daily" || a.Unit != "percent" {
		return history{}, fmt.Errorf("the answer is %.20q in %.20q, not daily in percent", a.Interval, a.Unit)
	}
	h := history{points: make([]point, 0, len(a.Data))}
	if odd != "" {
		h.odd.add("", "%s", odd)
	}
	for _, d := range a.Data {
		at, err := time.Parse(time.DateOnly, d.Date)
		if err != nil {
			h.odd.add("", "the date is %.40q", d.Date)
			continue
		}
		text := string(d.Value)
		_ = json.Unmarshal(d.Value, &text) // a number stays as it is written
		switch v, ok, err := parseYield(strings.TrimSpace(text)); {
		case err != nil:
			h.odd.add("", "%s is %w", d.Date, err)
		case ok:
			h.points = append(h.points, point{at, v})
		}
	}
	if len(h.points) == 0 && len(h.odd.list) > 0 {
		return history{}, errors.New(h.odd.list[0].text)
	}
	return h, nil
}

// upstreamError returns the error in an answer such as {"Information": "..."}. Over the
// years the key has been Note, Information and Error Message, so the first text of several
// words counts, whatever its key.
func upstreamError(body []byte) error {
	var texts map[string]any
	_ = json.Unmarshal(body, &texts) // an answer that is not an object has no texts
	e := &fetch.UpstreamError{Message: "an answer without data"}
	for _, k := range slices.Sorted(maps.Keys(texts)) {
		if s, ok := texts[k].(string); ok && strings.Contains(s, " ") {
			e.Message = s
			break
		}
	}
	text := strings.ToLower(e.Message)
	has := func(phrases ...string) bool {
		return slices.ContainsFunc(phrases, func(p string) bool { return strings.Contains(text, p) })
	}
	// "…to lift the free key rate limit (25 requests per day) … and unlock all premium
	// endpoints" is a limit; "this is a premium endpoint" is not: waiting does not help.
	e.Spent = has("rate limit", "call frequency", "requests per", "request per", "calls per", "call per", "more sparingly", "daily limit",
		"requests/", "quota", "too many requests", "limit exceeded", "limit reached", "throttle") && !has("is a premium endpoint", "is a premium api", "is a premium function", "is a premium feature")
	switch {
	case e.Spent && has("per second", "per minute", "more sparingly"):
		e.RetryAfter = time.Minute
	case e.Spent:
		e.RetryAfter = time.Hour // the answer does not say when the daily quota is restored
	}
	return e
}
