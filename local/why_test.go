package local

import (
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
)

func TestWhy(t *testing.T) {
	h := tinyInstallation(t)
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	if _, err := h.Why(t.Context(), "office-air", now); err == nil || err.Error() != "no device is known: nothing has run yet" {
		t.Error(err)
	}
	st, err := sqlite.Open(t.Context(), h.databaseFile())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.AdoptDevices(t.Context(), []store.DeviceRequest{{Physical: "edge/office-air", Kind: "edge", Device: "office-air", Name: "Office air"}}, now); err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := h.Why(t.Context(), "office-air", now)
	if got := strings.Join(r.Lines(), "\n"); err != nil || !strings.HasPrefix(got, "Office air (office-air), edge\nIt has never reported a value.\nWhat to do: ") {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := h.Why(t.Context(), "ofice-air", now); err == nil || err.Error() != `no device "ofice-air" is in the register: did you mean "office-air"?` {
		t.Error(err)
	}
}
