package function

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/source"
)

// usage is a month's billing report, as far as we use it:
// https://docs.github.com/rest/billing/usage
type usage struct {
	Items *[]usageItem `json:"usageItems"`
}

// usageItem is the usage of a product in a repository on a day.
type usageItem struct {
	Date     string   `json:"date"`
	Product  string   `json:"product"`
	SKU      string   `json:"sku"` // "Actions Windows"
	UnitType string   `json:"unitType"`
	Quantity *float64 `json:"quantity"`
	Gross    *float64 `json:"grossAmount"`
	Net      *float64 `json:"netAmount"` // 0 while a discount covers all: minutes that the plan includes, or of a public repository
	Repo     string   `json:"repositoryName"`

	day time.Time // Date
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
		u, err := decodeUsage(answer.Body, o, month)
		if err != nil {
			return b, fmt.Errorf("decode usage of %s: %w", month.Format("January 2006"), err)
		}
		public, unknown := a.publicRepos(ctx, u)
		b.Warnings = append(b.Warnings, unknown...)
		for _, r := range slices.Concat(u.readings(o, month, public), u.costs(o)) {
			if w.Now() || !r.Time.Before(w.From) && r.Time.Before(w.To) {
				b.Readings = append(b.Readings, r)
			}
		}
	}
	return b, nil
}

// decodeUsage returns the items of a month's report, with the owner in the names of their
// repositories.
func decodeUsage(body []byte, o owner, month time.Time) (items usageItems, err error) {
	var u usage
	if odd, err := fetch.Decode(body, &u); err != nil || odd != "" { // a sum without a value would be wrong
		return nil, cmp.Or(err, errors.New(odd))
	}
	if u.Items == nil {
		return nil, errors.New("no usageItems")
	}
	for _, i := range *u.Items {
		actions := strings.EqualFold(i.Product, "actions")
		switch i.day, err = parseDay(i.Date); {
		case err != nil:
			return nil, err
		case firstOfMonth(i.day) != month:
			return nil, fmt.Errorf("usage of %s, which is not in the requested month", i.Date)
		case !actions && (i.Gross == nil || i.Net == nil || i.Product == ""):
			continue
		case i.Quantity == nil || i.Gross == nil || i.Net == nil:
			return nil, fmt.Errorf("usage of %s without quantity, grossAmount or netAmount", i.Date)
		}
		if i.Repo != "" && !strings.Contains(i.Repo, "/") {
			i.Repo = o.name + "/" + i.Repo
		}
		items = append(items, i)
	}
	return items, nil
}

// usageItems are the items of a month.
type usageItems []usageItem

// readings returns one github_usage reading for the first of the month and one for each
// day with usage of Actions. Its values are sums since the first of the month. public has
// the repositories that use no minutes of the plan.
func (u usageItems) readings(o owner, month time.Time, public map[string]bool) (rs []reading.Reading) {
	days := map[time.Time]sum{month: {}}
	for _, i := range u {
		if strings.EqualFold(i.Product, "actions") {
			days[i.day] = days[i.day].plus(i.sum(public))
		}
	}
	var total sum
	for _, day := range slices.SortedFunc(maps.Keys(days), time.Time.Compare) {
		total = total.plus(days[day])
		rs = append(rs, reading.Reading{
			Name: "github_usage",
			Tags: map[string]string{"owner": o.name},
			Fields: map[string]float64{
				"minutes_run": total.run, "minutes_used": total.used, "minutes_included": o.included, "minutes_left": max(o.included-total.used, 0),
				"gross_usd": dollars(total.gross), "net_usd": dollars(total.net),
			},
			Time: day,
		})
	}
	return rs
}

// sum is usage of Actions: the minutes that jobs ran, those of them that count against the
// plan, and the cost in US dollars before and after the discounts and the included minutes.
type sum struct{ run, used, gross, net float64 }

func (s sum) plus(o sum) sum {
	return sum{s.run + o.run, s.used + o.used, s.gross + o.gross, s.net + o.net}
}

// sum returns the usage of one item of Actions. The cost is that of all items, including
// storage.
func (i usageItem) sum(public map[string]bool) sum {
	s := sum{gross: *i.Gross, net: *i.Net}
	if !i.minutes() {
		return s
	}
	s.run = *i.Quantity
	if !public[strings.ToLower(i.Repo)] {
		s.used = s.run * multiplier(i.SKU)
	}
	return s
}

