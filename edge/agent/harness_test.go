package agent

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/sim"
	"github.com/hearth-home/hearth/shared/secret"
)

// testAgent is a running agent.
type testAgent struct {
	*Agent
	stop func() error // stops the agent as SIGTERM does
}

// runAgent runs an agent of the node pi on simulated sensors. settings take precedence
// over the test's defaults.
func runAgent(t testing.TB, settings map[string]string, d Deps) *testAgent {
	t.Helper()
	a := newAgent(t, settings, d)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	stop := sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return &testAgent{a, stop}
}

func newAgent(t testing.TB, settings map[string]string, d Deps) *Agent {
	t.Helper()
	vars := map[string]string{
		"NODE": "pi", "LISTEN": "off", "SIMULATE": "true", "SIMULATE_SPEED": "1", "EDGE_CONFIG_DIR": t.TempDir(),
		"SPOOL_SYNC": "0s", "RESEND_AFTER": "2s",
	}
	maps.Copy(vars, settings)
	if vars["SPOOL_DIR"] == "" {
		vars["SPOOL_DIR"] = filepath.Join(t.TempDir(), "spool")
	}
	c, err := Parse(vars, secret.NewFolder(t.TempDir()), sim.OneOfEach())
	if err != nil {
		t.Fatal(err)
	}
	if d.Log == nil {
		d.Log = slog.New(slog.NewTextHandler(logTo(t), nil))
	}
	if d.Machine == nil && c.Simulate {
		ctx, end := context.WithCancel(context.Background())
		t.Cleanup(end) // ends after the agent
		d.Machine = sim.NewMachine(ctx, sim.NewFast(c.Speed))
	}
	if d.clock.wall != nil {
		c.Simulate = false // a simulated machine would make the agent trust the test's clock
	}
	a, err := New(c, d)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// logTo returns where agents log: nowhere, or stderr with HEARTH_TEST_LOG.
func logTo(testing.TB) io.Writer {
	if os.Getenv("HEARTH_TEST_LOG") != "" {
		return os.Stderr
	}
	return io.Discard
}

// sensors returns the settings of n sensors that are read every interval.
func sensors(n int, interval time.Duration) map[string]string {
	vars := map[string]string{}
	for i := range n {
		p := "SENSOR_" + strconv.Itoa(i) + "_"
		vars[p+"KIND"], vars[p+"DEVICE"] = "host", "host-"+strconv.Itoa(i)
		vars[p+"INTERVAL"], vars[p+"EVERY"], vars[p+"NVIDIA_SMI"] = interval.String(), "0s", ""
	}
	return vars
}

func with(maps ...map[string]string) map[string]string {
	all := map[string]string{}
	for _, m := range maps {
		for k, v := range m {
			all[k] = v
		}
	}
	return all
}

const patience = 3 * time.Minute

// waitFor waits until ok returns true.
func waitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("not within %v: %s", patience, what)
}

// backlog returns how many readings are on disk.
func (r *testAgent) backlog() uint64 {
	_, reader := r.delivery.monitor.disk()
	if reader == nil {
		return 0
	}
	return reader.Lag().Records
}

// simulated returns a machine with simulated sensors.
func simulated(ctx context.Context) *driver.Machine { return sim.NewMachine(ctx, sim.NewFast(1)) }
