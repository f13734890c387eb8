package deadline

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/settings"
)

var berlin, _ = time.LoadLocation("Europe/Berlin")

func house() *alert.House {
	return &alert.House{Zone: berlin, Destinations: []string{alert.ToSlack}}
}

// told runs a tick every five minutes over a span, besides those that skip leaves out, and
// returns the times and texts of the messages that the outbox takes.
func told(t *testing.T, yaml, from, to string, skip func(time.Time) bool) (out []string) {
	t.Helper()
	f := settings.Parse([]byte(yaml))
	if err := f.Err(); err != nil {
		t.Fatal(err)
	}
	now, _ := time.ParseInLocation("2006-01-02 15:04", from, berlin)
	end, _ := time.ParseInLocation("2006-01-02 15:04", to, berlin)
	seen := map[string]bool{}
	for _, m := range Reminders(f.Reminders, house(), now) {
		seen[m.Key] = true // of the time before
	}
	for now = now.Add(5 * time.Minute); now.Before(end); now = now.Add(5 * time.Minute) {
		if skip != nil && skip(now) {
			continue
		}
		for _, m := range Reminders(f.Reminders, house(), now) {
			if !seen[m.Key] {
				out = append(out, now.In(berlin).Format("2006-01-02 15:04 MST ")+strings.ReplaceAll(m.Text, "\n", " | "))
				seen[m.Key] = true
			}
		}
	}
	return out
}

func TestRemindersAreToldOnTheirDaysOnce(t *testing.T) {
	for name, c := range map[string]struct {
		yaml, from, to string
		want           []string
	}{
		"on weekdays": {`reminders: [{text: Bins, on: [tuesday, friday], at: "19:00"}]`, "2026-11-23 00:00", "2026-11-30 00:00",
			[]string{"2026-11-24 19:00 CET Reminder: Bins", "2026-11-27 19:00 CET Reminder: Bins"}},
		"at a date, at nine": {`reminders: [{text: Passport, date: 2026-11-25}]`, "2026-11-23 00:00", "2026-11-30 00:00",
			[]string{"2026-11-25 09:00 CET Reminder: Passport"}},
		"every day from a date": {`reminders: [{text: Pill, date: 2026-11-25, every: day, at: "08:00"}]`, "2026-11-23 00:00", "2026-11-27 00:00",
			[]string{"2026-11-25 08:00 CET Reminder: Pill", "2026-11-26 08:00 CET Reminder: Pill"}},
		"every week": {`reminders: [{text: Call, date: 2026-11-04, every: week}]`, "2026-11-23 00:00", "2026-11-30 00:00",
			[]string{"2026-11-25 09:00 CET Reminder: Call"}},
		"every month on its last day": {`reminders: [{text: Meter, date: 2026-01-31, every: month}]`, "2027-02-20 00:00", "2027-04-01 00:00",
			[]string{"2027-02-28 09:00 CET Reminder: Meter", "2027-03-31 09:00 CEST Reminder: Meter"}},
		"every year, also of 29 February": {`reminders: [{text: Leap, date: 2024-02-29, every: year}]`, "2027-02-01 00:00", "2027-03-05 00:00",
			[]string{"2027-02-28 09:00 CET Reminder: Leap"}},
		"ahead": {`reminders: [{text: Dentist, date: 2026-11-26, at: "15:00", ahead: 1d}]`, "2026-11-23 00:00", "2026-11-30 00:00",
			[]string{"2026-11-25 15:00 CET Reminder: Dentist | It is for 15:00 on 26 November."}},
		"at a time that the clock change leaves out": {`reminders: [{text: Night, date: 2027-03-20, every: day, at: "02:30"}]`, "2027-03-28 00:00", "2027-03-29 00:00",
			[]string{"2027-03-28 03:30 CEST Reminder: Night"}},
		"at a time that the clock change doubles": {`reminders: [{text: Night, date: 2026-10-20, every: day, at: "02:30"}]`, "2026-10-25 00:00", "2026-10-26 00:00",
			[]string{"2026-10-25 02:30 CET Reminder: Night"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := told(t, c.yaml, c.from, c.to, nil); !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestAMissedReminderIsToldLateButNotAfterADay(t *testing.T) {
	yaml := `reminders: [{text: Bins, date: 2026-11-24, every: day, at: "09:00"}]`
	away := func(from, to string) func(time.Time) bool {
		a, _ := time.ParseInLocation("2006-01-02 15:04", from, berlin)
		b, _ := time.ParseInLocation("2006-01-02 15:04", to, berlin)
		return func(t time.Time) bool { return !t.Before(a) && t.Before(b) }
	}
	got := told(t, yaml, "2026-11-24 00:00", "2026-11-25 00:00", away("2026-11-24 08:00", "2026-11-24 14:00"))
	if want := []string{"2026-11-24 14:00 CET Reminder: Bins | It was due at 09:00."}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	got = told(t, yaml, "2026-11-24 00:00", "2026-11-27 09:00", away("2026-11-24 08:00", "2026-11-26 10:00"))
	if want := []string{"2026-11-26 10:00 CET Reminder: Bins | It was due at 09:00."}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestARemindersChannelIsItsOwnOrProducts(t *testing.T) {
	f := settings.Parse([]byte(`reminders: [{text: A, date: 2026-11-24}, {text: A, date: 2026-11-24, channel: security}]`))
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, berlin)
	ms := Reminders(f.Reminders, house(), now)
	if len(ms) != 2 || ms[0].Channel != alert.Products || ms[1].Channel != alert.Security || ms[0].Key == ms[1].Key {
		t.Errorf("%+v", ms)
	}
}
