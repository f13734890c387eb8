package bridge

import (
	"log/slog"
	"strings"
	"testing"
	"time"
)

// TestNewRefuses an invalid configuration. The error does not quote a password.
func TestNewRefuses(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"SPOOL_SYNC":                    func(c *Config) { c.SpoolSync = -time.Second },
		"secrets basic-auth":            func(c *Config) { c.Gateway = "http://admin:hunter2@gateway:8080" },
		"GATEWAY_URL is not an address": func(c *Config) { c.Gateway = "http://admin:hunter2%@gateway:8080" },
		"secret mqtt-password":          func(c *Config) { c.URL = "tcp://me:hunter2@broker:1883" },
		"MQTT_URL must not contain":     func(c *Config) { c.URL = "me:hunter2@broker:1883" },
	} {
		c := Config{URL: "tcp://127.0.0.1:1", ClientID: "c", Gateway: "http://127.0.0.1:1", Dir: t.TempDir(), SpoolMiB: 64, SpoolPolicy: "refuse", DeadMax: 1, DeadMiB: 1}
		change(&c)
		_, err := New(t.Context(), c, Options{Log: slog.New(slog.DiscardHandler), Now: time.Now, Redact: func(s string, n int) string { return s[:min(len(s), n)] }})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v, want an error with %q", err, want)
		}
	}
}
