package nut

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/sim"
)

// setUp returns a UPS on a simulated server, and that server.
func setUp(t *testing.T, cfg Config) (*dev, *sim.NUT) {
	t.Helper()
	server := sim.NewNUT("rack", 1, sim.NewFast(10))
	ctx, cancel := context.WithCancel(t.Context())
	addr, done, err := server.Serve(ctx, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); <-done })
	cfg.Host, cfg.Port = hostPort(t, addr)
	return newDev(cfg), server
}

func hostPort(t *testing.T, addr string) (string, int) {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return host, n
}

func TestReadARecordedList(t *testing.T) {
	tape, err := os.Open("testdata/list-var.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer tape.Close()
	vars, err := client{io.Discard, bufio.NewReader(tape)}.variables("")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := vars["ups.mfr"], `A "quoted" name with a \ in it`; got != want {
		t.Errorf("ups.mfr is %q, want %q", got, want)
	}
	s := sample(vars)
	for key, want := range map[string]float64{
		"battery_percent": 87, "runtime_seconds": 1830, "input_voltage_volts": 42.7, "load_percent": 21,
		"nominal_power_watts": 600, "power_watts": 126, "on_mains": 1, "charging": 1, "on_battery": 0,
	} {
		if got, ok := s.Fields[key]; !ok || got != want {
			t.Errorf("%s is %v (%v), want %v", key, got, ok, want)
		}
	}
	if s.Quality != driver.OK || s.Text["status"] != "OL CHRG" || s.CheckKeys() != nil {
		t.Errorf("got %+v, %v", s, s.CheckKeys())
	}
	if _, ok := s.Fields["temperature_celsius"]; ok {
		t.Error(`"N/A" became a number`)
	}
}

func TestStatusIsASet(t *testing.T) {
	for status, want := range map[string][]string{
		"OL":              {"on_mains"},
		"OL CHRG":         {"on_mains", "charging"},
		"CHRG OL":         {"on_mains", "charging"},
		"OB DISCHRG LB":   {"on_battery", "discharging", "low_battery"},
		"OB LB FSD NEW":   {"on_battery", "low_battery", "shutdown"},
		"ALARM OL RB":     {"on_mains", "alarm", "replace_battery"},
		"OL OVER BOOST":   {"on_mains", "overload", "boosting"},
		"CAL OL TRIM HB":  {"on_mains", "calibrating", "trimming"},
		"BYPASS OFF":      {"bypass", "output_off"},
		"  ol   dischrg ": {"on_mains", "discharging"},
	} {
		s := sample(map[string]string{"ups.status": status})
		on := map[string]bool{}
		for _, key := range want {
			on[key] = true
		}
		for _, key := range flags {
			if (s.Fields[key] == 1) != on[key] {
				t.Errorf("%q: %s is %v", status, key, s.Fields[key])
			}
		}
		if s.Quality != driver.OK {
			t.Errorf("%q: %+v", status, s)
		}
	}
	if s := sample(nil); s.Quality != driver.Suspect {
		t.Errorf("without a status: %+v", s)
	}
	if s := sample(map[string]string{"ups.status": "WAIT"}); s.Quality != driver.WarmingUp {
		t.Errorf("waiting: %+v", s)
	}
}

func TestImpossibleNumbersAreFlaggedAndKept(t *testing.T) {
	s := sample(map[string]string{"ups.status": "OL", "battery.charge": "255", "ups.load": "NaN"})
	if _, ok := s.Fields["load_percent"]; ok || s.Quality != driver.Suspect || s.Fields["battery_percent"] != 255 {
		t.Errorf("got %+v", s)
	}
}

func TestReadFromTheSimulatedServer(t *testing.T) {
	for _, ups := range []string{"", "rack"} {
		d, server := setUp(t, Config{UPS: ups})
		if s, err := d.Read(t.Context()); err != nil || s.Fields["on_battery"] != 0 || s.Fields["power_watts"] < 100 {
			t.Errorf("got %+v, %v", s, err)
		}
		server.SetStatus("OB DISCHRG LB")
		if s, err := d.Read(t.Context()); err != nil || s.Fields["on_battery"] != 1 || s.Fields["low_battery"] != 1 {
			t.Errorf("on battery: %+v, %v", s, err)
		}
	}
}

func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		name  string
		cfg   Config
		fault sim.Fault
		is    error
		text  string
	}{
		{"slow", Config{}, sim.Slow, nil, ""},
		{"another name", Config{UPS: "cellar"}, 0, errUnknown, "does not know"},
		{"a cut answer", Config{}, sim.Torn, io.ErrUnexpectedEOF, ""},
		{"a closed connection", Config{}, sim.Unplugged, nil, "list UPS"},
		{"foreign bytes", Config{UPS: "rack"}, sim.Noise, nil, "a quote is not closed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, server := setUp(t, tt.cfg)
			server.Set(tt.fault)
			s, err := d.Read(t.Context())
			if tt.is == nil && tt.text == "" {
				if err != nil {
					t.Errorf("got %+v, %v", s, err)
				}
				return
			}
			if err == nil || tt.is != nil && !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %+v, %v; want %v, %q", s, err, tt.is, tt.text)
			}
		})
	}
}

