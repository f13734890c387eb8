package bridge

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
	"github.com/hearth-home/hearth/shared/testserver"
	"github.com/hearth-home/hearth/shared/testserver/authority"
)

// TestAGatewayWithAnAuthorityOfOnesOwn: with its authority the functions are listed; with
// another one or none, the log says what to set.
func TestAGatewayWithAnAuthorityOfOnesOwn(t *testing.T) {
	home, stranger := authority.New(t, "home"), authority.New(t, "stranger")
	g := mqtttest.NewGateway(t)
	secure := "https://" + home.Front(t, g.Listener.Addr().String(), nil)
	for _, tc := range []struct{ ca, want string }{
		{home.File, ""},
		{stranger.File, "is not signed by an authority in GATEWAY_CA_FILE"},
		{"", "set GATEWAY_CA_FILE to the authority's certificate"},
	} {
		var log testserver.Output
		c := testConfig(secure, "127.0.0.1:1", t.TempDir())
		c.GatewayCA = tc.ca
		b, err := New(t.Context(), c, Options{Log: slog.New(slog.NewTextHandler(&log, nil)), Now: time.Now, Redact: func(s string, n int) string { return s[:min(len(s), n)] }})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- b.Run(ctx) }()
		mqtttest.Until(t, "the list, or the reason", func() bool {
			return tc.want == "" && b.deliver.Listed() || tc.want != "" && strings.Contains(log.String(), tc.want)
		})
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestAnAuthorityThatDoesNotFitTheGatewayIsRefused(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ gateway, ca, want string }{
		{"http://gateway:8080", text, "GATEWAY_CA_FILE is set, but GATEWAY_URL begins with http://"},
		{"https://gateway", text, "GATEWAY_CA_FILE: " + text + " contains no certificate"},
		{"https://gateway", "nowhere", "GATEWAY_CA_FILE: open nowhere"},
	} {
		c := testConfig(tc.gateway, "127.0.0.1:1", t.TempDir())
		c.GatewayCA = tc.ca
		_, err := New(t.Context(), c, Options{Log: slog.New(slog.DiscardHandler), Now: time.Now, Redact: func(s string, n int) string { return s[:min(len(s), n)] }})
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: %v, want %s", tc, err, tc.want)
		}
	}
}
