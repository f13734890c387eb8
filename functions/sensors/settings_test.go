package function

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/wire"
)

// The keys of the message would be understood without hearth.yml, and otherwise.
func TestAfterARestartMistakesInOtherSectionsStopNoMapping(t *testing.T) {
	for name, more := range map[string]string{
		"a_tile":             "tiles: [{tile: Weather}]\n",
		"a_later_field":      "rules: {a: {field: air.later_ppm, above: 1}}\n",
		"a_later_key":        "rules: {a: {later: 1}}\nhouse: {later: 1}\n",
		"a_later_section":    "later: 1\n",
		"a_reminder":         "reminders: [{text: x}]\n",
		"a_house's_currency": "house: {currency: euro}\n",
	} {
		t.Run(name, func(t *testing.T) {
			f := batchtest.Serve(t, New, batchtest.SQLite(t))
			writeSettings(t, f, office+more)
			written(t, f, noon.Add(-time.Hour))
			f.Post(t, message(0, "office/climate", `{"temperature":71}`))
			same(t, "readings", f.Lines(t, "air"), []string{"air,device=office temperature_celsius=21.666666666666664" + at})
		})
	}
}

func TestAfterARestartMessagesAreRetriedUntilTheFileIsRead(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	writeSettings(t, f, office+"    colour: red\n")
	written(t, f, noon)
	a := f.Post(t, message(0, "office/climate", `{"temperature":71}`)) // the file may be incomplete yet
	if len(a.Retry) != 1 || len(a.Rejected) > 0 {
		t.Errorf("just written: %+v", a)
	}
	written(t, f, noon.Add(-time.Hour))
	m := message(time.Minute, "office/climate", `{"temperature":71}`)
	a = f.Post(t, m, edgeReading(1, time.Minute, `"co2_ppm":612`), message(time.Minute, "/climate/attic", `{"temperature":20}`))
	if len(a.Retry) != 2 || len(a.Rejected) > 0 || !strings.Contains(a.Retry[0].Reason, "line 6, column 5") || !strings.Contains(a.Retry[0].Reason, "colour") {
		t.Errorf("%+v", a)
	}
	same(t, "readings", f.Lines(t, "air"), []string{"air,device=office-air co2_ppm=612 1795435260000000000"})
	writeSettings(t, f, office)
	written(t, f, noon.Add(-time.Hour))
	m.Time = noon
	m2 := message(2*time.Minute, "/climate/attic", `{"temperature":20}`)
	m2.Time = noon
	f.Clock(noon.Add(2 * time.Minute))
	if a := f.Post(t, m, m2); len(a.Retry)+len(a.Rejected) > 0 {
		t.Errorf("%+v", a)
	}
	same(t, "readings", f.Lines(t, "air"), []string{"air,device=climate-attic temperature_celsius=20" + at,
		"air,device=office temperature_celsius=21.666666666666664" + at, "air,device=office-air co2_ppm=612 1795435260000000000"})
}

// written sets the time of the settings file. One that is older than a few seconds is
// not being written.
func written(t *testing.T, f *batchtest.Served, when time.Time) {
	t.Helper()
	if err := os.Chtimes(filepath.Join(f.Secrets, "hearth-settings"), time.Time{}, when); err != nil {
		t.Fatal(err)
	}
}

// replayed returns the topics whose dead letters the answer requests.
func replayed(a wire.Answer) string {
	var out []string
	for _, p := range a.Replay {
		if p.Topic != "" {
			out = append(out, p.Topic)
		}
	}
	return strings.Join(out, " ")
}

func TestAReplayOfANewMappingIsRequestedUntilItIsStored(t *testing.T) {
	st := batchtest.SQLite(t)
	f := batchtest.Serve(t, New, st)
	next := func(after time.Duration, want string) {
		t.Helper()
		if a := f.Post(t, edgeReading(1, after, `"co2_ppm":612`)); replayed(a) != want {
			t.Errorf("after %s %+v, want %q", after, a.Replay, want)
		}
	}
	restart := func() {
		secrets := f.Secrets
		f = batchtest.Serve(t, New, st)
		if err := os.Remove(f.Secrets); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(secrets, f.Secrets); err != nil {
			t.Fatal(err)
		}
	}
	next(0, "")
	writeSettings(t, f, office)
	written(t, f, noon)
	series := st.Series
	st.Series = unreachable{series}
	if code, _ := f.Try(t, edgeReading(1, time.Minute, `"co2_ppm":612`)); code != 503 {
		t.Fatalf("answered %d", code)
	}
	st.Series = series
	next(time.Minute, "office/climate") // the batch that saw it first was not stored
	next(time.Minute+time.Second, "")
	restart() // the connector may not have got the answer
	next(2*time.Minute, "office/climate")
	next(2*time.Minute+21*time.Second, "office/climate")
	next(3*time.Minute+time.Second, "")
	restart()
	next(4*time.Minute, "")
	writeSettings(t, f, strings.Replace(office, "°F", "K", 1)) // while it is stopped
	restart()
	next(5*time.Minute, "office/climate")
}

// unreachable is a database that does not answer.
type unreachable struct{ store.Series }

func (unreachable) Write(context.Context, []reading.Reading) error {
	return errors.New("the database cannot be reached")
}

func TestSettingsRemovedWhileTheFunctionIsDownAreReverted(t *testing.T) {
	st := batchtest.SQLite(t)
	for i, tc := range []struct{ yml, name, room string }{
		{"devices: [{device: office-air, name: Office, room: Den, maintenance: 2030-01-01}]", "Office", "Den"},
		{"", "Office", "Den"}, // without a file nothing is applied
		{"devices: []", "office-air", ""},
	} {
		f := batchtest.Serve(t, New, st)
		if tc.yml != "" {
			writeSettings(t, f, tc.yml)
		}
		f.Post(t, edgeReading(1+i, time.Duration(i)*time.Minute, `"co2_ppm":612`))
		ds, err := st.Devices(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range ds {
			if d.ID == "office-air" && (d.Name != tc.name || d.Room != tc.room || d.Maintenance.IsZero() != (tc.room == "")) {
				t.Errorf("step %d: %+v, want %q in %q", i, d, tc.name, tc.room)
			}
		}
	}
}
