package function

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/source"
)

// tenor is a point of the curve: its maturity and its element in the feed. The feed's
// BC_30YEARDISPLAY is not one: it contains zeros, and values for days without a curve.
type tenor struct{ maturity, element string }

var tenors = []tenor{
	{"1m", "BC_1MONTH"},     // since 2001-07-31
	{"1.5m", "BC_1_5MONTH"}, // since 2025-02-18
	{"2m", "BC_2MONTH"},     // since 2018-10-16
	{"3m", "BC_3MONTH"},
	{"4m", "BC_4MONTH"}, // since 2022-10-19
	{"6m", "BC_6MONTH"},
	{"1y", "BC_1YEAR"},
	{"2y", "BC_2YEAR"},
	{"3y", "BC_3YEAR"},
	{"5y", "BC_5YEAR"},
	{"7y", "BC_7YEAR"},
	{"10y", "BC_10YEAR"},
	{"20y", "BC_20YEAR"}, // since 1993-10-01
	{"30y", "BC_30YEAR"}, // except 2002-02-19 to 2006-02-08
}

// monthsKey is the field with the length of the maturity, by which a table can sort: the
// label is a text.
const monthsKey = "maturity_months"

const firstYear = 1990 // of the curve

// entry is a business day of a document of
// https://home.treasury.gov/treasury-daily-interest-rate-xml-feed, as far as we use it. A
// document has a year's entries (about 400 kB).
type entry struct {
	Properties struct {
		Date   string  `xml:"NEW_DATE"`
		Values []value `xml:",any"`
	} `xml:"content>properties"`
}

// value is the yield in an element. There is no yield if the element is absent, empty or
// marked as null.
type value struct {
	XMLName xml.Name
	Null    string `xml:"null,attr"` // "true"
	Text    string `xml:",chardata"`
}

// day is the curve of one business day.
type day struct {
	time   time.Time
	yields map[string]float64 // percent, by the feed's element
}

// curve is a year's document, decoded.
type curve struct {
	days []day
	odd  oddities
}

// treasury fetches from the US Treasury. It is safe for concurrent use.
type treasury struct {
	url url.URL
	now func() time.Time

	mu      sync.Mutex
	decoded map[*fetch.Answer]curve // by document, so that all maturities decode it once; an unchanged document (304) is the same *fetch.Answer
}

// fetch returns the yields of one maturity for the days in w. If now is true, it is an
// error if there are none. Every maturity needs the same documents, one per year, which
// client fetches once.
func (x *treasury) fetch(ctx context.Context, client *fetch.Client, maturity string, w source.Window, now bool) (source.Batch, error) {
	i := slices.IndexFunc(tenors, func(t tenor) bool { return t.maturity == maturity })
	if i < 0 {
		return source.Batch{}, fmt.Errorf("the curve has no maturity %q: use %s", maturity, names())
	}
	var b source.Batch
	for year := max(w.From.Year(), firstYear); year <= w.To.Add(-1).Year(); year++ {
		c, err := x.year(ctx, client, year)
		if err != nil {
			return b, err
		}
		b.Warnings = append(b.Warnings, c.odd.warnings(tenors[i].element)...)
		if len(c.days) == 0 && year < x.now().UTC().Year() {
			return b, fmt.Errorf("%s has no day of %d", x.url.Host, year)
		}
		b.Readings = append(b.Readings, readings(c.days, tenors[i], w)...)
	}
	if now && len(b.Readings) == 0 {
		return b, noYield(x.url.Host, maturity, w, b.Warnings)
	}
	return b, nil
}

