package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/wire"
)

const (
	settingsSecret = "hearth-settings"
	settingsName   = "hearth.yml"
)

// settingsFile is hearth.yml: what a person decides about the house. The
// functions read it as their secret hearth-settings.
func (h *house) settingsFile() string { return filepath.Join(h.root, settingsName) }

// decided is what hearth.yml says, as far as the page and the commands need it.
type decided struct {
	set   *mapping.Set
	house settings.House
}

// watchSettings follows hearth.yml by the same rules as the functions.
func (h *house) watchSettings(log *slog.Logger) *settings.Watch[decided] {
	return settings.NewWatch(secret.NewFolder(h.root).Get(settingsName), log, mapping.Acts, func(f *settings.File) decided {
		set := mapping.Compile(f)
		set.CheckNames(f, f.Mistake)
		return decided{set, f.House}
	})
}

// declared is what hearth.yml adds to the catalogue.
func (u *up) declared() []catalogue.Measurement {
	said, _ := u.settings.Look(u.now())
	return said.set.Measurements()
}

// zone is the house's, "" where hearth.yml names none.
func (u *up) zone() string {
	said, _ := u.settings.Look(u.now())
	return string(said.house.Zone)
}

// cmdSettings prints every mistake of a file of settings.
func cmdSettings(_ context.Context, h *house, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("settings check", flag.ContinueOnError)
	if len(args) == 0 || args[0] != "check" {
		return errors.New("settings check [FILE] prints every mistake in hearth.yml")
	}
	if err := fs.Parse(args[1:]); err != nil {
		return err
	}
	name := h.settingsFile()
	switch fs.NArg() {
	case 0:
	case 1:
		name = fs.Arg(0)
	default:
		return fmt.Errorf("settings check reads one file, not %q", fs.Args())
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	f := settings.Parse(b)
	mapping.Compile(f).CheckNames(f, f.Mistake)
	wrong := 0
	for _, m := range f.Sorted() {
		kind := "warning: "
		if !m.Warning {
			kind, wrong = "", wrong+1
		}
		at, path := "", m.Path
		if m.Line > 0 {
			at = fmt.Sprintf(":%d:%d", m.Line, m.Column)
		}
		if path != "" {
			path += ": "
		}
		fmt.Fprintf(out, "%s%s: %s%s%s\n", name, at, kind, path, m.Text)
	}
	if wrong > 0 {
		return fmt.Errorf("%s has %d mistakes", name, wrong)
	}
	fmt.Fprintf(out, "%s is right: %s\n", name, strings.Join(contents(f), ", "))
	return nil
}

// contents is what a file of settings holds.
func contents(f *settings.File) (out []string) {
	zone := "times in UTC, as house.zone is not given"
	if f.House.Zone != "" {
		zone = "times in " + string(f.House.Zone)
	}
	out = append(out, zone)
	for _, s := range []struct {
		name string
		n    int
	}{{"devices", len(f.Devices)}, {"rules", len(f.Rules)}, {"tiles", len(f.Tiles)}, {"reminders", len(f.Reminders)}, {"quiet hours", len(f.QuietHours)}} {
		if s.n > 0 {
			out = append(out, fmt.Sprintf("%s: %d", s.name, s.n))
		}
	}
	return out
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
		sensors[wire.AnnotationTopic], sensors[wire.AnnotationTopics] = "#", except
	}
}