// TestALostLinkIsAReading, so that it is known at once, without the last values.
func TestALostLinkIsAReading(t *testing.T) {
	for name, fault := range map[string]sim.Fault{"stale data": sim.NACK, "driver not connected": sim.WarmUp} {
		d, server := setUp(t, Config{})
		server.Set(fault)
		s, err := d.Read(t.Context())
		if err != nil || len(s.Fields) != 1 || s.Fields["link_lost"] != 1 || s.Text["status"] != "link lost" {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
		server.Clear(fault)
		if s, err = d.Read(t.Context()); err != nil || s.Fields["link_lost"] != 0 || s.Fields["on_mains"] != 1 {
			t.Errorf("after %s: %+v, %v", name, s, err)
		}
	}
}

func TestAServerThatSaysNothingTimesOut(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	host, port := hostPort(t, l.Addr().String())
	_, err = newDev(Config{Host: host, Port: port, Timeout: 50 * time.Millisecond}).Read(t.Context())
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v, want a deadline", err)
	}
	l.Close()
	if _, err := newDev(Config{Host: host, Port: port}).Read(t.Context()); err == nil || !strings.Contains(err.Error(), "LISTEN") {
		t.Errorf("err = %v, want one that says what to check", err)
	}
}

func TestAnEndlessAnswerIsCut(t *testing.T) {
	in := "BEGIN LIST VAR rack\n" + strings.Repeat("VAR rack a \"b\"\n", maxAnswer/10)
	c := client{io.Discard, bufio.NewReader(io.LimitReader(strings.NewReader(in), maxAnswer))}
	if _, err := c.variables("rack"); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("err = %v", err)
	}
}

// FuzzVariables: no answer crashes the client.
func FuzzVariables(f *testing.F) {
	f.Add("BEGIN LIST VAR rack\nVAR rack ups.status \"OL CHRG\"\nEND LIST VAR rack\n")
	f.Add("ERR DATA-STALE\n")
	f.Add("BEGIN LIST VAR rack\nVAR rack\nEND LIST VAR rack\n")
	f.Fuzz(func(t *testing.T, answer string) {
		if vars, err := (client{io.Discard, bufio.NewReader(strings.NewReader(answer))}).variables("rack"); err == nil {
			sample(vars)
		}
	})
}

// FuzzQuote: what is quoted is read back.
func FuzzQuote(f *testing.F) {
	f.Add(`a "b" \c`)
	f.Add("")
	f.Fuzz(func(t *testing.T, word string) {
		if strings.ContainsAny(word, "\r\n") {
			return
		}
		got, err := split("x " + quote(word) + " y")
		if err != nil || len(got) != 3 || got[1] != word {
			t.Errorf("%q came back as %q, %v", word, got, err)
		}
	})
}
