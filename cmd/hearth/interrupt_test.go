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

// silent is a server that accepts connections and never answers.
type silent struct {
	net.Listener
	called chan struct{} // receives a value for each connection
	closed chan struct{} // ends the connections
}

func startSilent(t *testing.T) *silent {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &silent{l, make(chan struct{}, 100), make(chan struct{})}
	t.Cleanup(s.close)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { <-s.closed; c.Close() }()
			s.called <- struct{}{}
		}
	}()
	return s
}

// close ends every connection and refuses others. It may be called again.
func (s *silent) close() {
	if s.Close() == nil {
		close(s.closed)
	}
}

// stderr keeps what a command writes there. When the command says that calls in flight
// may finish, the server ends them.
type stderr struct {
	text   string
	server *silent
}

func (e *stderr) Write(b []byte) (int, error) {
	if e.text += string(b); strings.Contains(e.text, "calls in flight may finish") {
		e.server.close()
	}
	return len(b), nil
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
			t.Parallel()
			server := startSilent(t)
			address := server.Addr().String()
			p := p
			p.Dir = repository(t)
			if c.env != nil {
				p.Env = append(p.Env, c.env(address)...)
			}
			code, out, errs := interrupted(t, p, server, c.args(address)...)
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
func interrupted(t *testing.T, p commandtest.Program, server *silent, args ...string) (code int, out, errs string) {
	t.Helper()
	cmd := p.Command(t.Context(), args...)
	o, e := &bytes.Buffer{}, &stderr{server: server}
	cmd.Stdout, cmd.Stderr = o, e
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-server.called:
	case <-ended:
		t.Fatalf("it ended without a call: %s%s", o, e.text)
	case <-time.After(30 * time.Second):
		cmd.Process.Kill()
		<-ended
		t.Fatalf("it called nobody: %s%s", o, e.text)
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
	return cmd.ProcessState.ExitCode(), o.String(), e.text
}
