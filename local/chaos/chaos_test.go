// Package chaos tests that the platform stores every acknowledged message exactly
// once, and measures how fast it is. Mosquitto, PostgreSQL, InfluxDB, the gateway,
// the connector and the function sensors are processes of their own. They are killed
// and restarted while numbered readings come in.
package chaos

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/hearth-home/hearth/local/shrinkwrap"
)

// scratch is the folder of the compiled programs, removed at the end.
var scratch string

func TestMain(m *testing.M) { os.Exit(shrinkwrap.Main(m, &scratch)) }

// The defaults keep go test short; make chaos sets higher values.
var (
	count  = number("CHAOS_N", 10_000)                      // readings in a round
	rounds = number("CHAOS_ROUNDS", 1)                      // rounds of killing every process
	span   = duration("CHAOS_SPAN", 15*time.Second)         // how long a round publishes
	outage = duration("CHAOS_OUTAGE", 8*time.Second)        // how long the databases are stopped
	soak   = duration("CHAOS_SOAK", 6*time.Second)          // how long the soak test publishes
	pace   = number("CHAOS_SOAK_RATE", 100)                 // messages a second in the soak test
	before = number("CHAOS_SOAK_STORED", 20_000)            // readings stored before the soak test
	seed   = uint64(number("CHAOS_SEED", rand.IntN(1e9)+1)) // of every random choice; printed
)

func number(name string, plain int) int {
	n, err := strconv.Atoi(os.Getenv(name))
	if err != nil || n < 1 {
		return plain
	}
	return n
}

func duration(name string, plain time.Duration) time.Duration {
	d, err := time.ParseDuration(os.Getenv(name))
	if err != nil || d <= 0 {
		return plain
	}
	return d
}

// patience is the longest wait for a condition that must become true.
const patience = 3 * time.Minute

// until polls until ok returns true. After patience the test fails with what it
// waited for.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	if !eventually(ok) {
		t.Fatalf("not within %s: %s", patience, what)
	}
}

func eventually(ok func() bool) bool {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if ok() {
			return true
		}
	}
	return false
}
