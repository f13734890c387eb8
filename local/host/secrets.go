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

// sampleSecret is the value of a key that only the sample server sees.
const sampleSecret = "no-key-sample-only"

// Variable is where the user writes a secret: openweather-key is
// OPENWEATHER_KEY.
func Variable(secret string) string {
	return strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(secret))
}

// writeSecrets makes the function's folder hold exactly the secrets that its
// block names and the user has, and those of samples without a value.
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
		// A link: what the person writes is read again without our doing.
		if file := h.Files[name]; file != "" {
			if err := errors.Join(os.RemoveAll(filepath.Join(dir, name)), os.Symlink(file, filepath.Join(dir, name))); err != nil {
				return err
			}
		}
	}
	return nil
}

// WriteSecrets makes dir hold exactly these files, readable by this user alone.
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

// replace leaves no moment without a value: a run may be reading.
func replace(file, value string) error {
	part := filepath.Join(filepath.Dir(file), ".part")
	if err := os.WriteFile(part, []byte(value), 0o600); err != nil {
		return err
	}
	return os.Rename(part, file)
}

// Tidy removes the secrets of functions that are no more.
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
