package mapping

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
)

func TestApplyAppliesEachChangeOnce(t *testing.T) {
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hearth.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "hearth-settings")
	w := NewWatch(secret.NewFolder(dir).Get("hearth-settings"), slog.New(slog.DiscardHandler))
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	r := &device.Register{Function: "sensors"}
	room := func() string {
		t.Helper()
		ds, err := st.Devices(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(ds) == 0 {
			return "no device"
		}
		return ds[0].Room
	}
	for _, tc := range []struct{ yml, moved, want string }{ // the file, and a room that another process sets before it is applied
		{"", "", "no device"},
		{"", "Attic", "Attic"}, // without a file nothing is applied
		{"devices: [{device: a, nmae: x}]", "", "Attic"},
		{"devices: [{device: a, room: Den}]", "", "Den"},
		{"devices: [{device: a, room: Den}]", "Attic", "Attic"}, // the file did not change
		{"devices: [{device: a, room: Hall}]", "", "Hall"},
	} {
		now = now.Add(time.Minute)
		if tc.yml != "" {
			if err := errors.Join(os.WriteFile(file, []byte(tc.yml), 0o600), os.Chtimes(file, now, now.Add(-time.Minute))); err != nil {
				t.Fatal(err)
			}
		}
		if tc.moved != "" {
			if err := st.ConfigureDevices(t.Context(), []store.DeviceSetting{{Device: "a", Kind: "mapped", Room: tc.moved}}, now); err != nil {
				t.Fatal(err)
			}
		}
		set, err := w.Set(now)
		if unread := errors.Is(err, settings.ErrUnread); unread != strings.Contains(tc.yml, "nmae") {
			t.Errorf("%s: %v", tc.yml, err)
		}
		u, err := r.Update(t.Context(), st, now)
		if err != nil {
			t.Fatal(err)
		}
		err = w.Apply(t.Context(), set, u)
		u.Done(err)
		if u.Stored(err); err != nil || room() != tc.want {
			t.Errorf("%s: %q, %v, want %q", tc.yml, room(), err, tc.want)
		}
	}
}
