package local

import (
	"cmp"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/secret"
)

const tokenSecret = "connector-token"

// platformSecrets are the platform's own secrets. The platform keeps them in the state
// folder for the other commands, which only read them: so no command changes a secret of
// the running platform.
var platformSecrets = []string{"database-url", "influx-token", "mqtt-password", tokenSecret}

// secretsDir is where the running platform keeps its own secrets, one file each.
func (h *Installation) secretsDir() string { return filepath.Join(h.dir, "secrets") }

// env returns the platform's own environment. Its secrets are in memory: those that the
// user has set for this process. Beside the platform, a command takes the others from the
// state folder. The platform makes a random token for the connector if there is none yet.
func (h *Installation) env() config.Env {
	values := map[string]string{}
	kept := secret.NewFolder(h.secretsDir())
	for _, name := range platformSecrets {
		v := h.vars[host.Variable(name)]
		if !h.ownsState || name == tokenSecret {
			v = cmp.Or(v, kept.Get(name).Reveal())
		}
		if h.ownsState && name == tokenSecret {
			v = cmp.Or(v, rand.Text())
		}
		if v != "" {
			values[name] = v
		}
	}
	vars := map[string]string{}
	for k, v := range h.vars {
		if strings.HasPrefix(k, "INFLUX_") && v != "" {
			vars[k] = v
		}
	}
	return config.Env{Vars: vars, Secrets: secret.InMemory(values, nil)}
}

// keepSecrets makes the folder of secrets hold exactly the platform's own. Only the
// process that has locked the state folder may call it.
func (p *platform) keepSecrets() error {
	dir := p.secretsDir()
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.Chmod(dir, 0o700)); err != nil {
		return err
	}
	var names []string
	for _, name := range platformSecrets {
		if v := p.env.Secrets.Get(name).Reveal(); v != "" {
			names = append(names, name)
			if err := replace(filepath.Join(dir, name), v); err != nil {
				return err
			}
		}
	}
	files, err := os.ReadDir(dir)
	for _, file := range files {
		if !slices.Contains(names, file.Name()) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, file.Name())))
		}
	}
	return err
}

// replace replaces a file in one step: a process that reads it meanwhile finds the old or
// the new value. Only this user can read the file.
func replace(name, value string) error {
	part, err := os.CreateTemp(filepath.Dir(name), ".part")
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
	for _, f := range p.functions {
		for _, name := range f.Secrets {
			values[name] = cmp.Or(values[name], p.vars[host.Variable(name)])
		}
	}
	return secret.InMemory(values, nil)
}
