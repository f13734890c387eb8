// Package local runs the whole platform in one process, with an embedded broker and
// database. It also has the operations of the other commands, which may run at the same
// time: run one source once, read the database, subscribe to the broker.
package local

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/hearth-home/hearth/local/dotenv"
	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/local/terminal"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/mqttclient"
	"github.com/hearth-home/hearth/shared/secret"
)

// Installation is hearth on this machine, running or not: the repository, the state
// folder and the user's variables. Every command works on one.
type Installation struct {
	root      string                  // where stack.yml is
	dir       string                  // the state folder: HEARTH_DIR, or .hearth in root
	vars      map[string]string       // from .env and the environment
	build     map[string]host.Builder // the functions that are compiled in
	out       io.Writer               // for logs
	term      *terminal.Writer        // writes logs as short lines; nil: logs are JSON
	ownsState bool                    // this process is the platform, not another command beside it
	badBroker error                   // what is wrong with MQTT_URL, or nil
	environ   map[string]bool         // the variables of the environment, which take precedence over .env
}

// dotenvName is the file in the repository with the user's variables.
const dotenvName = ".env"

// Open returns the installation whose repository is root. It reads the user's variables
// from environ ("KEY=value") and root's file .env. Logs go to out: as short lines, with
// colors on a terminal, or with LOG_FORMAT=json as JSON.
func Open(root string, environ []string, out io.Writer) (*Installation, error) {
	vars, err := dotenv.Load(filepath.Join(root, dotenvName), environ)
	if err != nil {
		return nil, err
	}
	h := &Installation{root: root, vars: vars, build: functions, out: out, dir: vars["HEARTH_DIR"], environ: map[string]bool{}}
	for _, kv := range environ {
		name, _, _ := strings.Cut(kv, "=")
		h.environ[name] = true
	}
	if h.dir == "" {
		h.dir = filepath.Join(root, ".hearth")
	}
	h.badBroker = splitURL(vars) // for the commands that need a broker
	if vars["LOG_FORMAT"] != "json" {
		h.term = terminal.NewWriter(out, terminal.Is(out) && vars["NO_COLOR"] == "")
	}
	return h, nil
}

// splitURL moves user and password from MQTT_URL, which is shown and logged, to MQTT_USER
// and MQTT_PASSWORD. It completes the address.
func splitURL(vars map[string]string) error {
	if vars["MQTT_URL"] == "" {
		return nil
	}
	u, err := mqttclient.ParseURL(vars["MQTT_URL"])
	if err != nil {
		return err
	}
	if u.User != nil {
		password, _ := u.User.Password()
		for k, v := range map[string]string{"MQTT_USER": u.User.Username(), "MQTT_PASSWORD": password} {
			if vars[k] == "" {
				vars[k] = v
			}
		}
		u.User = nil
	}
	vars["MQTT_URL"] = u.String()
	return nil
}

// FindRoot returns the nearest folder with a stack.yml: the working directory or one
// above it.
func FindRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, stack.Files[0])); err == nil {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("there is no %s in %s or above: run this in hearth's repository", stack.Files[0], dir)
		}
	}
}

// Root returns the repository's folder.
func (h *Installation) Root() string { return h.root }

// Logger returns the logger of the installation. It redacts the platform's own secrets.
func (h *Installation) Logger() *slog.Logger { return h.logger(h.env().Secrets) }

// Redact replaces the platform's own secrets in a text.
func (h *Installation) Redact(text string) string { return h.env().Secrets.Redact(text) }

// logger returns a logger that redacts the secrets of f.
func (h *Installation) logger(f *secret.Folder) *slog.Logger {
	if h.term == nil {
		return config.Logger(h.out, f)
	}
	return slog.New(terminal.NewHandler(h.term, f.Redact))
}

// hostname names this machine in an MQTT client id.
func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "this-machine"
	}
	return name
}
