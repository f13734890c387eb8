package bridge

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/connectors/mqtt/deadletter"
	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/testserver"
)

// TestTheBeginningOfATooLargeMessageIsADeadLetter: it can be shown, the messages behind
// it are delivered, and it cannot be replayed: only its beginning is kept.
func TestTheBeginningOfATooLargeMessageIsADeadLetter(t *testing.T) {
	g := mqtttest.NewGateway(t)
	var got mqtttest.Tally
	g.Deploy("f", batched, func(c mqtttest.Call) (int, string) { got.Add(c.Data...); return 200, "" })
	secrets := t.TempDir()
	if err := os.WriteFile(filepath.Join(secrets, "token"), []byte("ours"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := testserver.OwnMosquitto(t, 0)
	b, _ := connect(t, g, server.Addr, t.TempDir(), func(c *Config) { c.Token = secret.NewFolder(secrets).Get("token") })
	p := publisher(t, server.Addr, "house")
	huge := bytes.Repeat([]byte("jpeg"), 17<<18)
	publish(t, p, "house/camera", 1, false, string(huge))
	publish(t, p, "house/x", 1, false, "behind it")
	mqtttest.Until(t, "the message behind it", func() bool { return got.N() == 1 })
	ds := b.letters.List(deadletter.Query{})
	if len(ds) != 1 {
		t.Fatalf("%d dead letters, want 1", len(ds))
	}
	if d := ds[0]; d.Topic != "house/camera" || d.Size != len(huge) || !d.Cut || !strings.Contains(d.Reason, "4194304") {
		t.Errorf("kept of %d bytes of %s, cut: %v, %s", d.Size, d.Topic, d.Cut, d.Reason)
	}
	before := b.spool.Next()
	res := httptest.NewRecorder()
	req := httptest.NewRequestWithContext(t.Context(), "POST", "/dead/replay?id="+ds[0].ID, nil)
	req.Header.Set("Authorization", "Bearer ours")
	b.Handler().ServeHTTP(res, req)
	if res.Code != http.StatusConflict || !strings.Contains(res.Body.String(), "only the beginning is kept") || b.spool.Next() != before {
		t.Errorf("replay: %d %s, want 409", res.Code, res.Body)
	}
}
