package function

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/source"
)

// maturities of Alpha Vantage and the names that the Treasury's have here.
var maturities = map[string]string{"3month": "3m", "2year": "2y", "5year": "5y", "7year": "7y", "10year": "10y", "30year": "30y"}

// answer is the part of https://www.alphavantage.co/documentation/#treasury-yield
// that we keep. The newest comes first, and always the whole history.
type answer struct {
	Name     string `json:"name"` // "10-Year Treasury Constant Maturity Rate"
	Interval string `json:"interval"`
	Unit     string `json:"unit"`
	Data     []struct {
		Date  string `json:"date"`
		Value string `json:"value"` // "." on a holiday
	} `json:"data"`
}

// point is the yield of one business day in percent.
type point struct {
	time  time.Time
	yield float64
}

// history is what one call brought. A backfill asks for it once, not once a
// step: the plan has 25 calls a day.
type history struct {
	points []point
	asked  time.Time
}

const fresh = time.Hour // how long a backfill takes a history for whole

// vantage asks Alpha Vantage.
type vantage struct {
	Config
	redact func(string) string
	now    func() time.Time

	mu    sync.Mutex // one call at a time, since the plan takes one a second
	began time.Time
	known map[string]history
}

// fetch brings one maturity's yields of the days in w.
func (x *vantage) fetch(ctx context.Context, client *fetch.Client, maturity string, w source.Window, now bool) (source.Batch, error) {
	label, ok := maturities[maturity]
	if !ok {
		all := slices.Sorted(maps.Keys(maturities))
		return source.Batch{}, fmt.Errorf("%s has no maturity %q: use %s", x.AlphaVantageURL.Host, maturity, strings.Join(all, ", "))
	}
	points, err := x.history(ctx, client, maturity, now)
	if err != nil {
		return source.Batch{}, err
	}
	var b source.Batch
	for _, p := range points {
		if p.time.Before(w.From) || !p.time.Before(w.To) {
			continue
		}
		b.Readings = append(b.Readings, reading.Reading{
			Name:   "treasury_yield_alphavantage",
			Tags:   map[string]string{"maturity": label},
			Fields: map[string]float64{"yield_percent": p.yield},
			Time:   p.time,
		})
	}
	if now && len(b.Readings) == 0 {
		return b, fmt.Errorf("%s has no yield of %s since %s", x.AlphaVantageURL.Host, maturity, w.From.Format(time.DateOnly))
	}
	return b, nil
}

func (x *vantage) history(ctx context.Context, client *fetch.Client, maturity string, now bool) ([]point, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if h := x.known[maturity]; !now && x.now().Sub(h.asked) < fresh {
		return h.points, nil
	}
	if err := x.pause(ctx); err != nil {
		return nil, err
	}
	u := x.AlphaVantageURL
	u.RawQuery = url.Values{"function": {"TREASURY_YIELD"}, "interval": {"daily"}, "maturity": {maturity}, "apikey": {x.AlphaVantageKey.Reveal()}}.Encode()
	a, err := client.Get(ctx, &u, nil)
	if err != nil {
		return nil, err
	}
	points, err := decodeHistory(a.Body, maturity)
	if e, ok := errors.AsType[*fetch.UpstreamError](err); ok {
		// It tells a key back; an error is cut short before the answer is redacted.
		e.Host, e.Message = u.Host, x.redact(e.Message)
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("decode Alpha Vantage's yields of %s: %w", maturity, err)
	}
	x.known[maturity] = history{points, x.now()}
	return points, nil
}

// pause waits until the next call is allowed. x.mu is held.
func (x *vantage) pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return fmt.Errorf("wait for the turn of a call: %w", ctx.Err())
	case <-time.After(x.AlphaVantagePause - time.Since(x.began)):
	}
	x.began = time.Now()
	return nil
}

// decodeHistory returns the days that have a value. An answer without data is
// an error told in prose with status 200: *fetch.UpstreamError.
func decodeHistory(body []byte, maturity string) ([]point, error) {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return nil, fmt.Errorf("not the JSON that was documented: %w", err)
	}
	if a.Data == nil {
		return nil, refusal(body)
	}
	// A name that it does not know gives another maturity's yields.
	if name := strings.ReplaceAll(strings.ToLower(a.Name), "-", ""); !strings.HasPrefix(name, maturity) {
		return nil, fmt.Errorf("the answer is about %.60q", a.Name)
	}
	if a.Interval != "daily" || a.Unit != "percent" {
		return nil, fmt.Errorf("the answer is %.20q in %.20q, not daily in percent", a.Interval, a.Unit)
	}
	points := make([]point, 0, len(a.Data))
	for _, d := range a.Data {
		at, err := time.Parse(time.DateOnly, d.Date)
		if err != nil {
			return nil, fmt.Errorf("the date is %.40q", d.Date)
		}
		if d.Value == "." {
			continue
		}
		v, err := strconv.ParseFloat(d.Value, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%s is %.40q, not a number", d.Date, d.Value)
		}
		points = append(points, point{at, v})
	}
	return points, nil
}

// refusal reads an answer like {"Information": "..."}. The key has been Note,
// Information and Error Message in turn, so any text counts.
func refusal(body []byte) error {
	var texts map[string]any
	_ = json.Unmarshal(body, &texts) // not an object: no texts
	e := &fetch.UpstreamError{Message: "an answer without data"}
	for _, k := range slices.Sorted(maps.Keys(texts)) {
		if s, ok := texts[k].(string); ok && strings.Contains(s, " ") {
			e.Message = s
			break
		}
	}
	text := strings.ToLower(e.Message)
	for _, sign := range []string{"rate limit", "call frequency", "requests per", "calls per"} {
		e.Spent = e.Spent || strings.Contains(text, sign)
	}
	switch {
	case strings.Contains(text, "premium endpoint"):
		e.Spent = false // no waiting helps
	case strings.Contains(text, "per second"), strings.Contains(text, "per minute"):
		e.RetryAfter = time.Minute
	case e.Spent:
		e.RetryAfter = time.Hour // it does not say when its day ends
	}
	return e
}
