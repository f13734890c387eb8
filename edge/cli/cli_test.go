package cli

import (
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/command"
	"github.com/hearth-home/hearth/shared/command/commandtest"
)

func TestHelp(t *testing.T) { commandtest.Help(t, Program(nil)) }

// The program that carries simulated sensors reads one.
func TestExitCodes(t *testing.T) {
	p := commandtest.Build(t, "../simulated")
	p.Env = []string{"SIMULATE=true", "NODE=test", "MQTT_URL=tcp://127.0.0.1:1", "SENSOR_0_KIND=sds011", "SENSOR_0_DEVICE=air", "SENSOR_0_PORT=/dev/simulated", "SPOOL_DIR=" + t.TempDir(), "EDGE_CONFIG_DIR=" + t.TempDir()}
	for _, c := range []struct {
		code      int
		out, errs string
		args      []string
	}{
		{command.Done, "pm2_5_ugm3", "", []string{"check"}},
		{command.Done, "hearth-edge", "", []string{"version"}},
		{command.Done, "Usage: hearth-edge check [flags]", "", []string{"help", "check"}},
		{command.Misuse, "", `unknown command "chek": did you mean "check"?`, []string{"chek"}},
		{command.Misuse, "", "which device? Add --device NAME", []string{"recalibrate", "-ppm", "425"}},
		{command.Failed, "", `"x"`, []string{"recalibrate", "-device", "x"}}, // one dash, as ever
		{command.Misuse, "", `--soak is "soon": write a time`, []string{"check", "-soak", "soon"}},
		{command.Misuse, "", "--ppm is 5: write a number from 400", []string{"recalibrate", "--device", "x", "--ppm", "5"}},
		{command.Misuse, "", `--ppm is "a": write a whole number`, []string{"recalibrate", "--device", "x", "--ppm", "a"}},
		{command.Misuse, "", "--soak is -1s: write a time above 0", []string{"check", "--soak", "-1s"}},
		{command.Misuse, "", "--soak is 0s: write a time above 0", []string{"check", "--soak", "0"}},
	} {
		code, out, errs := p.Run(t, c.args...)
		if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(errs, c.errs) || (c.errs == "") != (errs == "") {
			t.Errorf("%q: %d\n%s%s\nwant %d %s%s", c.args, code, out, errs, c.code, c.out, c.errs)
		}
	}
	p.Env = []string{"SENSOR_0_KIND=sds"}
	if code, _, errs := p.Run(t); code != command.Failed || !strings.Contains(errs, "hearth-edge: ") {
		t.Errorf("with wrong settings: %d %s", code, errs)
	}
	p.Env = []string{"SENSOR_0_KIND=host", "SENSOR_0_DEVICE=pi", "NODE=test", "LISTEN=off", "MQTT_URL=foo://x", "SPOOL_DIR=" + t.TempDir(), "EDGE_CONFIG_DIR=" + t.TempDir()}
	if code, _, errs := p.Run(t); code != command.Failed || !strings.Contains(errs, "MQTT_URL: its scheme is none of tcp, mqtt") {
		t.Errorf("with a broker that cannot be called: %d %s", code, errs)
	}
	commandtest.Completion(t, p, "rec", "recalibrate")
}
