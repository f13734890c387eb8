package local

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/secret"
)

const (
	tokenSecret    = "connector-token"
	passwordSecret = "mqtt-password"
)

// platformSecrets are the platform's own secrets. The platform keeps them in the state
// folder for the other commands, which only read them: so no command changes a secret of
// the running platform.
var platformSecrets = []string{"database-url", "influx-token", host.AuthoritySecret, passwordSecret, tokenSecret}

// secretsDir is where the running platform keeps its own secrets, one file each.
func (h *Installation) secretsDir() string { return filepath.Join(h.dir, "secrets") }

// env returns the platform's own environment. Its secrets are in memory: those that the
// user has set for this process. While the platform runs, another command takes the others
// from the state folder, those of a server only if it calls the same one. The platform makes
// a random token for the connector if there is none yet.
func (h *Installation) env() config.Env {
	values := map[string]string{}
	kept := secret.NewFolder(h.secretsDir())
	n, beside := h.findRunning()
	for _, name := range platformSecrets {
		v, _ := host.Value(h.vars, name) // databaseServers returns the error
		if beside && !h.ownsState && h.isFor(name, n) || h.ownsState && name == tokenSecret {
			v = cmp.Or(v, kept.Get(name).Reveal())
		}
		if h.ownsState && name == tokenSecret {
			v = cmp.Or(v, rand.Text())
		}
		if v != "" {
			values[name] = v
		}
	}
	values[adminSecret] = h.vars[adminVariable]
	vars := map[string]string{}
	for k, v := range h.vars {
		if strings.HasPrefix(k, "INFLUX_") && k != adminVariable && v != "" {
			vars[k] = v
		}
	}
	return config.Env{Vars: vars, Secrets: h.hiding(secret.InMemory(values, nil))}
}

// hiding returns f, which redacts the secrets in the addresses of all settings from now on.
func (h *Installation) hiding(f *secret.Folder) *secret.Folder {
	for _, v := range h.vars {
		f.Hide(v)
	}
	return f
}

// isFor reports whether a secret of the running platform is for the server that this command
// calls.
func (h *Installation) isFor(name string, n notice) bool {
	switch name {
	case passwordSecret:
		return !h.userBroker() || h.vars["MQTT_URL"] == n.Broker
	case "influx-token", host.AuthoritySecret:
		return h.vars["INFLUX_URL"] == n.Influx
	}
	return true
}

// checkSecretsDir returns an error if the folder of secrets is somebody else's: it has files,
// and no platform ever ran on the state folder.
func (h *Installation) checkSecretsDir() error {
	files, err := os.ReadDir(h.secretsDir())
	if len(files) == 0 {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	if _, err := os.Stat(h.lockFile()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return fmt.Errorf("%s holds files that are not hearth's: choose another state folder with HEARTH_DIR", h.secretsDir())
}

// keepSecrets writes the platform's own secrets to the folder of secrets and removes those
// that are no longer set. Files that hearth did not write stay. Only the process that has
// locked the state folder may call it.
func (p *platform) keepSecrets() error {
	dir := p.secretsDir()
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.Chmod(dir, 0o700)); err != nil {
		return err
	}
	old, err := p.leftSecrets()
	for _, name := range platformSecrets {
		file := filepath.Join(dir, name)
		if v := p.env.Secrets.Get(name).Reveal(); v == "" {
			old = append(old, file)
		} else {
			err = errors.Join(err, replace(file, v))
		}
	}
	for _, file := range old {
		if e := os.Remove(file); !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// leftSecrets returns the files that a killed platform did not write completely, and those
// in which older versions kept the functions' secrets.
func (p *platform) leftSecrets() (out []string, err error) {
	files, err := os.ReadDir(p.secretsDir())
	for _, f := range files {
		if n, ok := strings.CutPrefix(f.Name(), partPrefix); ok && n != "" && strings.Trim(n, "0123456789") == "" {
			out = append(out, filepath.Join(p.secretsDir(), f.Name()))
		}
		i := slices.IndexFunc(p.functions, func(known stack.Function) bool { return known.Name == f.Name() })
		if i < 0 || !f.IsDir() {
			continue
		}
		for _, name := range p.functions[i].Secrets {
			out = append(out, filepath.Join(p.secretsDir(), f.Name(), name))
		}
	}
	return out, err
}

// partPrefix begins the name of a secret's file that is not written completely yet.
const partPrefix = ".part"

// replace replaces a file in one step: a process that reads it meanwhile finds the old or
// the new value. Only this user can read the file.
func replace(name, value string) error {
	part, err := os.CreateTemp(filepath.Dir(name), partPrefix)
	if err != nil {
		return err
	}
	_, err = part.WriteString(value)
	if err = errors.Join(err, part.Close()); err == nil {
		err = os.Rename(part.Name(), name)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(part.Name()))
	}
	return err
}

// userSecrets returns the secrets of the platform and those of every function that the
// user has set, to redact them.
func (p *platform) userSecrets() *secret.Folder {
	values := map[string]string{}
	for _, name := range platformSecrets {
		values[name] = p.env.Secrets.Get(name).Reveal()
	}
	for _, name := range []string{slackTokenSecret, alertsToken, adminSecret} {
		values[name] = p.vars[host.Variable(name)]
	}
	for _, f := range p.functions {
		for _, name := range f.Secrets {
			values[name] = cmp.Or(values[name], p.vars[host.Variable(name)])
		}
	}
	return p.hiding(secret.InMemory(values, nil))
}
