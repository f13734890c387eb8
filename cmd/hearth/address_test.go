package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/command"
	"github.com/hearth-home/hearth/shared/command/commandtest"
)

// wrongAddresses runs commands while PORT, MQTT_PORT and MQTT_URL are wrong: only those that
// need one fail.
func wrongAddresses(t *testing.T, p commandtest.Program) {
	p.Dir = repository(t, "shared", "connectors", "edge")
	p.Env = append(slices.Clone(p.Env), "PORT=many", "MQTT_PORT=many", "MQTT_URL=foo://x")
	write(t, filepath.Join(p.Dir, "hearth.yml"), "house: {zone: UTC}\n")
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{command.Done, "hearth.yml is right", []string{"settings", "check"}},
		{command.Done, "no function has run yet", []string{"functions", "list"}},
		{command.Done, "treasuries\n", []string{"__complete", "backfill", ""}},
		{command.Partly, "docs/configuration.md", []string{"docs", "--check"}},
		{command.Failed, "no answer from the gateway http://127.0.0.1:1", []string{"backfill", "treasuries", "--from", "2024-01-01", "--gateway", "http://127.0.0.1:1"}},
		{command.Failed, "the connector does not answer", []string{"dead", "list", "--at", "http://127.0.0.1:1"}},
		{command.Failed, `PORT is "many"`, []string{"backfill", "treasuries", "--from", "2024-01-01"}},
		{command.Failed, `PORT is "many"`, []string{"dead", "list"}},
		{command.Failed, `PORT is "many"`, []string{"up"}},
		{command.Failed, `PORT is "many"`, []string{"gateway", "weather=http://127.0.0.1:1"}},
		{command.Failed, "MQTT_URL: its scheme is none of", []string{"device", "a"}},
	} {
		if code, out, errs := p.Run(t, c.args...); code != c.code || !strings.Contains(out+errs, c.says) {
			t.Errorf("%q: %d\n%s%s\nwant %d %s", c.args, code, out, errs, c.code, c.says)
		}
	}
}
