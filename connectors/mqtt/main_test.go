package main

import (
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/command"
	"github.com/hearth-home/hearth/shared/command/commandtest"
)

func TestHelp(t *testing.T) { commandtest.Help(t, program()) }

func TestExitCodes(t *testing.T) {
	p := commandtest.Build(t, ".")
	p.Env = []string{"LISTEN=127.0.0.1:1", "secret_mount_path=" + t.TempDir()}
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{command.Done, "mqtt ", []string{"version"}},
		{command.Done, "Usage: mqtt dead COMMAND", []string{"dead", "--help"}},
		{command.Failed, "the connector does not answer, is it running?", []string{"dead", "list"}},
		{command.Failed, "the connector does not answer, is it running?", []string{"dead", "drop", "-reason", "no mapping"}},
		{command.Misuse, `unknown command "daed": did you mean "dead"?`, []string{"daed"}},
		{command.Misuse, `unknown command "lits": did you mean "list"?`, []string{"dead", "lits"}},
		{command.Misuse, "show needs ID", []string{"dead", "show"}},
	} {
		code, out, errs := p.Run(t, c.args...)
		if code != c.code || !strings.Contains(out+errs, c.says) || (code == command.Done) != (errs == "") {
			t.Errorf("%q: %d\n%s%s\nwant %d %s", c.args, code, out, errs, c.code, c.says)
		}
	}
	p.Env = append(p.Env, "REBUILD_INTERVAL=soon")
	if code, _, errs := p.Run(t); code != command.Failed || !strings.HasPrefix(errs, "mqtt: ") {
		t.Errorf("with wrong settings: %d %s", code, errs)
	}
	p.Env = append(p.Env, "REBUILD_INTERVAL=1s", "MQTT_URL=foo://x", "DATA_DIR="+t.TempDir())
	if code, _, errs := p.Run(t); code != command.Failed || !strings.Contains(errs, "MQTT_URL: its scheme is none of tcp, mqtt") {
		t.Errorf("with a broker of an unknown scheme: %d %s", code, errs)
	}
	commandtest.Completion(t, p, "de", "dead")
}
