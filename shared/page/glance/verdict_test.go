package glance

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/page/status"
	"github.com/hearth-home/hearth/shared/store"
)

var (
	tooMuch = status.Alert{ID: "a-1", Key: "air-co2-high/office", Severity: alert.Critical, Channel: alert.Climate, Phase: alert.Firing, Title: "CO₂ is high", Where: "Office air (Office)",
		Value: "1,412 ppm", Limit: "above 1,200 ppm", Next: "Open a window.", Since: now.Add(-26 * time.Minute)}
	failing = status.Alert{ID: "a-2", Key: "source-failing/weather", Severity: alert.Warning, Channel: alert.Pipelines, Phase: alert.Firing, Title: "A source is failing", Where: "weather",
		Text: "no answer. It was tried 3 times.\nLast good: 09:00", Next: "https://example.org/", Link: "https://example.org/", Since: now.Add(-30 * time.Hour), Below: []status.Alert{{}, {}}}
	silent = status.Alert{ID: "a-3", Key: "device-silent/pantry", Severity: alert.Warning, Channel: alert.Devices, Phase: alert.Unknown, Title: "A device is silent", Where: "Pantry",
		Text: "silent", Since: now.Add(-time.Hour), Marks: []string{"no data since 13:10"}}
)

func with(alerts ...status.Alert) *fixture {
	return &fixture{status: status.Data{Alerts: status.Alerts{Known: true, Open: alerts}}}
}

// verdict returns the verdict of a house with these alerts, and its lines as text.
func verdict(t *testing.T, f *fixture, view string) (Verdict, []string) {
	t.Helper()
	f.House = newFixture(t).House
	v := f.glance().Snapshot(t.Context(), View{Name: view}).Verdict()
	var lines []string
	for _, n := range v.Lines {
		lines = append(lines, words(&Tile{Body: join([]template.HTML{escaped(n.What), n.Value, n.Rest}, " | ")}))
	}
	return v, lines
}

func TestTheVerdictSaysWhatNeedsAPersonTheGravestFirst(t *testing.T) {
	v, lines := verdict(t, with(failing, silent, tooMuch), "")
	want := []string{
		"CO₂ is high: Office air | 1 412 ppm | above 1 200 since 13:41 · Open a window",
		"A device is silent: Pantry | silent | since 13:07 , no data since 13:10",
		"A source is failing: weather | no answer | since 26 Nov · 2 more because of it",
	}
	if v.Heading != "3 things need you" || v.Class != "critical" || !slices.Equal(lines, want) {
		t.Errorf("%s, %s\n%s", v.Heading, v.Class, strings.Join(lines, "\n"))
	}
	if v.Lines[2].Link != "https://example.org/" || v.Lines[0].Link != "status#a-1" {
		t.Errorf("links %q and %q", v.Lines[2].Link, v.Lines[0].Link)
	}
}

func TestTheVerdictOfOneThingAndOfNone(t *testing.T) {
	if v, _ := verdict(t, with(silent), ""); v.Heading != "1 thing needs you" || v.Class != "warning" || v.Count != 1 {
		t.Errorf("%+v", v)
	}
	if v, _ := verdict(t, with(), ""); v.Heading != "All well" || v.Class != "well" || len(v.Acks) != 0 {
		t.Errorf("%+v", v)
	}
}

func TestWhatIsAcknowledgedOrSilencedIsNotCounted(t *testing.T) {
	acked, quiet, kept := tooMuch, failing, silent
	acked.Acked, quiet.Silenced, kept.Maintained = true, true, true
	v, lines := verdict(t, with(acked, quiet, kept), "")
	if v.Heading != "All well" || v.Aside != "1 acknowledged, 1 silenced, 1 in maintenance" || len(lines) != 0 {
		t.Errorf("%+v", v)
	}
}

func TestTheVerdictListsSixThingsAndCountsTheOthers(t *testing.T) {
	f := with()
	for i := range 9 {
		a := silent
		a.Key = fmt.Sprint("device-silent/", i)
		f.status.Alerts.Open = append(f.status.Alerts.Open, a)
	}
	f.status.Alerts.More = 3
	v, lines := verdict(t, f, "")
	if len(lines) != 6 || v.More != 6 || v.Count != 12 || v.Heading != "12 things need you" || len(v.Acks) != 9 {
		t.Errorf("%d lines, %d more of %d, %s, %d keys", len(lines), v.More, v.Count, v.Heading, len(v.Acks))
	}
}

