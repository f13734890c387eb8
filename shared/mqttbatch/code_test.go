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

// 503 would make the connector wait for ever, and every other message with it.
func TestAReadingThatNoStoreKeepsIsItsMessagesFault(t *testing.T) {
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hearth.db"))
	if err != nil {
		t.Fatal(err)
	}
	r := reading.Reading{Name: "power", Tags: map[string]string{"device": strings.Repeat("x", 64<<10)}, Fields: map[string]float64{"power_watts": 1}, Time: time.Now()}
	if err := st.Write(t.Context(), []reading.Reading{r}); code(err) != http.StatusInternalServerError {
		t.Errorf("%.200s is answered %d, want 500", err, code(err))
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	r.Tags["device"] = "x"
	if err := st.Write(t.Context(), []reading.Reading{r}); code(err) != http.StatusServiceUnavailable {
		t.Errorf("%v is answered %d, want 503", err, code(err))
	}
}
