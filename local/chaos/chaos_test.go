// Package chaos proves that nothing handed to the platform is lost or doubled,
// and measures how fast it is: Mosquitto, PostgreSQL, InfluxDB, the gateway, the
// connector and the function sensors, each a process of its own, killed and
// restarted while numbered readings come in.
package chaos

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/hearth-home/hearth/local/shrinkwrap"
)

// scratch holds the programs, until the end.
var scratch string

// TestMain works at the root of the repository, where the stack files are.
func TestMain(m *testing.M) {
	code := 1
	err := shrinkwrap.Root()
	if err == nil {
		scratch, err = os.MkdirTemp("", "hearth-chaos-")
	}
	if err == nil {
		code = m.Run()
		err = os.RemoveAll(scratch)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// What make chaos sets higher.
var (
	count  = number("CHAOS_N", 10_000)                      // readings a round
	rounds = number("CHAOS_ROUNDS", 1)                      // of killing everything
	span   = duration("CHAOS_SPAN", 15*time.Second)         // of publishing in a round
	outage = duration("CHAOS_OUTAGE", 8*time.Second)        // of the databases
	soak   = duration("CHAOS_SOAK", 6*time.Second)          // at a house's rate
	pace   = number("CHAOS_SOAK_RATE", 100)                 // messages a second of it
	before = number("CHAOS_SOAK_STORED", 20_000)            // readings stored before it
	seed   = uint64(number("CHAOS_SEED", rand.IntN(1e9)+1)) // of all that is random, printed
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

// patience bounds the wait for anything that must come.
const patience = 3 * time.Minute

// until polls until ok; in vain, it fails with what was waited for.
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
