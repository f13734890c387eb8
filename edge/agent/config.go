package agent

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/kinds"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/secret"
)

// Config is what the agent reads from the environment.
type Config struct {
	Node string `env:"NODE"` // this machine's name in topics; default: its host name

	URL      string        `env:"MQTT_URL" envDefault:"tcp://127.0.0.1:1883"`      // broker: tcp://, ssl:// or ws://; without a scheme tcp://, without a port 1883, or 8883 for ssl://
	User     string        `env:"MQTT_USER"`                                       // user name, if the broker requires one
	Password secret.String `env:"MQTT_PASSWORD_SECRET" envDefault:"mqtt-password"` // secret with the password
	CAFile   string        `env:"MQTT_CA_FILE"`                                    // PEM file with the broker's certificate authority
	CertFile string        `env:"MQTT_CERT_FILE"`                                  // PEM file with a client certificate
	KeyFile  string        `env:"MQTT_KEY_FILE"`                                   // PEM file with its key

	Dir          string        `env:"SPOOL_DIR" envDefault:"/var/lib/hearth-edge"` // folder of the readings that wait for the broker
	SpoolMiB     int64         `env:"SPOOL_MAX_MIB" envDefault:"256"`              // cap on the spool's size, at most three quarters of its disk; beyond it the oldest readings are dropped and counted
	SpoolRecords int64         `env:"SPOOL_MAX_RECORDS" envDefault:"1000000"`      // cap on the number of readings in the spool
	SpoolSync    time.Duration `env:"SPOOL_SYNC" envDefault:"1s"`                  // a power cut loses at most the readings of this time from disk; 0: none, but then every reading is a write to the card
	Rate         int           `env:"BACKLOG_RATE" envDefault:"200"`               // backlog readings that are sent a second, at most

	Keep       time.Duration `env:"KEEP" envDefault:"10m"`        // how long a published reading waits in memory to be stored
	KeepMiB    int           `env:"KEEP_MIB" envDefault:"8"`      // memory for readings, in MiB
	Resend     time.Duration `env:"RESEND_AFTER" envDefault:"1m"` // how long after the broker's acknowledgement a missing reading is sent again
	Hold       time.Duration `env:"CLOCK_HOLD" envDefault:"10m"`  // how long readings wait for the clock to be set while the broker is connected
	TrustClock bool          `env:"CLOCK_TRUST"`                  // trust the clock without NTP: for machines that keep time some other way

	Listen   string  `env:"LISTEN" envDefault:":8082"`     // address of metrics and health; off or empty: none
	Simulate bool    `env:"SIMULATE"`                      // simulate the configured sensors, or one of each kind; only in edge/simulated
	Speed    float64 `env:"SIMULATE_SPEED" envDefault:"5"` // how much faster than real time the simulated sensors run

	Sensors []driver.Sensor `env:"-"`
	Doubts  []string        `env:"-"` // variables whose names are probably mistyped, each with what was meant
}

// Parse reads the agent's settings from vars and from the node's file in
// EDGE_CONFIG_DIR (default /etc/hearth/edge); vars take precedence. Without any
// SENSOR_ setting the node has one sensor of the kind host, or with SIMULATE those of
// simulated. Where simulated is nil, SIMULATE is refused: the program has no simulated
// sensors. The error lists all mistakes and contains no secret.
func Parse(vars map[string]string, secrets *secret.Folder, simulated map[string]string) (Config, error) {
	environment := vars
	vars, file, err := withFile(vars)
	if err != nil {
		return Config{}, err
	}
	for _, v := range vars {
		secrets.Hide(v)
	}
	c, err := env.ParseAsWithOptions[Config](env.Options{
		Environment: vars,
		FuncMap: map[reflect.Type]env.ParserFunc{
			reflect.TypeFor[secret.String](): func(name string) (any, error) { return secrets.Get(name), nil },
		},
	})
	if c.Simulate && simulated == nil {
		return c, errNoSimulators
	}
	if v, set := vars["LISTEN"]; set && v == "" {
		c.Listen = "off"
	}
	if err != nil {
		err = errors.New(config.Explain(err, reflect.TypeFor[Config](), vars))
	}
	errs := []error{err, c.check()}
	if c.Node == "" {
		c.Node = nodeOf(vars)
	}
	if !kinds.ValidName(c.Node) || c.Node == "canary" || c.Node == "dead" {
		errs = append(errs, fmt.Errorf("NODE: %q is not a valid name: small letters, digits, dot, - and _; canary and dead are reserved", c.Node))
	}
	var serr error
	if c.Sensors, serr = kinds.Parse(withSensors(vars, c.Simulate, simulated), secrets, c.Simulate); serr != nil {
		errs = append(errs, serr)
	}
	for i := range c.Sensors {
		if c.Sensors[i].Device == "" {
			c.Sensors[i].Device = c.Node
		}
	}
	c.Doubts = doubts(environment, file, fileOf(environment))
	if err := errors.Join(errs...); err != nil {
		for _, d := range c.Doubts {
			err = errors.Join(err, errors.New(d))
		}
		return c, errors.New(secrets.Redact(fmt.Sprintf("configuration: %v", err)))
	}
	return c, nil
}

