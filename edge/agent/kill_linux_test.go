package agent

import (
	"context"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/hearth-home/hearth/edge/sim"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/testserver"
)

// childVar holds a child as JSON. With it the test program runs as an agent.
const childVar = "HEARTH_TEST_EDGE_AGENT"

// child configures an agent process.
type child struct {
	Settings map[string]string
	Set      bool // the clock is set
	Kernel   string
}

func TestMain(m *testing.M) {
	if text := os.Getenv(childVar); text != "" {
		runChild(text)
		return
	}
	os.Exit(m.Run())
}

func runChild(text string) {
	var c child
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		panic(err)
	}
	cfg, err := Parse(c.Settings, secret.NewFolder(os.TempDir()), sim.OneOfEach())
	if err != nil {
		panic(err)
	}
	cfg.Simulate = false // a simulated machine would make the agent trust the clock
	clock := clock{wall: time.Now, mono: sinceBoot, kernel: c.Kernel, synced: func() bool { return c.Set }}
	if !c.Set {
		clock.wall = func() time.Time { return time.Now().AddDate(-56, 0, 0) }
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	a, err := New(cfg, Deps{clock: clock, Log: slog.New(slog.NewTextHandler(os.Stdout, nil)), Machine: simulated(ctx)})
	if err != nil {
		panic(err)
	}
	if err := a.Run(ctx); err != nil {
		panic(err)
	}
}

// begin starts an agent process, which is killed when the test ends.
func begin(t *testing.T, c child) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"="+string(text))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stdout, cmd.Stderr = logTo(t), logTo(t)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd
}

// The agent is killed at random moments, with and without a broker, before and after the
// clock is set. The readings of each run arrive up to the last one that was kept. None in
// between is missing, and none is stored twice.
func TestKillsLeaveNoGaps(t *testing.T) {
	m := testserver.OwnMosquitto(t, 0)
	s := startStore(t, m.Addr, true)
	settings := with(sensors(4, 5*time.Millisecond), map[string]string{
		"NODE": "pi", "LISTEN": "off", "EDGE_CONFIG_DIR": t.TempDir(), "SIMULATE": "true",
		"MQTT_URL": "tcp://" + m.Addr, "SPOOL_DIR": t.TempDir(), "SPOOL_SYNC": "0s", "RESEND_AFTER": "2s", "BACKLOG_RATE": "3000",
	})
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	const rounds = 5
	up := true
	for round := range rounds {
		if want := rng.IntN(5) < 2; want != up {
			toggle(t, m, want)
			up = want
		}
		cmd := begin(t, child{settings, round > rounds/2, "k1"})
		life := 300*time.Millisecond + time.Duration(rng.Int64N(int64(2500*time.Millisecond)))
		if rng.IntN(3) == 0 { // the broker starts or stops in between
			time.Sleep(life / 2)
			toggle(t, m, !up)
			up = !up
			life /= 2
		}
		time.Sleep(life)
		cmd.Process.Kill()
		cmd.Wait()
	}
	if !up {
		toggle(t, m, true)
	}
	before := s.count()
	last := begin(t, child{settings, true, "k1"})
	waitFor(t, "readings of the last run and of the backlog", func() bool { return s.count() > before+200 })
	if err := last.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	// The readings may be of earlier runs. Then SIGTERM may come before the agent handles it.
	if err := last.Wait(); err != nil && err.Error() != "signal: terminated" {
		t.Errorf("the last run: %v", err)
	}
	end := runAgent(t, with(settings, map[string]string{"SENSOR_0_INTERVAL": "50ms", "SENSOR_1_INTERVAL": "1h", "SENSOR_2_INTERVAL": "1h", "SENSOR_3_INTERVAL": "1h"}),
		Deps{clock: clock{wall: time.Now, mono: sinceBoot, kernel: "k1", synced: func() bool { return true }}, Machine: simulated(t.Context())})
	waitFor(t, "delivery of the rest", func() bool { return end.delivery.monitor.snapshot().connected && end.backlog() == 0 })
	if err := end.stop(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d readings of %d runs", s.count(), len(s.storedUpTo))
	s.complete()
	s.times()
	for _, r := range s.ordered() {
		if at, err := time.Parse(time.RFC3339Nano, r.Time); err != nil || time.Since(at) > 5*time.Minute {
			t.Fatalf("got %+v", r)
		}
	}
}

func toggle(t *testing.T, m *testserver.Server, up bool) {
	t.Helper()
	do := m.Stop
	if up {
		do = m.Start
	}
	if err := do(); err != nil {
		t.Fatal(err)
	}
}

func TestTheLastWillSaysOfflineWhenTheAgentIsKilled(t *testing.T) {
	m := testserver.OwnMosquitto(t, 0)
	s := startStore(t, m.Addr, true)
	cmd := begin(t, child{with(sensors(1, 50*time.Millisecond), map[string]string{
		"NODE": "pi", "LISTEN": "off", "EDGE_CONFIG_DIR": t.TempDir(), "SIMULATE": "true", "MQTT_URL": "tcp://" + m.Addr, "SPOOL_DIR": t.TempDir(),
	}), true, "k1"})
	waitFor(t, "status online", func() bool { return s.lastStatus().State == "online" })
	cmd.Process.Kill()
	cmd.Wait()
	waitFor(t, "status offline", func() bool { return s.lastStatus().State == "offline" })
}
