package host

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/local/stack"
)

// sampleSecret is the placeholder for a missing key; only the sample server receives it.
const sampleSecret = "no-key-sample-only"

// Variable returns the variable in which the user sets a secret: OPENWEATHER_KEY for
// openweather-key.
func Variable(secret string) string {
	return strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(secret))
}

// writeSecrets makes the function's folder hold exactly the secrets that its block names
// and the user has set. A secret in samples that the user has not set gets a placeholder.
func (h *Host) writeSecrets(f stack.Function, samples []string) error {
	values := map[string]string{}
	for _, name := range f.Secrets {
		if v := h.Vars[Variable(name)]; v != "" {
			values[name] = v
		} else if slices.Contains(samples, name) {
			values[name] = sampleSecret
		}
	}
	dir := filepath.Join(h.Secrets, f.Name)
	if err := WriteSecrets(dir, values); err != nil {
		return err
	}
	for _, name := range f.Secrets {
		// A link, so that the function reads the file's changes.
		if file := h.Files[name]; file != "" {
			if err := errors.Join(os.RemoveAll(filepath.Join(dir, name)), os.Symlink(file, filepath.Join(dir, name))); err != nil {
				return err
			}
		}
	}
	return nil
}

// WriteSecrets makes dir hold exactly these files: values by file name. Only this user
// can read them.
func WriteSecrets(dir string, values map[string]string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return err
	}
	for name, v := range values {
		if err := replace(filepath.Join(dir, filepath.Base(name)), v); err != nil {
			return err
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, file := range files {
		if _, ok := values[file.Name()]; !ok {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, file.Name())))
		}
	}
	return err
}

// replace replaces the file in one step, so that a run that reads it meanwhile finds the
// old or the new value.
func replace(file, value string) error {
	part := filepath.Join(filepath.Dir(file), ".part")
	if err := os.WriteFile(part, []byte(value), 0o600); err != nil {
		return err
	}
	return os.Rename(part, file)
}

// Tidy removes the folders of secrets in dir whose functions are not in keep.
func Tidy(dir string, keep []stack.Function) error {
	folders, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, folder := range folders {
		if !slices.ContainsFunc(keep, func(f stack.Function) bool { return f.Name == folder.Name() }) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, folder.Name())))
		}
	}
	return err
}
