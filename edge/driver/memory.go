package driver

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Memory keeps what a sensor has learnt over a power cut, a small file each.
type StateStore struct {
	Dir string // where the files are; empty: nothing is kept
	// Now tells the time, and whether the clock can be trusted.
	Now func() (now time.Time, trusted bool)
	// Wrote is told how many bytes went to the disk.
	OnWrite func(n int)
	// Failed is told what went wrong.
	OnError func(error)
}

// Load decodes what was saved under a name, and reports whether there is something.
func (m StateStore) Load(name string, into any) bool {
	if m.Dir == "" {
		return false
	}
	text, err := os.ReadFile(m.path(name))
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		m.report(fmt.Errorf("read what %s has learnt: %w", name, err))
	}
	return err == nil
}

// Save keeps v under a name.
func (m StateStore) Save(name string, v any) {
	if m.Dir == "" {
		return
	}
	text, err := json.Marshal(v)
	if err == nil {
		err = WriteFile(m.path(name), text)
	}
	if err != nil {
		m.report(fmt.Errorf("save what %s has learnt: %w", name, err))
		return
	}
	if m.OnWrite != nil {
		m.OnWrite(len(text))
	}
}

func (m StateStore) path(name string) string {
	return filepath.Join(m.Dir, filepath.Base(name)+".json")
}

func (m StateStore) report(err error) {
	if m.OnError != nil {
		m.OnError(err)
	}
}

// WriteFile replaces a small file such that a power cut leaves the old or the
// new one.
func WriteFile(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