// year returns the days of a year that have a curve. In the first days of a year there
// are none yet.
func (x *treasury) year(ctx context.Context, client *fetch.Client, year int) (curve, error) {
	u := x.url
	u.RawQuery = url.Values{"data": {"daily_treasury_yield_curve"}, "field_tdr_date_value": {strconv.Itoa(year)}}.Encode()
	a, err := client.Get(ctx, &u, http.Header{
		// The Treasury's firewall refuses the names of HTTP libraries.
		"User-Agent": {"Mozilla/5.0 (compatible; hearth; +https://github.com/hearth-home/hearth)"},
		"Accept":     {"application/atom+xml, application/xml"},
	})
	if e, ok := errors.AsType[*fetch.StatusError](err); ok && e.Code == http.StatusForbidden {
		return curve{}, fmt.Errorf("the Treasury's firewall refused the request; that usually ends by itself: %w", err)
	}
	if err != nil {
		return curve{}, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if c, ok := x.decoded[a]; ok {
		return c, nil
	}
	c, err := decodeCurve(a.Body, year)
	if err != nil {
		return curve{}, fmt.Errorf("decode the yield curve of %d: %w", year, err)
	}
	if len(x.decoded) > 1 {
		clear(x.decoded)
	}
	x.decoded[a] = c
	return c, nil
}

// names lists the maturities.
func names() string {
	var all []string
	for _, t := range tenors {
		all = append(all, t.maturity)
	}
	return strings.Join(all, ", ")
}

// readings returns the yields of one maturity for the days in w.
func readings(days []day, t tenor, w source.Window) []reading.Reading {
	var rs []reading.Reading
	for _, d := range days {
		v, ok := d.yields[t.element]
		if !ok || d.time.Before(w.From) || !d.time.Before(w.To) {
			continue
		}
		rs = append(rs, reading.Reading{
			Name:   "treasury_yield",
			Tags:   map[string]string{"maturity": t.maturity},
			Fields: map[string]float64{"yield_percent": v, monthsKey: catalogue.Months(t.maturity)},
			Time:   d.time,
		})
	}
	return rs
}

// decodeCurve returns the days of a year's document that have a curve. An entry that is not
// a day of the year, and a yield that cannot be read, cost themselves. A document without
// anything that can be read is an error: its format has changed.
func decodeCurve(body []byte, year int) (curve, error) {
	var c curve
	n := 0
	err := eachEntry(body, func(e entry) {
		n++
		c.add(n, e, year)
	})
	if err != nil {
		return curve{}, fmt.Errorf("not a feed but %s", fetch.Describe(string(body[:min(len(body), 1<<12)])))
	}
	if len(c.days) == 0 && len(c.odd.list) > 0 {
		return curve{}, errors.New(c.odd.list[0].text)
	}
	return c, nil
}

// eachEntry calls use with each entry of a feed. A year's entries at once would take several
// megabytes.
func eachEntry(body []byte, use func(entry)) error {
	d := xml.NewDecoder(bytes.NewReader(body))
	for root := ""; ; {
		token, err := d.Token()
		if err == io.EOF && root != "" {
			return nil
		}
		if err != nil {
			return err
		}
		start, ok := token.(xml.StartElement)
		switch {
		case !ok:
		case root == "" && start.Name.Local != "feed":
			return fmt.Errorf("the document is <%s>", start.Name.Local)
		case root == "":
			root = start.Name.Local
		case start.Name.Local == "entry":
			var e entry
			if err := d.DecodeElement(&e, &start); err != nil {
				return err
			}
			use(e)
		}
	}
}

// add adds the nth entry.
func (c *curve) add(n int, e entry, year int) {
	at, err := time.Parse("2006-01-02T15:04:05", strings.TrimSpace(e.Properties.Date))
	switch {
	case err != nil:
		c.odd.add("", "entry %d: the date is %.40q", n, e.Properties.Date)
	case at.Year() != year || !at.Equal(at.Truncate(24*time.Hour)):
		c.odd.add("", "entry %d: the date is %.40s, not a day of %d", n, e.Properties.Date, year)
	default:
		if yields := c.decodeValues(at, e.Properties.Values); yields != nil {
			c.days = append(c.days, day{at, yields})
		}
	}
}

// decodeValues returns the yields of a day by element, or nil for a day without a curve.
// The Treasury lists some holidays without values, or with 0 for every maturity. A single
// 0 is a yield: short maturities often had 0 until 2021.
func (c *curve) decodeValues(at time.Time, values []value) map[string]float64 {
	yields := map[string]float64{}
	nonZero := false
	for _, v := range values {
		element, text := v.XMLName.Local, strings.TrimSpace(v.Text)
		null, _ := strconv.ParseBool(strings.TrimSpace(v.Null)) // of another form: the text says whether there is a yield
		if null || !slices.ContainsFunc(tenors, func(t tenor) bool { return t.element == element }) {
			continue
		}
		y, ok, err := parseYield(text)
		if err != nil {
			c.odd.add(element, "%s: %s is %w", at.Format(time.DateOnly), element, err)
			continue
		}
		if ok {
			yields[element] = y
			nonZero = nonZero || y != 0
		}
	}
	if !nonZero {
		return nil
	}
	return yields
}

// noYield is the error of an answer without a yield in w. Warnings may say why.
func noYield(host, maturity string, w source.Window, warnings []string) error {
	return errors.New(strings.Join(append([]string{fmt.Sprintf("%s has no yield of %s since %s", host, maturity, w.From.Format(time.DateOnly))}, warnings...), "; "))
}

// parseYield reads a yield in percent. ok is false if the text says that there is none.
func parseYield(text string) (y float64, ok bool, err error) {
	switch strings.ToLower(text) {
	case "", ".", "-", "--", "n/a", "na", "nd", "none", "null":
		return 0, false, nil
	}
	y, err = strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(y) || math.IsInf(y, 0) {
		return 0, false, fmt.Errorf("%.40q, not a number", text)
	}
	return y, true, nil
}

// oddities are what could not be read of an answer, in order.
type oddities struct{ list []oddity }

// oddity is an entry or a yield that could not be read.
type oddity struct {
	of   string // the element or maturity that it is about; "": all
	text string
}

func (o *oddities) add(of, format string, args ...any) {
	o.list = append(o.list, oddity{of, fmt.Errorf(format, args...).Error()})
}

// warnings returns a warning about what concerns a maturity, none if there is nothing.
func (o *oddities) warnings(of string) []string {
	var all []string
	for _, x := range o.list {
		if x.of == "" || x.of == of {
			all = append(all, x.text)
		}
	}
	return source.LeftOut(all)
}
