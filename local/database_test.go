package local

import (
	"bytes"
	"database/sql"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"testing"
)

// Commands that only read, which the shell's tab key calls too, create no database.
func TestReadingTheDatabaseCreatesNone(t *testing.T) {
	h := tinyInstallation(t)
	if all, err := h.Functions(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
	if err := h.Forget(t.Context(), "weather"); err == nil || err.Error() != `no function "weather" is known: none has run yet` {
		t.Error(err)
	}
	if a, err := h.RunOnce(t.Context(), "weather", true); err != nil || len(a.Readings) != 1 {
		t.Errorf("a dry run: %+v, %v", a, err)
	}
	http.DefaultClient.CloseIdleConnections()
	if _, err := os.Stat(h.dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("they made the state folder: %v", err)
	}
}

// The migration of an old database may take minutes, and an older hearth up may be using it.
func TestReadingTheDatabaseMigratesNone(t *testing.T) {
	h := tinyInstallation(t)
	if _, err := h.RunOnce(t.Context(), "weather", false); err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	if all, err := h.Functions(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("%+v, %v", all, err)
	}
	db, err := sql.Open("sqlite", h.databaseFile())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), `delete from schema_version where version = (select max(version) from schema_version)`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil { // this writes the log to the file
		t.Fatal(err)
	}
	before, err := os.ReadFile(h.databaseFile())
	if err != nil {
		t.Fatal(err)
	}
	const want = "is of an older version of hearth: the next start of hearth up migrates it"
	if _, err := h.Functions(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("functions: %v", err)
	}
	if err := h.Forget(t.Context(), "weather"); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("forget: %v", err)
	}
	if _, err := h.RunOnce(t.Context(), "weather", true); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a dry run: %v", err)
	}
	if after, err := os.ReadFile(h.databaseFile()); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file has changed, %v", err)
	}
}

// A database server that is down is reported, also where its socket is a missing file.
func TestAMissingSocketOfADatabaseIsAnError(t *testing.T) {
	h := tinyInstallation(t, "DATABASE_URL=postgres:///home?host="+t.TempDir(), "INFLUX_URL=http://127.0.0.1:1", "INFLUX_TOKEN=0123456789")
	if all, err := h.Functions(t.Context()); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("functions: %+v, %v", all, err)
	}
	if err := h.Forget(t.Context(), "weather"); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("forget: %v", err)
	}
	if a, err := h.RunOnce(t.Context(), "weather", true); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("a dry run: %+v, %v", a, err)
	}
}
