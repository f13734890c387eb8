package glance

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/item"
)

// chore is a task of Asana, with attributes as "key=value".
func chore(title string, attributes ...string) item.Item {
	i := item.Item{ID: title, Title: title, URL: "https://app.asana.com/0/1/" + fmt.Sprint(len(title)), At: now.AddDate(0, -1, 0), Attributes: map[string]string{"modified_at": now.Format(time.RFC3339)}}
	for _, a := range attributes {
		k, v, _ := strings.Cut(a, "=")
		i.Attributes[k] = v
	}
	return i
}

// TestTasksStandInTheOrderOfTheirDays: days of the calendar are those of the house, whose clock
// shows 03:07 of 28 November.
func TestTasksStandInTheOrderOfTheirDays(t *testing.T) {
	f := newFixture(t)
	f.yml = "house: {zone: Asia/Tokyo}"
	f.Now = time.Date(2026, 11, 27, 18, 7, 0, 0, time.UTC)
	ran := f.Now.Add(-time.Minute)
	f.Items("asana", "Home",
		chore("Garden plan", "modified_at=2026-11-16T10:00:00Z"), chore("Photos", "due_on=2026-11-30", "priority=Low"), chore("Electrician", "due_on=2026-11-28", "priority=High"),
		chore("Certificate geheim", "due_on=2026-11-26"), chore("Dentist", "due_at=2026-11-28T02:30:00Z"), chore("Post", "due_on=2026-11-27"), chore("Skis", "due_on=2026-12-18"),
		chore("Holiday", "due_on=2026-12-05", "priority=High", "modified_at=2026-10-16T10:00:00Z"), chore("<b>", "due_on=soon"))
	tile := f.tile("today")
	want := "Certificate [secret] 2 days late Post 1 day late Electrician today Dentist 11:30 Holiday 5 Dec Skis 18 Dec Garden plan idle 12 d &lt;b&gt; Photos Mon"
	if got := words(tile); got != want {
		t.Errorf("\n%s, want\n%s", got, want)
	}
	if tile.Title != "Tasks 9" || !tile.At.Equal(ran) || tile.Stale != 4*time.Hour {
		t.Errorf("%v %v", tile.At, tile.Stale)
	}
	var needs []string
	for _, n := range tile.Needs {
		needs = append(needs, fmt.Sprintf("%s %s %s", n.What, sayings(n.Value), n.Severity))
	}
	if want := []string{"Certificate [secret] 2 days late warning", "Post 1 day late warning", "Electrician today warning"}; !slices.Equal(needs, want) {
		t.Errorf("%q", needs)
	}
	for _, want := range []string{`<li class="late"><span title="Home"><a href="https://app.asana.com/0/1/18" rel="noopener noreferrer">`, `<li class="due"><span title="Home · High">`, `<li class="today"><span title="Home">`} {
		if !strings.Contains(string(tile.Body), want) {
			t.Errorf("no %s in %s", want, tile.Body)
		}
	}
}

func TestManyLateTasksAreCounted(t *testing.T) {
	f := newFixture(t)
	var all []item.Item
	for n := range 30 {
		c := chore(fmt.Sprintf("Task %02d", n), "due_on=2026-11-20")
		c.URL, c.Sample = "javascript:alert(1)", true
		all = append(all, c)
	}
	f.Items("asana", "Home", all...)
	tile := f.tile("today")
	if n := len(tile.Needs); n != 4 || tile.Needs[3].What != "27 more tasks" || tile.Needs[3].Severity != alert.Info || tile.Needs[0].Link != "" || !tile.Needs[0].Sample || !tile.Sample {
		t.Errorf("%+v", tile.Needs)
	}
	if s := string(tile.Body); strings.Contains(s, "javascript") || strings.Contains(s, "href") || strings.Count(s, "<li") != 20 || !strings.Contains(s, `data-rest="10"`) || !strings.Contains(s, ">10 more<") {
		t.Error(s)
	}
}

func TestTheAgendaIsOfTodayAndTomorrow(t *testing.T) {
	f := newFixture(t)
	f.yml = `{house: {zone: Europe/Berlin}, reminders: [{text: "Bins: paper", on: [saturday], at: "19:00"}, {text: Pill, date: 2026-11-01, every: day}, {text: Boiler service, date: 2026-12-04, ahead: 10d}, {text: Someday, date: 2027-03-01}]}`
	event := func(title, start, end string) item.Item {
		return item.Item{ID: title, Title: title, URL: "https://calendar.example/" + title[:3], At: now, Attributes: map[string]string{"start": start, "end": end}}
	}
	f.Items("feeds", "calendar", event("Parents' evening", "2026-11-27T14:30:00Z", "2026-11-27T16:00:00Z"), event("Breakfast", "2026-11-27T06:00:00Z", ""), event("Night train", "2026-11-26T20:00:00Z", "2026-11-27T18:00:00Z"),
		event("Fair", "2026-11-26", "2026-11-29"), event("Market", "2026-11-28T09:00:00Z", ""), event("Far", "2026-12-24", "2026-12-25"), event("Old", "2026-11-26", "2026-11-27"),
		event("Odd", "tomorrow", ""), item.Item{ID: "n", Title: "No event", At: now})
	want := "all day Fair all day Pill until 19:00 Night train 15:30 Parents&#39; evening Sat Pill · 10:00 Market · 19:00 Bins: paper 4 Dec Boiler service"
	tile := f.tile("today")
	if got := words(tile); got != want {
		t.Errorf("\n%s, want\n%s", got, want)
	}
	if len(tile.Needs) != 0 || tile.Sample || !strings.Contains(string(tile.Body), `<a href="https://calendar.example/Fai"`) {
		t.Errorf("%+v", tile)
	}
}

func TestALongDayIsCut(t *testing.T) {
	f := newFixture(t)
	f.yml = "reminders: ["
	for n := range 9 {
		f.yml += fmt.Sprintf("{text: R%d, date: 2026-11-01, every: day, at: \"1%d:00\"},", n, n)
	}
	f.yml += "]"
	if got, want := words(f.tile("today")), "10:00 R0 11:00 R1 12:00 R2 13:00 R3 14:00 R4 4 more Sat 10:00 R0 · 11:00 R1 · 12:00 R2 · 13:00 R3 · 5 more"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestGuestsSeeNoTasks(t *testing.T) {
	f := newFixture(t)
	f.Items("asana", "Home", chore("Secret", "due_on=2026-11-20"))
	if s := f.glance().Snapshot(t.Context(), View{Name: Guest}); len(s.Tiles) != 0 || len(s.Needs) != 0 {
		t.Errorf("%+v", s)
	}
}
