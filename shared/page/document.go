package page

import (
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
	Clock, Date       string
	Every             int64 // ms between two requests for what is new
}

func pageOf(p *Page, s *shown) pageData {
	every := p.Every
	if every == 0 {
		every = defaultEvery
	}
	local := s.snap.Now.In(s.snap.Zone)
	return pageData{
		Snapshot: s.snap, Parts: s.parts, Tag: s.tag(), Zone: s.snap.Zone.String(), Locale: string(p.Glance.Settings().House.Locale),
		Clock: local.Format("15:04"), Date: local.Format("Monday 2 January"), Every: every.Milliseconds(),
	}
}

// Markup returns the part as markup: it was drawn by a template.
func (p part) Markup() template.HTML { return template.HTML(p.HTML) }

// IsCell reports whether the part stands in the grid.
func (p part) IsCell() bool { return strings.HasPrefix(p.ID, "cell-") }
