package mqttbatch

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store/sqlite"
)

// TestAReadingThatNoStoreAcceptsIs500: with 503, the connector would send the batch
// again for ever.
func TestAReadingThatNoStoreAcceptsIs500(t *testing.T) {
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hearth.db"))
	if err != nil {
		t.Fatal(err)
	}
	r := reading.Reading{Name: "power", Tags: map[string]string{"device": strings.Repeat("x", 64<<10)}, Fields: map[string]float64{"power_watts": 1}, Time: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	if err := st.Write(t.Context(), []reading.Reading{r}); statusOf(err) != http.StatusInternalServerError {
		t.Errorf("%.200s: status %d, want 500", err, statusOf(err))
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	r.Tags["device"] = "x"
	if err := st.Write(t.Context(), []reading.Reading{r}); statusOf(err) != http.StatusServiceUnavailable {
		t.Errorf("%v: status %d, want 503", err, statusOf(err))
	}
}
