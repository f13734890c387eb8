// Package local is the whole platform in one process, on embedded parts, and what
// can be done beside it: one source run once, its database read, its broker heard.
package local

import (
	"cmp"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/local/dotenv"
	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/local/terminal"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/secret"
)

// Installation is hearth on this machine, as all commands know it: the repository,
// the state folder and what the user set.
type Installation struct {
	root  string                  // where stack.yml is
	dir   string                  // HEARTH_DIR, else .hearth beside it
	vars  map[string]string       // .env and the environment
	build map[string]host.Builder // the functions that are built in
	out   io.Writer               // for logs
	term  *terminal.Writer        // nil: JSON
	owns  bool                    // the state folder: other commands leave what the platform has there
}

const platform = "_platform" // its secrets' folder: no function can be called that

// Open reads what the user set, in environ and in the file .env of the repository
// root. Logs go to out: short lines with colors on a terminal, JSON where LOG_FORMAT
// says so.
func Open(root string, environ []string, out io.Writer) (*Installation, error) {
	vars, err := dotenv.Load(filepath.Join(root, ".env"), environ)
	if err != nil {
		return nil, err
	}
	h := &Installation{root: root, vars: vars, build: functions, out: out, dir: vars["HEARTH_DIR"]}
	if h.dir == "" {
		h.dir = filepath.Join(root, ".hearth")
	}
	if err := splitURL(vars); err != nil {
		return nil, err
	}
	if vars["LOG_FORMAT"] != "json" {
		h.term = terminal.NewWriter(out, terminal.Is(out) && vars["NO_COLOR"] == "")
	}
	return h, nil
}

// splitURL takes a user and password out of MQTT_URL, which is shown and logged,
// and completes what people leave out.
func splitURL(vars map[string]string) error {
	v := vars["MQTT_URL"]
	if v == "" {
		return nil
	}
	if !strings.Contains(v, "://") {
		v = "tcp://" + v
	}
	u, err := url.Parse(v)
	if err != nil || u.Hostname() == "" {
		return errors.New("MQTT_URL is no address of a broker: write tcp://host:1883, or ssl://host:8883")
	}
	if u.Port() == "" && !strings.HasPrefix(u.Scheme, "ws") {
		port := "1883"
		if slices.Contains([]string{"ssl", "tls", "mqtts", "mqtt+ssl", "tcps"}, u.Scheme) {
			port = "8883"
		}
		u.Host = net.JoinHostPort(u.Hostname(), port)
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

// FindRoot returns the folder with stack.yml: the working directory, or the nearest
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
			return "", errors.New("there is no stack.yml here or above: run this in the repository")
		}
	}
}

// Root is the repository's folder.
func (h *Installation) Root() string { return h.root }

// Logger writes to where the installation's logs go, without the platform's secrets.
func (h *Installation) Logger() (*slog.Logger, error) {
	env, err := h.env()
	if err != nil {
		return nil, err
	}
	return h.logger(env.Secrets), nil
}

// Redact takes the platform's secrets out of a text.
func (h *Installation) Redact(text string) string {
	return secret.NewFolder(filepath.Join(h.secrets(), platform)).Redact(text)
}

func (h *Installation) secrets() string { return filepath.Join(h.dir, "secrets") }

// logger writes lines without the secrets of f.
func (h *Installation) logger(f *secret.Folder) *slog.Logger {
	if h.term == nil {
		return config.Logger(h.out, f)
	}
	return slog.New(terminal.NewHandler(h.term, f.Redact))
}

// env returns the surroundings of the platform itself: the databases' URL and
// token are its secrets.
func (h *Installation) env() (config.Env, error) {
	values := map[string]string{}
	dir := filepath.Join(h.secrets(), platform)
	old := secret.NewFolder(dir)
	for _, name := range []string{"database-url", "influx-token", "mqtt-password", "connector-token"} {
		v := h.vars[host.Variable(name)]
		if v == "" && !h.owns {
			v = old.Get(name).Reveal()
		}
		if v != "" {
			values[name] = v
		}
	}
	// The connector's own: made once, so that another command reads the same.
	if values["connector-token"] == "" {
		values["connector-token"] = cmp.Or(old.Get("connector-token").Reveal(), rand.Text())
	}
	if err := host.WriteSecrets(dir, values); err != nil {
		return config.Env{}, err
	}
	vars := map[string]string{}
	for k, v := range h.vars {
		if strings.HasPrefix(k, "INFLUX_") && v != "" {
			vars[k] = v
		}
	}
	return config.Env{Vars: vars, Secrets: secret.NewFolder(dir)}, nil
}

func (h *Installation) port() string {
	if p := h.vars["PORT"]; p != "" {
		return p
	}
	return "8080"
}

// hostname names this machine in an MQTT client id.
func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "make-up"
	}
	return name
}
