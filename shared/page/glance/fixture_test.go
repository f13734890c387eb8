package glance

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/page/status"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
)

var now = time.Date(2026, 11, 27, 14, 7, 0, 0, time.UTC)

// fixture is a house whose tiles a test looks at.
type fixture struct {
	*pagetest.House
	status status.Data
	yml    string // hearth.yml
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	return &fixture{House: pagetest.New(t, now)}
}

func (f *fixture) glance() *Glance {
	return New(Inputs{
		Open: f.Open, Now: func() time.Time { return f.Now }, Redact: func(s string) string { return strings.ReplaceAll(s, "geheim", "[secret]") },
		Settings: f.settings, Declared: func() []catalogue.Measurement { return nil },
		Status: func(context.Context) (status.Data, bool) { return f.status, true },
		Alerts: func(context.Context, time.Time) (status.Alerts, error) { return f.status.Alerts, nil },
	})
}

// ran stores a run of a source.
func (f *fixture) ran(source, status string, started time.Time) {
	f.T.Helper()
	r, err := f.Store.Begin(f.T.Context(), store.Run{Function: source, Trigger: "cron", Started: started}, time.Minute, nil)
	f.OK(err)
	r.Status = status
	f.OK(f.Store.Finish(f.T.Context(), r, nil, store.Alerts{}))
}

// settings returns hearth.yml, checked as the page checks it.
func (f *fixture) settings() *settings.File {
	file := settings.Parse([]byte(f.yml))
	set := mapping.Compile(file)
	set.CheckNames(file, file.Mistake)
	Check(file, set.Measurements())
	return file
}

// tile returns a tile as the page of now shows it; nil: it is not shown.
func (f *fixture) tile(kind string) *Tile {
	f.T.Helper()
	s := f.glance().Snapshot(f.T.Context(), View{})
	if len(s.Errors) > 0 {
		f.T.Fatal(s.Errors)
	}
	for _, t := range s.Tiles {
		if t.Kind() == kind {
			return &t
		}
	}
	return nil
}

// words returns the text of a tile without markup, each run of spaces as one.
func words(t *Tile) string {
	var b strings.Builder
	in := false
	for _, r := range string(t.Body) {
		switch {
		case r == '<':
			in = true
			b.WriteByte(' ')
		case r == '>':
			in = false
		case !in:
			b.WriteRune(r)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func TestAnEmptyHouseHasNoTilesAndNoErrors(t *testing.T) {
	f := newFixture(t)
	s := f.glance().Snapshot(t.Context(), View{})
	if len(s.Tiles) != 0 || len(s.Errors) != 0 || len(s.Needs) != 0 {
		t.Errorf("tiles %v, errors %v, needs %v", s.Tiles, s.Errors, s.Needs)
	}
}

func TestWordsReadsText(t *testing.T) {
	if got := words(&Tile{Body: `<b>22</b> <small>°C</small>`}); got != "22 °C" {
		t.Error(got)
	}
}
