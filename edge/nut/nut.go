// Package nut reads an uninterruptible power supply through a server of the
// Network UPS Tools (upsd, TCP 3493).
//
// Protocol: https://networkupstools.org/docs/developer-guide.chunked/net-protocol.html
// (RFC 9271). Variables: https://networkupstools.org/docs/user-manual.chunked/apcs01.html.
//
// Pitfalls:
//   - ups.status is a set of words in any order, such as "OL CHRG" or "OB DISCHRG LB".
//     There may be unknown words, so it is never compared as a whole;
//   - values are quoted, with \" and \\ inside;
//   - DATA-STALE means that the server gets no data from the UPS. Then link_lost is 1, and
//     the last values are not reported;
//   - a short OB with CAL is a self-test.
package nut

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
)

// Config configures a UPS.
type Config struct {
	Host    string        `env:"HOST" envDefault:"127.0.0.1"`
	Port    int           `env:"PORT" envDefault:"3493"`
	UPS     string        `env:"UPS" envDefault:""` // name on the server; empty: its only UPS
	Timeout time.Duration `env:"TIMEOUT" envDefault:"5s"`
}

// Errors that the server reports when it has no values.
var (
	errStale   = errors.New("the server gets no data from the UPS: check its cable")
	errUnknown = errors.New("the server does not know the UPS")
	errDenied  = errors.New("the server denies access")
)

// dev is a UPS on a server.
type dev struct {
	cfg    Config
	counts driver.Counts
}

// newDev returns the UPS. It does no I/O.
func newDev(cfg Config) *dev {
	if cfg.Timeout <= 0 {
		cfg.Timeout = 5 * time.Second
	}
	if cfg.Port == 0 {
		cfg.Port = 3493
	}
	return &dev{cfg: cfg}
}

// Counts returns the driver's counts: a frame is an answer of the server.
func (d *dev) Counts() driver.Counts { return d.counts }

// Read queries the server once, over a new connection.
func (d *dev) Read(ctx context.Context) (driver.Sample, error) {
	ctx, cancel := context.WithTimeout(ctx, d.cfg.Timeout)
	defer cancel()
	addr := net.JoinHostPort(d.cfg.Host, strconv.Itoa(d.cfg.Port))
	vars, err := variables(ctx, addr, d.cfg.UPS)
	if errors.Is(err, errStale) {
		d.counts.Frames++
		return linkLost(), nil
	}
	if err != nil {
		return driver.Sample{}, fmt.Errorf("nut: %s: %w", addr, err)
	}
	d.counts.Frames++
	return sample(vars), nil
}

// numbers maps variables to fields.
var numbers = map[string]string{
	"battery.charge":         "battery_percent",
	"battery.runtime":        "runtime_seconds",
	"battery.voltage":        "battery_voltage_volts",
	"battery.temperature":    "battery_temperature_celsius",
	"input.voltage":          "input_voltage_volts",
	"input.frequency":        "input_frequency_hertz",
	"output.voltage":         "output_voltage_volts",
	"output.current":         "output_current_amperes",
	"ups.load":               "load_percent",
	"ups.realpower":          "power_watts",
	"ups.realpower.nominal":  "nominal_power_watts",
	"ups.temperature":        "temperature_celsius",
	"battery.charge.low":     "low_battery_percent",
	"battery.runtime.low":    "low_runtime_seconds",
	"input.voltage.nominal":  "nominal_input_voltage_volts",
	"output.voltage.nominal": "nominal_output_voltage_volts",
}

// flags maps the words of ups.status to fields of 0 or 1.
var flags = map[string]string{
	"OL": "on_mains", "OB": "on_battery", "LB": "low_battery", "RB": "replace_battery",
	"CHRG": "charging", "DISCHRG": "discharging", "BYPASS": "bypass", "CAL": "calibrating",
	"OFF": "output_off", "OVER": "overload", "TRIM": "trimming", "BOOST": "boosting",
	"FSD": "shutdown", "ALARM": "alarm",
}

// texts maps variables to text fields.
var texts = map[string]string{"ups.status": "status", "ups.test.result": "test_result", "ups.alarm": "alarm"}

// sample makes a sample of a server's variables.
func sample(vars map[string]string) driver.Sample {
	s := driver.New()
	for name, key := range numbers {
		if v, err := strconv.ParseFloat(strings.TrimSpace(vars[name]), 64); err == nil && !math.IsInf(v, 0) && !math.IsNaN(v) {
			s.Fields[key] = v
		}
	}
	for name, key := range texts {
		if v := strings.TrimSpace(vars[name]); v != "" {
			s.Text[key] = v
		}
	}
	power(&s)
	status(&s)
	s.FlagOutOfRange()
	return s
}

// linkLost returns the sample of a UPS of which the server gets no data.
func linkLost() driver.Sample {
	s := driver.New()
	s.Fields["link_lost"], s.Text["status"] = 1, "link lost"
	return s
}

// power estimates the power from the load if the UPS does not measure it.
func power(s *driver.Sample) {
	load, hasLoad := s.Fields["load_percent"]
	nominal, hasNominal := s.Fields["nominal_power_watts"]
	if _, ok := s.Fields["power_watts"]; !ok && hasLoad && hasNominal {
		s.Fields["power_watts"] = math.Round(load*nominal/10) / 10
	}
}

// status sets a flag for each known word of the status.
func status(s *driver.Sample) {
	words := strings.Fields(s.Text["status"])
	if len(words) == 0 {
		s.Flag(driver.Suspect, "the UPS reports no status")
		return
	}
	for _, key := range flags {
		s.Fields[key] = 0
	}
	s.Fields["link_lost"] = 0
	for _, w := range words {
		if key, ok := flags[strings.ToUpper(w)]; ok {
			s.Fields[key] = 1
		}
		if strings.EqualFold(w, "WAIT") {
			s.Flag(driver.WarmingUp, "the server waits for the first data of the UPS")
		}
	}
}
