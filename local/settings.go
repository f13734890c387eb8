package local

import (
	"log/slog"
	"path/filepath"

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

// SettingsFile is hearth.yml: what a person decides about the house. The
// functions read it as their secret hearth-settings.
func (h *Installation) SettingsFile() string { return filepath.Join(h.root, settingsName) }

// decided is what hearth.yml says, as far as the page and the commands need it.
type decided struct {
	set   *mapping.Set
	house settings.House
}

// watchSettings follows hearth.yml by the same rules as the functions.
func (h *Installation) watchSettings(log *slog.Logger) *settings.Watch[decided] {
	return settings.NewWatch(secret.NewFolder(h.root).Get(settingsName), log, mapping.Paths, func(f *settings.File) decided {
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
