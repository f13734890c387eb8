package settings

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/secret"
)

// watchedFile is a file that a Watch follows, and the clock for both.
type watchedFile struct {
	t    *testing.T
	w    *Watch[Zone]
	file string
	logs bytes.Buffer
	now  time.Time
}

func watch(t *testing.T) *watchedFile {
	dir := t.TempDir()
	v := &watchedFile{t: t, file: filepath.Join(dir, "hearth-settings"), now: time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)}
	v.w = NewWatch(secret.NewFolder(dir).Get("hearth-settings"), slog.New(slog.NewTextHandler(&v.logs, nil)), []string{"house.zone"}, func(f *File) Zone { return f.House.Zone })
	return v
}

// write writes the file, with the time of the clock.
func (v *watchedFile) write(text string) {
	v.t.Helper()
	if err := os.WriteFile(v.file, []byte(text), 0o600); err != nil {
		v.t.Fatal(err)
	}
	if err := os.Chtimes(v.file, v.now, v.now); err != nil {
		v.t.Fatal(err)
	}
}

// after calls Look after a while and checks the value, the error and the log.
func (v *watchedFile) after(d time.Duration, want Zone, problem string, log ...string) {
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

func TestABadFileKeepsTheLastGoodOneAndIsLoggedOnce(t *testing.T) {
	v := watch(t)
	v.after(0, "", "") // no file: no settings
	v.write(utc)
	v.after(time.Minute, "UTC", "", "hearth.yml read")
	v.after(time.Minute, "UTC", "")
	v.write(bad)
	v.after(time.Minute, "UTC", "line 2, column 3", `zoen`)
	v.after(time.Minute, "UTC", "zoen")
	v.write(berlin)
	v.after(time.Minute, "Europe/Berlin", "", "hearth.yml has no mistakes any more")
	v.after(time.Minute, "Europe/Berlin", "")
	v.write(berlin + "colour: red\n")
	v.after(time.Minute, "Europe/Berlin", "", "hearth.yml read", "colour")
	v.write(berlin)
	v.after(time.Minute, "Europe/Berlin", "", "hearth.yml has no mistakes any more")
	if err := os.Remove(v.file); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(v.file, 0o700); err != nil {
		t.Fatal(err)
	}
	v.after(time.Minute, "Europe/Berlin", "is a directory", "hearth.yml cannot be read: the settings before stay in use")
	v.after(time.Minute, "Europe/Berlin", "is a directory")
	if err := os.Remove(v.file); err != nil {
		t.Fatal(err)
	}
	v.write(utc)
	v.after(time.Minute, "UTC", "", "hearth.yml has no mistakes any more")
}

func TestAMissingOrEmptyFileKeepsTheSettings(t *testing.T) {
	v := watch(t)
	v.write("\n") // make secrets creates an empty file
	v.after(0, "", "")
	v.write(utc)
	v.after(time.Minute, "UTC", "", "read")
	v.write("")
	v.after(time.Minute, "UTC", "", "hearth.yml is missing or empty: the settings before stay in use")
	if err := os.Remove(v.file); err != nil {
		t.Fatal(err)
	}
	v.after(time.Minute, "UTC", "")
	v.write(utc)
	v.after(time.Minute, "UTC", "", "there again")
	v.after(time.Minute, "UTC", "")
	v.write(bad)
	v.after(time.Minute, "UTC", "zoen", "zoen")
	v.write("")
	v.after(time.Minute, "UTC", "", "missing or empty")
	v.write(bad)
	v.after(time.Minute, "UTC", "zoen", "zoen")
	v.write("# no settings any more\n")
	v.after(time.Minute, "", "", "no mistakes any more")
}

func TestAFileThatIsBeingWrittenIsNotUsed(t *testing.T) {
	v := watch(t)
	v.write(bad)
	v.after(0, "", "not read yet") // it may be incomplete yet, so nothing is logged
	v.write(utc)
	v.after(lookEvery, "UTC", "", "read") // the first file is used at once
	v.write("house: {zo")
	v.after(lookEvery, "UTC", "")
	v.write("house: {}\n") // valid, but cut off
	v.after(lookEvery, "UTC", "")
	v.write(berlin)
	v.after(lookEvery, "UTC", "")
	v.after(lookEvery, "Europe/Berlin", "", "read")
	v.write(bad)
	v.after(lookEvery, "Europe/Berlin", "")
	v.after(lookEvery, "Europe/Berlin", "zoen", "zoen") // complete: it did not change
}

func TestTheFileIsReadAtMostOnceASecond(t *testing.T) {
	v := watch(t)
	v.write(utc)
	v.after(0, "UTC", "", "read")
	v.write(berlin)
	v.after(lookEvery-1, "UTC", "")
	v.now = v.now.Add(-time.Hour) // the clock was set back
	v.after(0, "Europe/Berlin", "", "read")
}

func TestAFileThatCannotBeReadIsLoggedOnce(t *testing.T) {
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

func TestMistakesInOtherSectionsAreLoggedAndStopNothing(t *testing.T) {
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
	v.after(time.Minute, "UTC", "", "no mistakes any more")
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
	unread(0, true) // it may be incomplete yet
	unread(lookEvery, true, "line 1, column 10")
	if _, err := v.w.Look(v.now); err == nil || !strings.Contains(err.Error(), "line 1, column 10") {
		t.Errorf("%v does not name the position", err)
	}
	if err := os.Remove(v.file); err != nil {
		t.Fatal(err)
	}
	unread(time.Minute, false) // no file: no settings
	v.write(bad)
	unread(time.Minute, true, "zoen")
	v.write("house: {}\n")
	unread(time.Minute, false, "no mistakes any more")
	v.write(bad)
	v.after(time.Minute, "", "zoen", "stay in use")
	if _, err := v.w.Look(v.now); errors.Is(err, ErrUnread) {
		t.Errorf("%v, although a file was read before", err)
	}
}

// fixed is what a store has.
type fixed []string

func (f fixed) SavedMappings(context.Context) ([]string, error) {
	if f == nil {
		return nil, errors.New("the store does not answer")
	}
	return f, nil
}

func TestWhatIsSavedOnThePageIsCompiledWithTheFile(t *testing.T) {
	v := watch(t)
	compiled := 0
	v.w = NewWatch(v.w.secret, v.w.log, []string{"house.zone"}, func(f *File) Zone {
		compiled++
		if len(f.Saved) == 0 {
			f.Mistake("rules", "nothing declares its field")
		}
		return Zone(strings.Join(append([]string{string(f.House.Zone)}, f.Saved...), " "))
	})
	save := func(after time.Duration, mappings fixed, failed bool) {
		t.Helper()
		v.now = v.now.Add(after)
		if err := v.w.ReadSaved(t.Context(), mappings, v.now); (err != nil) != failed {
			t.Errorf("ReadSaved: %v", err)
		}
	}
	v.after(0, "", "")
	save(0, nil, true)
	save(0, fixed{"a"}, false)
	v.after(0, " a", "") // without a file
	v.write(utc)
	v.after(time.Minute, "UTC a", "", "hearth.yml read")
	n := compiled
	save(time.Minute, fixed{"a"}, false)
	save(time.Minute, nil, false) // the last ones stay
	save(time.Second, fixed{"b"}, false)
	if v.after(time.Second, "UTC a", ""); compiled != n {
		t.Errorf("compiled %d times without a change", compiled-n)
	}
	save(time.Minute, fixed{"b"}, false)
	v.after(0, "UTC b", "", "hearth.yml read")
	save(time.Minute, fixed{}, false)
	v.after(0, "UTC", "nothing declares", "nothing declares") // as the file names what is gone
	save(time.Minute, fixed{"c"}, false)
	v.after(0, "UTC c", "", "no mistakes any more")
	if err := os.Remove(v.file); err != nil {
		t.Fatal(err)
	}
	v.after(time.Minute, "UTC c", "", "missing")
	save(time.Minute, fixed{"d"}, false)
	v.after(time.Second, "UTC d", "") // with the settings that stay
}

// hung is a store that answers nothing until its caller gives up.
type hung chan struct{}

func (h hung) SavedMappings(ctx context.Context) ([]string, error) {
	h <- struct{}{}
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestOnlyOneCallerWaitsForAStoreThatDoesNotAnswer(t *testing.T) {
	v := watch(t)
	if err := v.w.ReadSaved(t.Context(), fixed{"a"}, v.now); err != nil {
		t.Fatal(err)
	}
	later := v.now.Add(time.Minute)
	ctx, giveUp := context.WithCancel(t.Context())
	asked, first := make(hung, 9), make(chan error)
	go func() { first <- v.w.ReadSaved(ctx, asked, later) }()
	<-asked
	if err := v.w.ReadSaved(ctx, asked, later); err != nil || len(asked) > 0 {
		t.Errorf("the second: %v, and it asked %d times", err, len(asked))
	}
	giveUp()
	if err := <-first; err != nil {
		t.Errorf("those before are not kept: %v", err)
	}
	if err := v.w.ReadSaved(t.Context(), fixed{"b"}, later.Add(savedEvery)); err != nil || len(v.w.known) != 1 || v.w.known[0] != "b" {
		t.Errorf("%v, %q: not read again", err, v.w.known)
	}
}

func TestEachCallerWaitsItsOwnTimeForTheFirstAnswer(t *testing.T) {
	v := watch(t)
	ctx, giveUp := context.WithCancel(t.Context())
	asked, first := make(hung, 9), make(chan error)
	go func() { first <- v.w.ReadSaved(ctx, asked, v.now) }()
	<-asked
	if err := v.w.ReadSaved(t.Context(), fixed{"a"}, v.now); err != nil || len(v.w.known) != 1 {
		t.Errorf("%v, %q: the second waits for the first", err, v.w.known)
	}
	giveUp()
	if err := <-first; err != nil {
		t.Errorf("%v, although they were read meanwhile", err)
	}
}
