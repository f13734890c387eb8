package history

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/nearest"
	"github.com/hearth-home/hearth/shared/store"
)

// Limits of a request.
const (
	maxSeries = 6
	maxPoints = 500 // of a series, about
	maxRaw    = 25 * time.Hour
	minSpan   = time.Minute
	maxSpan   = 100 * 366 * 24 * time.Hour
)

const day = 24 * time.Hour

// spans are the names of spans and their lengths. A year begins on the same day of the last
// one, a month on the same day of the last month.
var spans = []struct {
	name          string
	length        time.Duration
	months, years int
}{
	{name: "hour", length: time.Hour}, {name: "day", length: day}, {name: "week", length: 7 * day}, {name: "month", months: 1}, {name: "year", years: 1},
}

// Refused is an error of who asks: a status of 4xx, and what to write instead.
type Refused struct {
	Status int
	Text   string
}

func (e *Refused) Error() string { return e.Text }

func refuse(format string, args ...any) error {
	return &Refused{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// Request is what somebody asks, in the words of the query: nothing of it is looked up yet.
type Request struct {
	Series   []Series
	Span     string // the name of a span; "" if from and to are given
	from, to time.Time
	Guest    bool
}

// parameters are those of a request.
var parameters = []string{"series", "span", "from", "to", "at", "view"}

// CheckParameters returns an error that names the known parameters if q has another one, or
// one of them more than once; those in several may repeat.
func CheckParameters(q url.Values, known []string, several ...string) error {
	for name, values := range q {
		if !slices.Contains(known, name) {
			return refuse("unknown parameter %s%s: known are %s", cut(name), perhaps(name, known), strings.Join(known, ", "))
		}
		if len(values) > 1 && !slices.Contains(several, name) {
			return refuse("the parameter %s stands twice", name)
		}
	}
	return nil
}

// ParseRequest reads a query: series (up to six), and span or from and to. The span ends at
// the time at, or now; without one it is a day, or a month of daily values and of those that come now and then. Times are in
// RFC 3339; those without an offset are in zone.
func ParseRequest(q url.Values, now time.Time, zone *time.Location) (Request, error) {
	r := Request{Span: q.Get("span"), Guest: q.Get("view") == "guest"}
	if err := CheckParameters(q, parameters, "series"); err != nil {
		return r, err
	}
	if n := len(q["series"]); n == 0 || n > maxSeries {
		return r, refuse("%d series: ask for one to %d, as in series=air.co2_ppm,device=office-air", n, maxSeries)
	}
	for _, key := range q["series"] {
		s, err := parseKey(key)
		if err != nil {
			return r, refuse("series: %s", err)
		}
		if !slices.ContainsFunc(r.Series, func(o Series) bool { return o.Key() == s.Key() }) {
			r.Series = append(r.Series, s)
		}
	}
	return r, r.parseTimes(q, now, zone)
}

func (r *Request) parseTimes(q url.Values, now time.Time, zone *time.Location) (err error) {
	read := func(name string, t *time.Time) {
		if text := q.Get(name); text != "" && err == nil {
			*t, err = parseTime(name, text, zone)
		}
	}
	r.to = now
	read("at", &r.to)
	read("from", &r.from)
	read("to", &r.to)
	switch {
	case err != nil:
		return err
	case !r.from.IsZero() && r.Span != "":
		return refuse("give span, or from and to, not both")
	case q.Get("to") != "" && (r.from.IsZero() || q.Get("at") != ""):
		return refuse("to needs from; a span ends at the time at")
	case !r.from.IsZero():
		return checkSpan(r.from, r.to)
	}
	names := make([]string, len(spans))
	for i, s := range spans {
		names[i] = s.name
		if s.name == r.Span || r.Span == "" {
			return nil
		}
	}
	return refuse("span is %s%s: it is one of %s", cut(r.Span), perhaps(r.Span, names), strings.Join(names, ", "))
}

func checkSpan(from, to time.Time) error {
	switch d := to.Sub(from); {
	case d < minSpan:
		return refuse("from %s is not at least a minute before to %s", from.Format(time.RFC3339), to.Format(time.RFC3339))
	case d > maxSpan:
		return refuse("the span is longer than 100 years")
	}
	return nil
}

// parseTime reads a time in RFC 3339, or without its end: 2026-11-27T03:12, 2026-11-27. Then
// it is in zone.
func parseTime(name, text string, zone *time.Location) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		t, err := time.ParseInLocation(layout, text, zone)
		if err != nil {
			continue
		}
		if year := t.Year(); year < 1900 || year > 2200 {
			return t, refuse("%s is in the year %d: only 1900 to 2200 can be asked", name, year)
		}
		return t.UTC(), nil
	}
	return time.Time{}, refuse("%s is %s: write it as 2026-11-27T03:12:00Z", name, cut(text))
}

// resolve sets from and to of a named span, and returns the step of its windows. The span of
// forecasts ends in the future.
func (r *Request) resolve(ms []catalogue.Measurement, zone *time.Location) (step time.Duration) {
	least, usual := time.Duration(0), "day"
	ahead := ms[0].Ahead
	for _, m := range ms {
		ahead = min(ahead, m.Ahead)
		if m.Cadence == 0 && !m.Open && !m.OfDevices() {
			usual = "month"
		}
		if m.Day || m.Cadence >= day {
			least, usual = day, "month"
		}
	}
	if r.from.IsZero() {
		if r.Span == "" {
			r.Span = usual
		}
		length := r.start(zone)
		r.to = r.to.Add(min(ahead, r.to.Sub(length)))
		r.from = r.start(zone)
	}
	return max(least, store.NiceStep(r.to.Sub(r.from), maxPoints))
}

// start returns the beginning of the named span that ends at to.
func (r *Request) start(zone *time.Location) time.Time {
	for _, s := range spans {
		if s.name == r.Span {
			return r.to.In(zone).AddDate(-s.years, -s.months, 0).Add(-s.length).UTC()
		}
	}
	return r.to.Add(-day)
}

// cut quotes foreign text and shortens it.
func cut(s string) string { return fmt.Sprintf("%.40q", s) }

// perhaps returns the name that was probably meant, for an error; "" if none is near.
func perhaps(text string, names []string) string {
	if name := nearest.Of(text, names); name != "" {
		return fmt.Sprintf(" (did you mean %s?)", name)
	}
	return ""
}
