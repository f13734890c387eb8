package glance

import (
	"context"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/page/texts"
)

const (
	maxNews    = 15 // that are sent; the page shows those that fit
	maxOfOne   = 6  // of one feed
	publishing = "published"
)

// newsSources are the functions whose items are news.
var newsSources = []string{"feeds", "ebay", "discord"}

// newsLine is one headline.
type newsLine struct {
	Text, Link, About string
	When              template.HTML
	Old               bool // from before yesterday
}

// news shows the newest items of feeds.
func news(ctx context.Context, w *world) (*Tile, error) {
	t := &Tile{Stale: sourcesStale}
	var all []item.Item
	for _, source := range newsSources {
		if w.Guest && catalogue.FamilyOf(source).Private {
			continue
		}
		items, err := w.items(ctx, source)
		if err != nil {
			return nil, err
		}
		items = slices.DeleteFunc(slices.Clone(items), func(i item.Item) bool { return i.Attributes["start"] != "" }) // an event: the tile today has it
		if len(items) == 0 {
			continue
		}
		all = append(all, items...)
		ran, err := w.ranAt(ctx, source)
		if err != nil {
			return nil, err
		}
		t.At = later(t.At, ran)
	}
	if len(all) == 0 {
		return nil, nil
	}
	slices.SortStableFunc(all, func(a, b item.Item) int { return b.At.Compare(a.At) })
	yesterday := w.dayAt(-1)
	of := map[string]int{}
	var lines []newsLine
	for _, i := range all {
		key := i.Source + "/" + i.Target
		if of[key]++; of[key] > maxOfOne || len(lines) == maxNews {
			continue
		}
		t.Sample = t.Sample || i.Sample
		lines = append(lines, newsLine{Text: w.Redact(headline(i)), Link: config.Link(i.URL), About: w.Redact(i.Target), When: w.published(i), Old: i.At.Before(yesterday)})
	}
	t.Body = draw("news", map[string]any{"Lines": lines, "Rest": len(all) - len(lines)})
	return t, nil
}

// headline returns what an item says: of an alert about a Raspberry Pi which one is in stock
// where, else its title.
func headline(i item.Item) string {
	model, shop := i.Attributes["model"], i.Attributes["shop"]
	if model == "" || shop == "" {
		return i.Title
	}
	parts := []string{"Pi", model}
	if ram := i.Attributes["ram"]; ram != "" {
		number := strings.TrimRight(ram, "GMBgmb ")
		parts = append(parts, number, strings.ToUpper(strings.TrimSpace(strings.TrimPrefix(ram, number))))
	}
	return texts.Say("news.inStock", strings.Join(parts, " "), shop)
}

// published writes how old an item is. If only its day is known, it is that.
func (w *world) published(i item.Item) template.HTML {
	if i.At.IsZero() {
		return ""
	}
	d, err := time.Parse(time.DateOnly, i.Attributes[publishing])
	switch {
	case err != nil && i.At.After(w.Now.Add(time.Minute)): // of an event, or by a clock that is ahead
		return w.at(i.At, date)
	case err != nil:
		return w.at(i.At, age)
	}
	switch n := daysFrom(d, w.calendarDay(w.Now)); {
	case n == 0:
		return texts.HTML("news.today")
	case n > 0 && n <= weekdaysAhead:
		return day(d, weekday)
	}
	return day(d, date)
}
