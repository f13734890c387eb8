package bridge

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/secret"
)

// TestWhatNoSpoolTakesIsKeptInPart: it holds up no other, its beginning can be
// looked at, a redelivery is known, and it is not replayed as what it was not.
func TestWhatNoSpoolTakesIsKeptInPart(t *testing.T) {
	b := unstarted(t)
	secrets := t.TempDir()
	if err := os.WriteFile(filepath.Join(secrets, "token"), []byte("ours"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.config.Token = secret.NewFolder(secrets).Get("token")
	acks := 0
	ack := func() { acks++ }
	huge := Message{Topic: "house/camera", Payload: bytes.Repeat([]byte("jpeg"), 17<<18), QoS: 1, Packet: 1}
	b.intake.take(incoming{Message: huge, ack: ack})
	if b.intake.bytes > cutPayload {
		t.Errorf("%d bytes wait, want those that are kept", b.intake.bytes)
	}
	b.intake.take(incoming{Message: Message{Topic: "house/x", Payload: []byte("x"), QoS: 1, Packet: 2}, ack: ack})
	b.intake.take(incoming{Message: huge, dup: true, ack: ack})
	b.intake.writeAll(t.Context(), b.intake.grab(nil))
	if acks != 3 || b.stats.tooLarge.Load() != 1 || b.stats.redelivered.Load() != 1 {
		t.Errorf("%d acknowledged, %d too large, %d known again; want 3, 1 and 1", acks, b.stats.tooLarge.Load(), b.stats.redelivered.Load())
	}
	ds := b.dead.list(Query{})
	if len(ds) != 1 {
		t.Fatalf("%d dead letters, want 1", len(ds))
	}
	d, err := b.dead.read(fileName(ds[0].Function, ds[0].ID))
	if err != nil || d.Topic != huge.Topic || d.Size != len(huge.Payload) || !d.Cut || !bytes.Equal(d.Payload, huge.Payload[:cutPayload]) || !strings.Contains(d.Reason, "8388608") {
		t.Errorf("%v, kept %d of %d bytes of %s, cut: %v, %s", err, len(d.Payload), d.Size, d.Topic, d.Cut, d.Reason)
	}
	before := b.spool.Next()
	res := httptest.NewRecorder()
	req := httptest.NewRequestWithContext(t.Context(), "POST", "/dead/replay?id="+d.ID, nil)
	req.Header.Set("Authorization", "Bearer ours")
	b.Handler().ServeHTTP(res, req)
	if res.Code != http.StatusConflict || !strings.Contains(res.Body.String(), "only the beginning is kept") || b.spool.Next() != before {
		t.Errorf("replayed: %d %s", res.Code, res.Body)
	}
}
