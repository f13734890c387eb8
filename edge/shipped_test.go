package main

import (
	"os/exec"
	"strings"
	"testing"
)

// simulators is the package that must not be in the program for machines with
// sensors.
const simulators = "github.com/hearth-home/hearth/edge/sim"

func TestTheShippedProgramCarriesNoSimulators(t *testing.T) {
	for program, want := range map[string]bool{".": false, "./simulated": true} {
		out, err := exec.Command("go", "list", "-deps", program).Output()
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains("\n"+string(out), "\n"+simulators+"\n"); got != want {
			t.Errorf("%s carries simulators: %v, want %v", program, got, want)
		}
	}
}
