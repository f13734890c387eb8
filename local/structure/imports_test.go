// Package structure holds the rules of the house that a compiler does not: who
// may import whom (design: "The house").
package structure

import (
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/hearth-home/hearth/"

// A connector stands beside any OpenFaaS, and an edge agent on a small Pi:
// neither has a database.
func TestTheConnectorAndTheEdgeLinkNoDatabase(t *testing.T) {
	for _, program := range []string{"./connectors/mqtt", "./edge"} {
		for _, dep := range list(t, "-deps", program) {
			for _, bad := range []string{module + "shared/store", "github.com/jackc/pgx", "github.com/influxdata/influxdb-client-go", "modernc.org/sqlite"} {
				if dep == bad || strings.HasPrefix(dep, bad+"/") {
					t.Errorf("%s links %s", program, dep)
				}
			}
		}
	}
}

// list returns the lines of go list, run at the module's root.
func list(t *testing.T, args ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return strings.Fields(string(out))
}
