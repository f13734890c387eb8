package agent

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/secret"
)

func TestEveryMistakeIsNamedAtOnce(t *testing.T) {
	_, err := Parse(map[string]string{
		"NODE": "Pi 4", "EDGE_CONFIG_DIR": t.TempDir(), "SPOOL_MAX_MIB": "0", "KEEP": "soon", "MQTT_CERT_FILE": "/x",
		"SENSOR_0_KIND": "sds011", "SENSOR_1_KIND": "bme280", "SENSOR_1_DEVICE": "air", "SENSOR_1_ADDRESS": "0x99",
	}, secret.NewFolder(t.TempDir()), nil)
	for _, want := range []string{"NODE", "SPOOL_MAX_MIB", `KEEP is "soon": write a duration`, "MQTT_KEY_FILE", "SENSOR_0_PORT", "SENSOR_0_DEVICE", "SENSOR_1_ADDRESS"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not named: %v", want, err)
		}
	}
}

func TestTheEnvironmentTakesPrecedenceOverTheNodesFile(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "pi4.env"), []byte(`
# a comment
MQTT_URL="tcp://broker:1883" # another comment
export SENSOR_0_KIND=bme280
SENSOR_0_DEVICE='kitchen-climate'
SENSOR_0_INTERVAL=30s   # often
`), 0o600)
	c, err := Parse(map[string]string{"NODE": "pi4", "EDGE_CONFIG_DIR": dir, "SENSOR_0_INTERVAL": "20s"}, secret.NewFolder(t.TempDir()), nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.URL != "tcp://broker:1883" || len(c.Sensors) != 1 || c.Sensors[0].Device != "kitchen-climate" || c.Sensors[0].Interval.Seconds() != 20 {
		t.Errorf("got %+v", c)
	}
	os.WriteFile(filepath.Join(dir, "pi4.env"), []byte("NODE: pi4\nx\n"), 0o600)
	if _, err := Parse(map[string]string{"NODE": "pi4", "EDGE_CONFIG_DIR": dir}, nil, nil); err == nil || !strings.Contains(err.Error(), "line 1") || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("err = %v", err)
	}
}

func TestANodeWithoutSensorsReportsItself(t *testing.T) {
	c, err := Parse(map[string]string{"NODE": "pi4", "EDGE_CONFIG_DIR": t.TempDir()}, secret.NewFolder(t.TempDir()), nil)
	if err != nil || len(c.Sensors) != 1 || c.Sensors[0].Kind.Name != "host" || c.Sensors[0].Device != "pi4" {
		t.Errorf("got %+v, %v", c.Sensors, err)
	}
}

func TestMetricsAreServedByDefault(t *testing.T) {
	for _, tt := range []struct {
		vars map[string]string
		want string
	}{{map[string]string{}, ":8082"}, {map[string]string{"LISTEN": ""}, "off"}, {map[string]string{"LISTEN": "off"}, "off"}} {
		c, err := Parse(with(tt.vars, map[string]string{"NODE": "pi", "EDGE_CONFIG_DIR": t.TempDir()}), secret.NewFolder(t.TempDir()), nil)
		if err != nil || c.Listen != tt.want {
			t.Errorf("%v: %q, %v; want %q", tt.vars, c.Listen, err, tt.want)
		}
	}
}

func TestASecretIsInNoError(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "mqtt-password"), []byte("hunter2-hunter2"), 0o600)
	_, err := Parse(map[string]string{"NODE": "hunter2-hunter2 ", "EDGE_CONFIG_DIR": t.TempDir()}, secret.NewFolder(dir), nil)
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("err = %v", err)
	}
}

func TestAMissingCertificateFileIsAnErrorOfNew(t *testing.T) {
	c, err := Parse(map[string]string{"NODE": "pi", "EDGE_CONFIG_DIR": t.TempDir(), "MQTT_CA_FILE": "/nowhere.pem"}, secret.NewFolder(t.TempDir()), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(c, Deps{}); err == nil || !strings.Contains(err.Error(), "MQTT_CA_FILE") {
		t.Errorf("err = %v", err)
	}
}

func TestSIMULATEWithoutSimulatorsNamesTheProgramThatHasThem(t *testing.T) {
	vars := map[string]string{"NODE": "pi", "EDGE_CONFIG_DIR": t.TempDir(), "SIMULATE": "1", "SENSOR_0_KIND": "no such"}
	_, err := Parse(vars, secret.NewFolder(t.TempDir()), nil)
	if err == nil || !strings.Contains(err.Error(), "SIMULATE") || !strings.Contains(err.Error(), "edge/simulated") || strings.Contains(err.Error(), "\n") {
		t.Errorf("err = %v, want one line that names the program", err)
	}
}

func TestAMistypedNameIsNamed(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "pi.env")
	if err := os.WriteFile(file, []byte("MQTT_ULR=tcp://broker\nBACKLOG=5\nSPOOL_MAX_MIB=9\nTZ_OF_MINE=x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Parse(map[string]string{
		"EDGE_CONFIG_DIR": dir, "NODE": "pi", "SPOOL_DIR": dir, "MQTT_USR": "u", "SENSR_0_KIND": "host", "SENSOR0_KIND": "host", "HOME": "/root", "XDG_DATA_DIRS": "/usr/share", "KEPE": "1m",
	}, secret.NewFolder(dir), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		file + ": BACKLOG is no setting", file + ": MQTT_ULR is no setting: did you mean MQTT_URL?", file + ": TZ_OF_MINE is no setting",
		"MQTT_USR is no setting: did you mean MQTT_USER?", "SENSOR0_KIND is no setting: did you mean SENSOR_0_KIND?", "SENSR_0_KIND is no setting: did you mean SENSOR_0_KIND?",
	}
	if !slices.Equal(c.Doubts, want) {
		t.Errorf("%q\nwant %q", c.Doubts, want)
	}
	for name, want := range map[string]string{
		"SENSOR_0_KNID": "SENSOR_0_KNID: there is no such setting: did you mean SENSOR_0_KIND?", "SENSOR_0_DEVCE": "did you mean SENSOR_0_DEVICE?", "SENSOR_0_INTERVALL": "did you mean SENSOR_0_INTERVAL?",
	} {
		vars := map[string]string{"SPOOL_DIR": dir, "NODE": "x", name: "host"}
		if name != "SENSOR_0_KNID" {
			vars["SENSOR_0_KIND"] = "host"
		}
		if _, err := Parse(vars, secret.NewFolder(dir), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	if _, err := Parse(map[string]string{"SPOOL_DIR": dir, "NODE": "x", "SENSOR_0_KIND": "bme208", "SENSOR_0_DEVICE": "a"}, secret.NewFolder(dir), nil); err == nil || !strings.Contains(err.Error(), "did you mean bme280?") {
		t.Error(err)
	}
}
