package kasa

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/hearth-home/hearth/shared/testserver/tool"
)

const npmFolder = "../../tools/kasasim"

// npmPlugs starts tplink-smarthome-simulator and returns the port of each plug.
// Where that is not installed, the test is skipped, or fails in CI.
func npmPlugs(t *testing.T) map[string]int {
	t.Helper()
	node := tool.Needed(t, "apt-get install npm", "node")
	if _, err := os.Stat(filepath.Join(npmFolder, "node_modules")); err != nil {
		tool.Missing(t, "tplink-smarthome-simulator is not installed: npm ci --prefix tools/kasasim")
	}
	cmd := exec.CommandContext(t.Context(), node, "plugs.js")
	cmd.Dir, cmd.Stderr = npmFolder, os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var ports map[string]int
	if err := json.Unmarshal(line, &ports); err != nil {
		t.Fatal(err)
	}
	return ports
}

func TestAgainstTplinkSmarthomeSimulator(t *testing.T) {
	ports := npmPlugs(t)
	for model, want := range map[string]struct {
		metered bool
		sockets int
	}{"hs100": {false, 0}, "hs110": {true, 0}, "hs110v2": {true, 0}, "hs300": {true, 6}} {
		t.Run(model, func(t *testing.T) {
			d := open(t, Config{Protocol: "legacy", Port: ports[model]})
			for range 3 {
				s, err := d.Read(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				_, power := s.Fields["power_watts"]
				_, last := s.Fields["socket_6_on"]
				if power != want.metered || last != (want.sockets == 6) || s.CheckKeys() != nil || s.Text["model"] == "" {
					t.Errorf("got %+v, %v", s, s.CheckKeys())
				}
			}
		})
	}
}
