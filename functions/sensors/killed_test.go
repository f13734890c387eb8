package function

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/mqttbatch"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/testserver"
	"github.com/hearth-home/hearth/shared/wire"
)

// killsAfterWrite is a time series database that kills the process after a Write.
type killsAfterWrite struct{ store.Series }

func (d killsAfterWrite) Write(ctx context.Context, rs []reading.Reading) error {
	if err := d.Series.Write(ctx, rs); err != nil {
		return err
	}
	return syscall.Kill(os.Getpid(), syscall.SIGKILL)
}

// servers opens the databases that a folder of secrets names.
func servers(t *testing.T, dir string) *store.Store {
	t.Helper()
	secrets := secret.NewFolder(dir)
	st, err := store.Open(t.Context(), store.Config{Database: secrets.Get("database-url"), Influx: store.Influx{
		URL: secrets.Get("influx-url").Reveal(), Org: "home", Bucket: secrets.Get("influx-bucket").Reveal(), Token: secrets.Get("influx-token")}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st
}

// withoutSettings returns the function without hearth.yml and without destinations.
func withoutSettings(t *testing.T) *sensors {
	env := serve.Env{Env: config.Env{Log: slog.New(slog.DiscardHandler), Secrets: secret.NewFolder(t.TempDir())}}
	none := env.Secrets.Get("none")
	return &sensors{fields: newFields(), watch: mapping.NewWatch(none, env.Log), log: env.Log}
}

const killedIn = "HEARTH_TEST_KILLED_IN" // the folder of the process that is killed

// TestAKillBetweenTheDatabasesLosesNothing kills a process after InfluxDB has the
// readings and before PostgreSQL has the states. The connector gets no answer and
// sends the batch again. The next process stores every reading once, counts every kWh
// once and writes the states.
func TestAKillBetweenTheDatabasesLosesNothing(t *testing.T) {
	transform := func(st *store.Store, seqs ...int) (uint64, error) {
		s := withoutSettings(t)
		var ms []wire.Message
		for _, seq := range seqs {
			ms = append(ms, plugReading(1, seq, 10+float64(seq)/2))
		}
		a, err := s.transform(t.Context(), st, mqttbatch.Batch{Messages: ms, Now: noon.Add(time.Hour)})
		return a.Stored["pi1"].Seq, err
	}
	if dir := os.Getenv(killedIn); dir != "" {
		st := servers(t, dir)
		st.Series = killsAfterWrite{st.Series}
		_, err := transform(st, 2, 3)
		t.Fatalf("the process was not killed: %v", err)
	}
	url, bucket := testserver.Influx(t)
	dir := t.TempDir()
	for name, value := range map[string]string{"database-url": testserver.Postgres(t), "influx-token": "any:any", "influx-url": url, "influx-bucket": bucket} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Migrate(t.Context(), secret.NewFolder(dir).Get("database-url")); err != nil {
		t.Fatal(err)
	}
	st := servers(t, dir)
	if seq, err := transform(st, 1); seq != 1 || err != nil {
		t.Fatal(seq, err)
	}
	kill(t, dir)
	value := func() float64 {
		states, err := st.DeviceStates(t.Context(), "plug-1")
		if err != nil || len(states) != 1 {
			t.Fatalf("%+v, %v", states, err)
		}
		return states[0].Value
	}
	stored, err := st.Between(t.Context(), "power", nil, noon, noon.Add(time.Hour))
	if err != nil || len(stored) != 3 || value() != 10.5 {
		t.Fatalf("after the kill: %d readings, the state is %v, %v; want 3, and the state before", len(stored), value(), err)
	}
	for range 2 { // a lost answer has it sent once more
		if seq, err := transform(st, 2, 3); seq != 3 || err != nil {
			t.Errorf("stored up to %d, %v", seq, err)
		}
		if value() != 11.5 {
			t.Errorf("the state is %v", value())
		}
	}
	stored, err = st.Between(t.Context(), "power", nil, noon, noon.Add(time.Hour))
	sum := 0.0
	for _, r := range stored {
		sum += r.Fields["energy_delta_kwh"]
	}
	if err != nil || len(stored) != 3 || sum != 1 {
		t.Errorf("%d readings of %v kWh, %v", len(stored), sum, err)
	}
}

// kill runs this test in a child process, which must end by SIGKILL.
func kill(t *testing.T, dir string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestAKillBetweenTheDatabasesLosesNothing$")
	c.Env = append(os.Environ(), killedIn+"="+dir)
	out, err := c.CombinedOutput()
	if s, ok := c.ProcessState.Sys().(syscall.WaitStatus); !ok || s.Signal() != syscall.SIGKILL {
		t.Fatalf("%v: %s", err, out)
	}
}
