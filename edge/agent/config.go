package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/kinds"
	"github.com/hearth-home/hearth/shared/secret"
)

// Config is what the agent reads from the environment.
type Config struct {
	Node string `env:"NODE"` // this machine's name in topics; its host name unless told

	URL      string        `env:"MQTT_URL" envDefault:"tcp://127.0.0.1:1883"`      // broker: tcp://, ssl:// or ws://
	User     string        `env:"MQTT_USER"`                                       // user, if the broker wants one
	Password secret.String `env:"MQTT_PASSWORD_SECRET" envDefault:"mqtt-password"` // secret with the password
	CAFile   string        `env:"MQTT_CA_FILE"`                                    // PEM file with the broker's certificate authority
	CertFile string        `env:"MQTT_CERT_FILE"`                                  // PEM file with a client certificate
	KeyFile  string        `env:"MQTT_KEY_FILE"`                                   // PEM file with its key

	Dir          string        `env:"SPOOL_DIR" envDefault:"/var/lib/hearth-edge"` // where readings wait while the broker is away
	SpoolMiB     int64         `env:"SPOOL_MAX_MIB" envDefault:"256"`              // cap: beyond it the oldest go, counted
	SpoolRecords int64         `env:"SPOOL_MAX_RECORDS" envDefault:"1000000"`      // cap on their number
	SpoolSync    time.Duration `env:"SPOOL_SYNC" envDefault:"1s"`                  // how much of the readings on disk a power cut may take; 0: nothing, but every reading is a write to the card
	Rate         int           `env:"BACKLOG_RATE" envDefault:"200"`               // readings a second of the backlog that are sent

	Keep     time.Duration `env:"KEEP" envDefault:"10m"`        // how long a published reading is kept in memory until it is stored
	KeepMiB  int           `env:"KEEP_MIB" envDefault:"8"`      // and how much
	Resend   time.Duration `env:"RESEND_AFTER" envDefault:"1m"` // when what is missing is sent again
	Hold     time.Duration `env:"CLOCK_HOLD" envDefault:"10m"`  // how long readings wait for the clock to be set
	AnyClock bool          `env:"CLOCK_TRUST"`                  // take the clock as it is: for machines that keep time without NTP

	Listen   string  `env:"LISTEN" envDefault:":8082"`     // metrics and health; off or empty: none
	Simulate bool    `env:"SIMULATE"`                      // simulated sensors: those configured, or one of each kind; only in a program that carries them
	Speed    float64 `env:"SIMULATE_SPEED" envDefault:"5"` // how much faster their clock runs

	Sensors []driver.Sensor `env:"-"`
}

// Parse reads the agent's settings from vars, which outweigh those of the node's
// file in EDGE_CONFIG_DIR, /etc/hearth/edge unless told. A node without sensors
// has one: itself, or with SIMULATE those of house. A program that carries no
// simulated sensors has no house, and SIMULATE is refused. All mistakes are in the
// error, without secrets.
func Parse(vars map[string]string, secrets *secret.Folder, house map[string]string) (Config, error) {
	vars, err := withFile(vars)
	if err != nil {
		return Config{}, err
	}
	c, err := env.ParseAsWithOptions[Config](env.Options{
		Environment: vars,
		FuncMap: map[reflect.Type]env.ParserFunc{
			reflect.TypeFor[secret.String](): func(name string) (any, error) { return secrets.Get(name), nil },
		},
	})
	if c.Simulate && house == nil {
		return c, errNoSimulators
	}
	if v, set := vars["LISTEN"]; set && v == "" {
		c.Listen = "off"
	}
	errs := []error{err, c.check()}
	if c.Node == "" {
		c.Node = nodeOf(vars)
	}
	if !kinds.NameOK(c.Node) || c.Node == "canary" || c.Node == "dead" {
		errs = append(errs, fmt.Errorf("NODE: %q is no node's name: small letters, digits, dot, - and _", c.Node))
	}
	var serr error
	if c.Sensors, serr = kinds.Parse(withSensors(vars, c.Simulate, house), secrets, c.Simulate); serr != nil {
		errs = append(errs, serr)
	}
	for i := range c.Sensors {
		if c.Sensors[i].Device == "" {
			c.Sensors[i].Device = c.Node
		}
	}
	if err := errors.Join(errs...); err != nil {
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
			errs = append(errs, fmt.Errorf("%s is too small or missing", name))
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

// withSensors adds what a node without sensors gets.
func withSensors(vars map[string]string, simulate bool, house map[string]string) map[string]string {
	for name := range vars {
		if strings.HasPrefix(name, "SENSOR_") {
			return vars
		}
	}
	if simulate {
		return house
	}
	return map[string]string{"SENSOR_0_KIND": "host"}
}

// withFile adds the settings of the node's file, if there is one.
func withFile(vars map[string]string) (map[string]string, error) {
	path := FileOf(vars)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return vars, nil
	}
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	all, err := parseFile(string(text))
	if err != nil {
		return nil, fmt.Errorf("configuration: %s: %w", path, err)
	}
	for k, v := range vars {
		all[k] = v
	}
	return all, nil
}

// FileOf is where the node's file would be.
func FileOf(vars map[string]string) string {
	dir := vars["EDGE_CONFIG_DIR"]
	if dir == "" {
		dir = "/etc/hearth/edge"
	}
	return filepath.Join(dir, filepath.Base(nodeOf(vars))+".env")
}

// parseFile reads lines of NAME=value, with remarks after # and quotes if one
// likes.
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
