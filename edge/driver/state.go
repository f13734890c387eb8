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

// StateStore keeps the state of sensors over a power cut, each in a small file.
type StateStore struct {
	Dir string // folder of the files; empty: nothing is kept
	// Now returns the time, and whether the clock can be trusted.
	Now func() (now time.Time, trusted bool)
	// OnWrite is called after a write with the number of bytes. It may be nil.
	OnWrite func(n int)
	// OnError is called with the error of a failed Load or Save. It may be nil.
	OnError func(error)
}

// Load decodes the state saved under name into the value that into points to. It returns
// false if there is none.
func (m StateStore) Load(name string, into any) bool {
	if m.Dir == "" {
		return false
	}
	text, err := os.ReadFile(m.path(name))
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		m.report(fmt.Errorf("read the state of %s: %w", name, err))
	}
	return err == nil
}

// Save writes v, as JSON, under name.
func (m StateStore) Save(name string, v any) {
	if m.Dir == "" {
		return
	}
	text, err := json.Marshal(v)
	if err == nil {
		err = WriteFile(m.path(name), text)
	}
	if err != nil {
		m.report(fmt.Errorf("save the state of %s: %w", name, err))
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

// WriteFile replaces a small file atomically: after a power cut the file is the old or
// the new one.
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