var errNoSimulators = errors.New("SIMULATE: this program carries no simulated sensors; edge/simulated does: go run ./edge/simulated")

func (c Config) check() error {
	var errs []error
	for name, bad := range map[string]bool{
		"SPOOL_MAX_MIB": c.SpoolMiB < 1, "SPOOL_MAX_RECORDS": c.SpoolRecords < 1, "SPOOL_SYNC": c.SpoolSync < 0,
		"BACKLOG_RATE": c.Rate < 1, "KEEP": c.Keep <= 0, "KEEP_MIB": c.KeepMiB < 1, "RESEND_AFTER": c.Resend <= 0,
		"CLOCK_HOLD": c.Hold < 0, "SPOOL_DIR": c.Dir == "", "SIMULATE_SPEED": c.Speed < 1,
	} {
		if bad {
			errs = append(errs, fmt.Errorf("%s is missing or too small", name))
		}
	}
	if (c.CertFile == "") != (c.KeyFile == "") {
		errs = append(errs, errors.New("MQTT_CERT_FILE and MQTT_KEY_FILE go together"))
	}
	return errors.Join(errs...)
}

func nodeOf(vars map[string]string) string {
	if n := vars["NODE"]; n != "" {
		return n
	}
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	name, _, _ = strings.Cut(strings.ToLower(name), ".")
	return name
}

// withSensors returns vars if they set a sensor, and otherwise the settings of the
// default sensors.
func withSensors(vars map[string]string, simulate bool, simulated map[string]string) map[string]string {
	for name := range vars {
		if strings.HasPrefix(name, "SENSOR_") {
			return vars
		}
	}
	if simulate {
		return simulated
	}
	return map[string]string{"SENSOR_0_KIND": "host"}
}

// withFile adds the settings of the node's file to vars, if the file exists. file are the
// file's alone.
func withFile(vars map[string]string) (all, file map[string]string, err error) {
	path := fileOf(vars)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return vars, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("configuration: %w", err)
	}
	if file, err = parseFile(string(text)); err != nil {
		return nil, nil, fmt.Errorf("configuration: %s: %w", path, err)
	}
	all = maps.Clone(file)
	maps.Copy(all, vars)
	return all, file, nil
}

// fileOf returns the path of the node's settings file, which need not exist.
func fileOf(vars map[string]string) string {
	dir := vars["EDGE_CONFIG_DIR"]
	if dir == "" {
		dir = "/etc/hearth/edge"
	}
	return filepath.Join(dir, filepath.Base(nodeOf(vars))+".env")
}

// parseFile reads lines of NAME=value, with optional quotes and "export ", and
// comments after #. The error names every line that is wrong.
func parseFile(text string) (map[string]string, error) {
	vars := map[string]string{}
	var errs []error
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok || name == "" || strings.ContainsAny(name, " \t\"'") {
			errs = append(errs, fmt.Errorf("line %d is not NAME=value", i+1))
			continue
		}
		vars[name] = unquote(value)
	}
	return vars, errors.Join(errs...)
}

func unquote(v string) string {
	if len(v) > 1 && (v[0] == '"' || v[0] == '\'') {
		if end := strings.IndexByte(v[1:], v[0]); end >= 0 {
			return v[1 : 1+end]
		}
	}
	v, _, _ = strings.Cut(v, " #")
	return strings.TrimSpace(v)
}
