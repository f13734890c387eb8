package testserver

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestPostgresKeepsItsDataAcrossAKill(t *testing.T) {
	s, url := OwnPostgres(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	run(t, ctx, url, "create table kept (id int); insert into kept values (7)")
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if c, err := pgx.Connect(ctx, url); err == nil {
		c.Close(ctx)
		t.Fatal("a killed server still answers")
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	run(t, ctx, url, "select 1 / (select count(*) from kept)")
}

func TestEachTestHasAnEmptyDatabase(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	a, b := Postgres(t), Postgres(t)
	run(t, ctx, a, "create table mine (id int)")
	run(t, ctx, b, "create table mine (id int)")
}

func TestInfluxStartsAgainAfterAKill(t *testing.T) {
	s, _, _ := OwnInflux(t)
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := influxQL(t.Context(), s.Addr, "SHOW DATABASES"); err == nil {
		t.Fatal("a killed server still answers")
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, ctx context.Context, url, text string) {
	t.Helper()
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	if _, err := c.Exec(ctx, text); err != nil {
		t.Fatal(err)
	}
}

// On systems where the kernel does not end a server with its test process, watch does.
// The test runs itself as that test process, which kills itself.
func TestWatchEndsAServerAfterItsTestProcess(t *testing.T) {
	if os.Getenv("HEARTH_TEST_WATCH_PID") != "" {
		pid, err := strconv.Atoi(os.Getenv("HEARTH_TEST_WATCH_PID"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := watch(pid, syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	for _, die := range []bool{true, false} {
		server := exec.Command("sleep", "60")
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- server.Wait() }()
		if die {
			process := exec.Command(os.Args[0], "-test.run=^TestWatchEnds")
			process.Env = append(os.Environ(), "HEARTH_TEST_WATCH_PID="+strconv.Itoa(server.Process.Pid))
			if out, err := process.CombinedOutput(); err == nil || len(out) > 0 {
				t.Errorf("the process was not killed: %v %s", err, out)
			}
		} else {
			unwatch, err := watch(server.Process.Pid, syscall.SIGTERM)
			if err != nil {
				t.Fatal(err)
			}
			unwatch()
			server.Process.Kill()
		}
		select {
		case err := <-ended:
			if want := map[bool]string{true: "signal: terminated", false: "signal: killed"}[die]; err == nil || err.Error() != want {
				t.Errorf("the server ended with %v, want %s", err, want)
			}
		case <-time.After(30 * time.Second):
			server.Process.Kill()
			t.Error("the server still runs")
		}
	}
}
