package slack

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// outbox returns a store whose outbox has these messages.
func outbox(t *testing.T, ms ...alert.Message) *store.Store {
	t.Helper()
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hearth.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	if err := st.Commit(t.Context(), "test", nil, func(ctx context.Context, tx *store.Tx) error { return tx.Queue(ctx, ms) }); err != nil {
		t.Fatal(err)
	}
	return st
}

// drain lets a function with these settings send what is due at now. It returns the paths
// or channels to which it sent, and its log.
func drain(t *testing.T, st *store.Store, secrets map[string]string, now time.Time) (sent []string, log string) {
	t.Helper()
	s := newServer(t)
	for name, v := range secrets {
		secrets[name] = strings.ReplaceAll(v, "http://slack", s.URL)
	}
	x := sender(t, s, secrets)
	x.pace = 0
	var b bytes.Buffer
	x.Drain(t.Context(), st, time.Minute, func() time.Time { return now }, slog.New(slog.NewTextHandler(&b, nil)))
	for _, m := range s.got {
		sent = append(sent, m["text"]+" to "+strings.TrimPrefix(m["path"], "/services/")+m["channel"])
	}
	return sent, b.String()
}

// TestMessagesThatNobodySendsAreGivenUp: they do not stay for ever, and the log says so.
func TestMessagesThatNobodySendsAreGivenUp(t *testing.T) {
	st := outbox(t, alert.Message{Key: "old", Channel: alert.Products, Created: noon.AddDate(0, 0, -31)}, alert.Message{Key: "young", Channel: alert.Products, Created: noon})
	for i, secrets := range []map[string]string{{}, {}} {
		sent, log := drain(t, st, secrets, noon)
		if len(sent) > 0 || strings.Contains(log, "given up") != (i == 0) || i == 0 && !strings.Contains(log, "messages=1") {
			t.Errorf("sent %v; log %q", sent, log)
		}
	}
	if left, err := st.Due(t.Context(), noon, 10); err != nil || len(left) != 1 || left[0].Key != "young" {
		t.Errorf("left: %v, %v", left, err)
	}
}
