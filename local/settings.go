package main

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/mapping"
)

const settingsSecret = "hearth-settings"

// settingsFile is hearth.yml: what a person decides about the house. The
// functions read it as their secret hearth-settings.
func (h *house) settingsFile() string { return filepath.Join(h.root, "hearth.yml") }

// settings is hearth.yml as the page sees it: what it declares, or what is wrong
// with it. The functions have it from mapping.Watch, by the same rules.
type settings struct {
	file string
	log  *slog.Logger

	mu       sync.Mutex
	looked   time.Time
	modified time.Time
	size     int64
	set      *mapping.Set // the last good one; nil: none
	problem  error
}

const lookAgain = time.Second

// look reads the file again if it is another than it was.
func (s *settings) look(now time.Time) (*mapping.Set, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.looked.IsZero() && now.Sub(s.looked) < lookAgain && !now.Before(s.looked) {
		return s.set, s.problem
	}
	s.looked = now
	info, err := os.Stat(s.file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.problem, s.modified, s.size = nil, time.Time{}, 0
		return s.set, nil
	case err == nil && info.ModTime().Equal(s.modified) && info.Size() == s.size:
		return s.set, s.problem
	}
	var b []byte
	if err == nil {
		s.modified, s.size = info.ModTime(), info.Size()
		b, err = os.ReadFile(s.file)
	}
	var set *mapping.Set
	if err == nil {
		set, err = mapping.Parse(b)
	}
	s.problem = err
	if err != nil {
		s.log.Error("what hearth.yml said before stays", "err", err)
	} else {
		s.set = set
	}
	return s.set, err
}

// declared is what hearth.yml adds to the catalogue.
func (s *settings) declared(now time.Time) []catalogue.Measurement {
	if set, _ := s.look(now); set != nil {
		return set.Measurements()
	}
	return nil
}

// everything has the function sensors listen to every topic that no other
// function wants, so that a newcomer sees whatever is published: what is not
// known is a dead letter with a proposal. Home Assistant's discovery describes
// devices and says nothing of the house. SENSORS_TOPICS narrows it.
func everything(fs []stack.Function, vars map[string]string) {
	if vars["SENSORS_TOPICS"] != "" {
		return
	}
	except := "!homeassistant/#"
	var sensors map[string]string
	for _, f := range fs {
		switch topics := f.Topics(); {
		case f.Name == "sensors":
			sensors = f.Annotations
		default:
			for _, t := range topics {
				except += ",!" + t
			}
		}
	}
	if sensors != nil {
		sensors["topic"], sensors["mqtt-topics"] = "#", except
	}
}
