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
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/source"
)

// usage is a month's billing report, as far as we use it:
// https://docs.github.com/rest/billing/usage
type usage struct {
	Items *[]struct {
		Date     string   `json:"date"`
		Product  string   `json:"product"`
		UnitType string   `json:"unitType"`
		Quantity *float64 `json:"quantity"`
		Gross    *float64 `json:"grossAmount"`
		Net      *float64 `json:"netAmount"`
	} `json:"usageItems"`
}

// lag is how long the usage of a day may still grow after it.
const lag = 3 * 24 * time.Hour

// usage returns the readings of the days in w, and for now those of the current month and
// of the month of lag ago. A reading's time is its day at 00:00 UTC. Its values are sums
// since the first of the month.
func (a *api) usage(ctx context.Context, o owner, w source.Window) (source.Batch, error) {
	path := "users/" + o.name + "/settings/billing/usage"
	if o.org {
		path = "organizations/" + o.name + "/settings/billing/usage"
	}
	now := a.now().UTC()
	from, to := now.Add(-lag), now
	if !w.Now() {
		from, to = w.From, w.To
	}
	var b source.Batch
	for month := firstOfMonth(from); month.Before(to); month = month.AddDate(0, 1, 0) {
		answer, err := a.get(ctx, path, url.Values{"year": {strconv.Itoa(month.Year())}, "month": {strconv.Itoa(int(month.Month()))}})
		if err != nil {
			return b, fmt.Errorf("usage of %s: %w", month.Format("January 2006"), err)
		}
		days, err := decodeUsage(answer.Body, o, month)
		if err != nil {
			return b, fmt.Errorf("decode usage of %s: %w", month.Format("January 2006"), err)
		}
		for _, r := range days {
			if w.Now() || !r.Time.Before(w.From) && r.Time.Before(w.To) {
				b.Readings = append(b.Readings, r)
			}
		}
	}
	return b, nil
}

// decodeUsage returns one reading for the first of the month and one for each day with
// usage of Actions. The minutes are the sum of the items billed in minutes. The cost is
// that of all items of Actions, including storage.
func decodeUsage(body []byte, o owner, month time.Time) ([]reading.Reading, error) {
	var u usage
	if err := json.Unmarshal(body, &u); err != nil {
		return nil, err
	}
	if u.Items == nil {
		return nil, errors.New("no usageItems")
	}
	days, err := u.days(month)
	if err != nil {
		return nil, err
	}
	var rs []reading.Reading
	var total sum
	for _, day := range slices.SortedFunc(maps.Keys(days), time.Time.Compare) {
		s := days[day]
		total = sum{total.minutes + s.minutes, total.gross + s.gross, total.net + s.net}
		rs = append(rs, reading.Reading{
			Name: "github_usage",
			Tags: map[string]string{"owner": o.name},
			Fields: map[string]float64{
				"minutes_used": total.minutes, "minutes_included": o.included, "minutes_left": max(o.included-total.minutes, 0),
				"gross_usd": dollars(total.gross), "net_usd": dollars(total.net),
			},
			Time: day,
		})
	}
	return rs, nil
}

// sum is usage of Actions: minutes, and the cost in US dollars before and after the
// discounts and the included minutes.
type sum struct{ minutes, gross, net float64 }

// days returns the usage of each day of month that has some, and of its first day.
func (u usage) days(month time.Time) (map[time.Time]sum, error) {
	days := map[time.Time]sum{month: {}}
	for _, i := range *u.Items {
		day, err := parseDay(i.Date)
		switch {
		case err != nil:
			return nil, err
		case firstOfMonth(day) != month:
			return nil, fmt.Errorf("usage of %s, which is not in the requested month", i.Date)
		case !strings.EqualFold(i.Product, "actions"):
			continue
		case i.Quantity == nil || i.Gross == nil || i.Net == nil:
			return nil, fmt.Errorf("usage of %s without quantity, grossAmount or netAmount", i.Date)
		}
		s := days[day]
		if strings.EqualFold(i.UnitType, "minutes") {
			s.minutes += *i.Quantity
		}
		s.gross += *i.Gross
		s.net += *i.Net
		days[day] = s
	}
	return days, nil
}

func parseDay(s string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC().Truncate(24 * time.Hour), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a date", s)
}

// dollars rounds to six decimals, the most that a price has, to remove the rounding error
// of a sum.
func dollars(usd float64) float64 { return math.Round(usd*1e6) / 1e6 }

func firstOfMonth(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}
