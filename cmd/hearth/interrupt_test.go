package main

import (
	"bytes"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/command"
	"github.com/hearth-home/hearth/shared/command/commandtest"
)

// silent returns the address of a server that accepts connections and never answers, and a
// channel that receives a value for each connection.
func silent(t *testing.T) (address string, called <-chan struct{}) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan struct{}, 100)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
			accepted <- struct{}{}
		}
	}()
	return l.Addr().String(), accepted
}

// TestAnInterruptIsToldAsAStop interrupts each command that waits for another program.
func TestAnInterruptIsToldAsAStop(t *testing.T) {
	p := commandtest.Build(t, ".")
	for name, c := range map[string]struct {
		env  func(address string) []string
		args func(address string) []string
	}{
		"backfill": {args: func(a string) []string {
			return []string{"backfill", "treasuries", "--from", "2024-01-01", "--gateway", "http://" + a}
		}},
		"device":         {env: func(a string) []string { return []string{"MQTT_URL=tcp://" + a} }, args: func(string) []string { return []string{"device", "home/#"} }},
		"dead list":      {args: func(a string) []string { return []string{"dead", "list", "--at", "http://" + a} }},
		"dead replay":    {args: func(a string) []string { return []string{"dead", "replay", "--all", "--at", "http://" + a} }},
		"run":            {env: liveWeather, args: func(string) []string { return []string{"run", "weather", "--json"} }},
		"migrate":        {env: database, args: func(string) []string { return []string{"migrate"} }},
		"functions list": {env: database, args: func(string) []string { return []string{"functions", "list"} }},
		"up":             {env: database, args: func(string) []string { return []string{"up"} }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // run waits for its call in flight
			address, called := silent(t)
			p := p
			p.Dir = repository(t)
			if c.env != nil {
				p.Env = append(p.Env, c.env(address)...)
			}
			code, out, errs := interrupted(t, p, called, c.args(address)...)
			if lines := strings.Split(strings.TrimSpace(errs), "\n"); code != command.Failed || lines[len(lines)-1] != "hearth: stopped" {
				t.Errorf("%d\n%s%s\nwant hearth: stopped", code, out, errs)
			}
			for _, outage := range []string{"running?", "does not answer", "no answer", "canceled"} {
				if strings.Contains(out+errs, outage) {
					t.Errorf("it tells of an outage (%s):\n%s%s", outage, out, errs)
				}
			}
		})
	}
}

func liveWeather(address string) []string {
	return []string{"OPENWEATHER_URL=http://" + address, "OPENWEATHER_KEY=0123456789", "WEATHER_PLACES=home:47.6,8.5"}
}

func database(address string) []string {
	return []string{"DATABASE_URL=postgres://hearth:password@" + address + "/home?sslmode=disable", "INFLUX_URL=http://" + address, "INFLUX_TOKEN=0123456789", "PORT=0", "EDGE=off"}
}

// interrupted runs a command, interrupts it once it has called the server, and returns its
// exit code and what it wrote.
func interrupted(t *testing.T, p commandtest.Program, called <-chan struct{}, args ...string) (code int, out, errs string) {
	t.Helper()
	cmd := p.Command(t.Context(), args...)
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-called:
	case <-ended:
		t.Fatalf("it ended without a call: %s%s", &o, &e)
	case <-time.After(30 * time.Second):
		cmd.Process.Kill()
		<-ended
		t.Fatalf("it called nobody: %s%s", &o, &e)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		cmd.Process.Kill()
		<-ended
		t.Errorf("it did not end within 30 s of the interrupt")
	}
	return cmd.ProcessState.ExitCode(), o.String(), e.String()
}
