package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

// A secret with special characters stands in the settings, so that errors quote it; another
// is a number, as in the log's JSON.
func TestNoSecretIsPrinted(t *testing.T) {
	const secret = `pa/ss w&o<r>d"1`
	p := commandtest.Build(t, "..")
	dir := t.TempDir()
	for name, value := range map[string]string{"mqtt-password": secret, "pin": "1"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(value+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.Env = []string{"SECRETS_DIR=" + dir, "NODE=test", "MQTT_URL=tcp://127.0.0.1:1", "LISTEN=off", "EDGE_CONFIG_DIR=" + dir,
		"SENSOR_0_KIND=mhz19b", "SENSOR_0_DEVICE=air", "SENSOR_0_INTERVAL=1s", "SENSOR_0_PORT=/dev/" + secret, "SPOOL_DIR=" + t.TempDir()}
	hidden := func(what, text string) {
		t.Helper()
		for _, part := range []string{"pa/ss", "w&o", `w\u0026o`, `d"1`, `d\"1`} {
			if strings.Contains(text, part) {
				t.Errorf("%s prints %s of the secret:\n%s", what, part, text)
			}
		}
		if !strings.Contains(text, "[secret]") {
			t.Errorf("%s does not print where the secret was:\n%s", what, text)
		}
	}
	for _, args := range [][]string{{"check"}, {"check", "--soak", "1s"}, {"recalibrate", "--device", secret}, {"recalibrate", "--device", "air"}} {
		code, out, errs := p.Run(t, args...)
		if hidden(strings.Join(args, " "), out+errs); code != command.Failed {
			t.Errorf("%q: %d", args, code)
		}
	}
	hidden("the log", logged(t, p))
	p.Env = append(p.Env, "LISTEN="+secret)
	code, out, errs := p.Run(t)
	if hidden("a run that fails", out+errs); code != command.Failed {
		t.Errorf("a run that fails: %d", code)
	}
}

// logged runs the agent until it has logged that its sensor fails, and returns the log.
func logged(t *testing.T, p commandtest.Program) (log string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := p.Command(ctx)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		log += lines.Text() + "\n"
		if !json.Valid(lines.Bytes()) {
			t.Errorf("a line is no JSON: %s", lines.Text())
		}
		if strings.Contains(lines.Text(), "/dev/") {
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("interrupted: %v", err)
	}
	return log
}