func TestAGuestSeesOnlyAlertsOfTheHouse(t *testing.T) {
	climate, quiet, account := tooMuch, silent, silent
	climate.Device, quiet.Device = "office-air", "pantry-climate"
	account.Title, account.Channel = "Vulnerable dependency", alert.Security // of no device
	f := with(climate, failing, quiet, account)
	f.status.Functions = []status.Function{{Name: "asana", State: status.Broken, Reason: "ASANA_TOKEN"}}
	f.status.Notes, f.status.Errors = []string{"hearth.yml has mistakes"}, []string{"read the functions: no answer"}
	v, lines := verdict(t, f, Guest)
	if len(lines) != 2 || strings.Contains(fmt.Sprint(lines, v), "weather") || len(v.Acks) != 0 || len(v.Notes) != 0 || len(v.Errors) != 0 || v.Lines[0].Link != "" {
		t.Errorf("%+v", v)
	}
	foot := f.glance().Snapshot(t.Context(), View{Name: Guest}).Foot()
	if len(foot.Late) != 0 || foot.More != 1 {
		t.Errorf("%+v", foot)
	}
}

func TestItIsNotWellWhereThatIsNotKnown(t *testing.T) {
	f := with()
	f.status = status.Data{Errors: []string{"read the alerts: no answer"}}
	v, _ := verdict(t, f, "")
	if v.Heading != "Not all of it can be read" || v.Class != "unknown" || !slices.Equal(v.Errors, []string{"The alerts cannot be read", "read the alerts: no answer"}) {
		t.Errorf("%+v", v)
	}
	f = with(tooMuch)
	f.House = newFixture(t).House
	g := f.glance()
	g.Open = func(context.Context) (*store.Store, error) { return nil, errors.New("the store does not answer") }
	v = g.Snapshot(t.Context(), View{}).Verdict()
	if v.Heading != "1 thing needs you" || !slices.Equal(v.Errors, []string{"the store does not answer"}) {
		t.Errorf("%+v", v)
	}
}

func TestTheLastLineNamesWhatIsLate(t *testing.T) {
	at := func(d time.Duration) time.Time { return now.Add(-d) }
	s := Snapshot{Now: now, Status: status.Data{Functions: []status.Function{
		{Name: "weather", State: status.Live, Last: &store.Run{Status: "ok"}},
		{Name: "stocks", State: status.Sample, Last: &store.Run{Status: "ok"}},
		{Name: "asana", State: status.Unconfigured},
		{Name: "github", State: status.Overdue, Schedule: "0 * * * *", Seen: at(110 * time.Minute), Last: &store.Run{Status: "ok", Outcomes: []store.Outcome{{Status: "waiting", Error: "quota until 15:00"}}}},
		{Name: "feeds", State: status.Live, Last: &store.Run{Status: "partial", Outcomes: []store.Outcome{{Status: "ok"}, {Status: "failed", Error: "<b>404</b>"}}}},
		{Name: "ups", State: status.Broken, Reason: "no such host"},
		{Name: "music", State: status.Overdue, Seen: at(3 * time.Hour)},
	}}}
	got := s.Foot()
	if got.OnTime != "2 pipelines on time" || got.Samples != "1 on sample data" || got.More != 1 {
		t.Errorf("%+v", got)
	}
	if want := []template.HTML{"github 1 h late: quota until 15:00", "feeds failed: &lt;b&gt;404&lt;/b&gt;", "ups cannot start: no such host"}; !slices.Equal(got.Late, want) {
		t.Errorf("%q", got.Late)
	}
}

func TestTilesThatCannotBeReadStayAsTheyWere(t *testing.T) {
	before := Snapshot{Tiles: []Tile{{ID: "weather", Title: "old"}, {ID: "today", Title: "old"}, {ID: "rooms", Title: "old"}, {ID: "news", Title: "old"}}}
	now := Snapshot{Tiles: []Tile{{ID: "weather", Title: "new"}, {ID: "rooms", Title: "new"}}, unread: []string{"today", "weather", "power"}}
	now.Keep(before)
	var got []string
	for _, tile := range now.Tiles {
		got = append(got, tile.ID+" "+tile.Title)
	}
	if want := []string{"weather new", "today old", "rooms new"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	f := with()
	f.House = newFixture(t).House
	g := f.glance()
	g.Open = func(context.Context) (*store.Store, error) { return nil, errors.New("the store does not answer") }
	closed := g.Snapshot(t.Context(), View{})
	closed.Keep(before)
	if len(closed.Tiles) != 4 {
		t.Errorf("%v", closed.Tiles)
	}
}