func (i usageItem) minutes() bool {
	return strings.EqualFold(i.Product, "actions") && strings.EqualFold(i.UnitType, "minutes")
}

// larger matches the SKU of a larger runner, also of those with two cores
// ("linux_2_core_advanced", "windows_2_core_arm"; the standard one is "linux_arm"). The plan
// includes no minutes of it: https://docs.github.com/billing/reference/actions-runner-pricing
var larger = regexp.MustCompile(`\badvanced\b|\b2 core arm\b|\b(?:[4-9]|[1-9]\d+) ?cores?\b|\bx?l\b|\bx?large\b|\bgpu\b|\bself hosted\b`)

// multiplier returns how many minutes of the plan a minute of a runner takes:
// https://docs.github.com/billing/reference/actions-minute-multipliers
func multiplier(sku string) float64 {
	words := strings.NewReplacer("_", " ", "-", " ").Replace(strings.ToLower(sku))
	switch mac := strings.Contains(words, "macos"); {
	case larger.MatchString(words) && !(mac && strings.Contains(words, "4 core")): // macOS's standard runner has 3 or 4
		return 0
	case mac:
		return 10
	case strings.Contains(words, "windows"):
		return 2
	}
	return 1
}

const maxRepos = 30 // whose visibility is asked in one run

// publicRepos returns the public repositories among those with minutes, in lower case. A
// repository that has paid minutes is not public, so only the others are asked. A
// repository whose visibility cannot be read counts as private.
func (a *api) publicRepos(ctx context.Context, u usageItems) (public map[string]bool, warnings []string) {
	minutes, paid := map[string]float64{}, map[string]bool{}
	for _, i := range u {
		if i.Repo == "" || !i.minutes() {
			continue
		}
		minutes[i.Repo] += *i.Quantity
		paid[i.Repo] = paid[i.Repo] || *i.Net > 0 && multiplier(i.SKU) > 0
	}
	public = map[string]bool{}
	asked, left := 0, 0
	for _, repo := range slices.SortedFunc(maps.Keys(minutes), func(x, y string) int {
		return cmp.Or(cmp.Compare(minutes[y], minutes[x]), strings.Compare(x, y))
	}) {
		if paid[repo] || !repoName.MatchString(repo) {
			continue
		}
		if asked == maxRepos {
			left++
			continue
		}
		asked++
		is, err := a.isPublic(ctx, repo)
		if err != nil {
			return public, []string{fmt.Sprintf("whether repositories are public is unknown, so their minutes count: %v", err)}
		}
		public[strings.ToLower(repo)] = is
	}
	if left > 0 {
		warnings = append(warnings, fmt.Sprintf("whether %d more repositories are public was not asked, so their minutes count: a run asks about %d", left, maxRepos))
	}
	return public, warnings
}

// isPublic asks whether a repository is public. One that the token may not read is not.
func (a *api) isPublic(ctx context.Context, repo string) (bool, error) {
	answer, err := a.get(ctx, "repos/"+repo, nil)
	if code := status(err); code == http.StatusNotFound || code == http.StatusForbidden {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var r struct {
		Private *bool `json:"private"`
	}
	if err := json.Unmarshal(answer.Body, &r); err != nil || r.Private == nil {
		return false, fmt.Errorf("%s has no private", repo)
	}
	return !*r.Private, nil
}

// costs returns one github_cost reading for each day, repository and product with a cost
// before discounts.
func (u usageItems) costs(o owner) (rs []reading.Reading) {
	type key struct {
		day           time.Time
		repo, product string
	}
	at := map[key]int{} // index in rs
	for _, i := range u {
		k := key{i.day, i.Repo, strings.ToLower(i.Product)}
		n, known := at[k]
		if !known {
			n = len(rs)
			at[k] = n
			tags := map[string]string{"owner": o.name, "product": k.product}
			if k.repo != "" {
				tags["repo"] = k.repo
			}
			rs = append(rs, reading.Reading{Name: "github_cost", Tags: tags, Fields: map[string]float64{}, Time: k.day})
		}
		f := rs[n].Fields
		f["gross_usd"], f["net_usd"] = dollars(f["gross_usd"]+*i.Gross), dollars(f["net_usd"]+*i.Net)
	}
	return rs
}

func parseDay(s string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC), nil // the day as it is written
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
