package settings

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/secret"
)

// watched is a file that a Watch follows; its clock is the file's.
type watched struct {
	t    *testing.T
	w    *Watch[Zone]
	file string
	logs bytes.Buffer
	now  time.Time
}

func watch(t *testing.T) *watched {
	dir := t.TempDir()
	v := &watched{t: t, file: filepath.Join(dir, "hearth-settings"), now: time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)}
	v.w = NewWatch(secret.NewFolder(dir).Get("hearth-settings"), slog.New(slog.NewTextHandler(&v.logs, nil)), []string{"house.zone"}, func(f *File) Zone { return f.House.Zone })
	return v
}

// write writes the file now.
func (v *watched) write(text string) {
	v.t.Helper()
	if err := os.WriteFile(v.file, []byte(text), 0o600); err != nil {
		v.t.Fatal(err)
	}
	if err := os.Chtimes(v.file, v.now, v.now); err != nil {
		v.t.Fatal(err)
	}
}

// after looks again after a while.
func (v *watched) after(d time.Duration, want Zone, problem string, log ...string) {
	v.t.Helper()
	v.now = v.now.Add(d)
	v.logs.Reset()
	got, err := v.w.Look(v.now)
	if got != want || (err == nil) != (problem == "") || err != nil && !strings.Contains(err.Error(), problem) {
		v.t.Errorf("Look = %q, %v; want %q, %q", got, err, want, problem)
	}
	if n := strings.Count(v.logs.String(), "\n"); n != len(log) {
		v.t.Errorf("%d lines are logged, want %d:\n%s", n, len(log), &v.logs)
	}
	for _, l := range log {
		if !strings.Contains(v.logs.String(), l) {
			v.t.Errorf("the log lacks %q:\n%s", l, &v.logs)
		}
	}
}

const (
	utc    = "house: {zone: UTC}\n"
	berlin = "house: {zone: Europe/Berlin}\n"
	bad    = "house:\n  zoen: UTC\n"
)

func TestABadFileKeepsTheLastGoodOneAndIsSaidOnce(t *testing.T) {
	v := watch(t)
	v.after(0, "", "") // no file: no settings
	v.write(utc)
	v.after(time.Minute, "UTC", "", "hearth.yml read")
	v.after(time.Minute, "UTC", "")
	v.write(bad)
	v.after(time.Minute, "UTC", "line 2, column 3", `zoen`)
	v.after(time.Minute, "UTC", "zoen")
	v.write(berlin)
	v.after(time.Minute, "Europe/Berlin", "", "hearth.yml is right again")
	v.after(time.Minute, "Europe/Berlin", "")
	v.write(berlin + "colour: red\n")
	v.after(time.Minute, "Europe/Berlin", "", "hearth.yml read", "colour")
}

func TestAFileThatIsMissingOrEmptyKeepsWhatItSaid(t *testing.T) {
	v := watch(t)
	v.write("\n") // as make secrets creates one
	v.after(0, "", "")
	v.write(utc)
	v.after(time.Minute, "UTC", "", "read")
	v.write("")
	v.after(time.Minute, "UTC", "")
	if err := os.Remove(v.file); err != nil {
		t.Fatal(err)
	}
	v.after(time.Minute, "UTC", "")
	v.write(utc)
	v.after(time.Minute, "UTC", "") // nothing new
	v.write(bad)
	v.after(time.Minute, "UTC", "zoen", "zoen")
	v.write("")
	v.after(time.Minute, "UTC", "")
	v.write(bad)
	v.after(time.Minute, "UTC", "zoen", "zoen")
	v.write("# no settings any more\n")
	v.after(time.Minute, "", "", "right again")
}

func TestAFileThatIsBeingWrittenIsNotTaken(t *testing.T) {
	v := watch(t)
	v.write(bad)
	v.after(0, "", "not read yet") // it may not be whole yet, and nothing is said
	v.write(utc)
	v.after(lookAgain, "UTC", "", "read") // the first is taken at once
	v.write("house: {zo")
	v.after(lookAgain, "UTC", "")
	v.write("house: {}\n") // a good one that is cut off
	v.after(lookAgain, "UTC", "")
	v.write(berlin)
	v.after(lookAgain, "UTC", "")
	v.after(lookAgain, "Europe/Berlin", "", "read")
	v.write(bad)
	v.after(lookAgain, "Europe/Berlin", "")
	v.after(lookAgain, "Europe/Berlin", "zoen", "zoen") // it stays so
}

func TestItLooksOnceASecond(t *testing.T) {
	v := watch(t)
	v.write(utc)
	v.after(0, "UTC", "", "read")
	v.write(berlin)
	v.after(lookAgain-1, "UTC", "")
	v.now = v.now.Add(-time.Hour) // the clock was set back
	v.after(0, "Europe/Berlin", "", "read")
}

func TestAFileThatCannotBeReadIsSaidOnce(t *testing.T) {
	v := watch(t)
	v.write(utc)
	v.after(0, "UTC", "", "read")
	if err := os.Remove(v.file); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(v.file, 0o700); err != nil {
		t.Fatal(err)
	}
	v.after(time.Minute, "UTC", "is a directory", "is a directory")
	v.after(time.Minute, "UTC", "is a directory")
}

func TestAHugeFileIsRefusedWithoutBeingRead(t *testing.T) {
	v := watch(t)
	f, err := os.Create(v.file)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(1 << 40); err != nil {
		t.Skip(err) // a file system without holes
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	v.after(0, "", "larger than 1 MiB", "larger than 1 MiB")
}

func TestMistakesInOtherSectionsAreSaidAndStopNothing(t *testing.T) {
	v := watch(t)
	other := "tiles: [{tile: Weather}]\n"
	v.write(utc + other)
	v.after(time.Minute, "UTC", "tiles[0].tile", "level=WARN")
	v.after(time.Minute, "UTC", "tiles[0].tile")
	v.write(berlin + other + "rules: {a: {colour: red}}\n")
	v.after(time.Minute, "Europe/Berlin", "colour", "level=WARN")
	v.write(bad + other)
	v.after(time.Minute, "Europe/Berlin", "zoen", "level=ERROR")
	v.write(utc)
	v.after(time.Minute, "UTC", "", "right again")
}

func TestAFileThatWasNeverGoodIsUnread(t *testing.T) {
	v := watch(t)
	unread := func(d time.Duration, want bool, log ...string) {
		t.Helper()
		problem := ""
		if want {
			problem = ErrUnread.Error()
		}
		v.after(d, "", problem, log...)
	}
	v.write("devices: [")
	unread(0, true) // it may not be whole yet
	unread(lookAgain, true, "line 2, column 1")
	if _, err := v.w.Look(v.now); err == nil || !strings.Contains(err.Error(), "line 2, column 1") {
		t.Errorf("%v does not say where", err)
	}
	if err := os.Remove(v.file); err != nil {
		t.Fatal(err)
	}
	unread(time.Minute, false) // no file: no settings
	v.write(bad)
	unread(time.Minute, true, "zoen")
	v.write("house: {}\n")
	unread(time.Minute, false, "right again")
	v.write(bad)
	v.after(time.Minute, "", "zoen", "kept as it was")
	if _, err := v.w.Look(v.now); errors.Is(err, ErrUnread) {
		t.Errorf("%v, though one was read", err)
	}
}
