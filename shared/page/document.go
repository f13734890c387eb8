package page

import (
	"fmt"
	"hash/fnv"
	"html/template"
	"regexp"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/page/glance"
)

// ages matches what the viewer counts on in the markup of an age.
var ages = regexp.MustCompile(`(data-f="age">)[^<]*`)

// defaultEvery is how often a page asks for what is new.
const defaultEvery = 5 * time.Second

// pageData is what the markup of the whole page reads.
type pageData struct {
	Snapshot          glance.Snapshot
	Parts             []part
	Tag, Zone, Locale string
	Clock             string
	Weekday, Date     string
	Kiosk             bool
	Build             string
	Rows              int   // of cells on wide screens
	Every             int64 // ms between two requests for what is new
}

func pageOf(p *Page, s *shown, kiosk bool) pageData {
	every := p.Every
	if every == 0 {
		every = defaultEvery
	}
	local := s.snap.Now.In(s.snap.Zone)
	return pageData{
		Snapshot: s.snap, Parts: s.parts, Rows: s.rows, Build: p.build(), Tag: p.build() + "-" + s.tag(), Zone: s.snap.Zone.String(), Locale: string(p.Glance.Settings().House.Locale),
		Clock: local.Format("15:04"), Weekday: local.Format("Monday"), Date: local.Format("2 January"), Kiosk: kiosk, Every: every.Milliseconds(),
	}
}

// build identifies the script, the style and what the document tells them. An open page
// that has another is loaded again.
func (p *Page) build() string {
	house := p.Glance.Settings().House
	sum := fnv.New64a()
	fmt.Fprint(sum, assets()["page.js"].hash, assets()["page.css"].hash, house.Zone, house.Locale)
	return fmt.Sprintf("%x", sum.Sum64())
}

// Markup returns the part as markup: it was drawn by a template.
func (p part) Markup() template.HTML { return template.HTML(p.HTML) }

// IsCell reports whether the part stands in the grid.
func (p part) IsCell() bool { return strings.HasPrefix(p.ID, "cell-") }

// relative reports whether an address is one of this page's.
func relative(address string) bool { return !strings.Contains(address, ":") }
