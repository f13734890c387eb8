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

// SettingsFile returns the path of hearth.yml, the user's settings for the house. The
// functions read it as their secret hearth-settings.
func (h *Installation) SettingsFile() string { return filepath.Join(h.root, settingsName) }

// userSettings are the sections of hearth.yml that the page and the commands use.
type userSettings struct {
	set   *mapping.Set
	house settings.House
}

// watchSettings reads hearth.yml, and reads it again after changes, as the functions do.
func (h *Installation) watchSettings(log *slog.Logger) *settings.Watch[userSettings] {
	return settings.NewWatch(secret.NewFolder(h.root).Get(settingsName), log, mapping.Paths, func(f *settings.File) userSettings {
		set := mapping.Compile(f)
		set.CheckNames(f, f.Mistake)
		return userSettings{set, f.House}
	})
}

// declared returns the measurements that hearth.yml adds to the catalogue.
func (p *platform) declared() []catalogue.Measurement {
	current, _ := p.settings.Look(p.now())
	return current.set.Measurements()
}

// zone returns the house's time zone, or "" if hearth.yml names none.
func (p *platform) zone() string {
	current, _ := p.settings.Look(p.now())
	return string(current.house.Zone)
}

// subscribeSensorsToAll makes the function sensors subscribe to every topic that no other
// function subscribes to. So every message shows on the page: without a mapping it is a
// dead letter with a proposal. It leaves out Home Assistant's discovery topics, which
// describe devices and hold no readings. SENSORS_TOPICS replaces all this.
func subscribeSensorsToAll(fs []stack.Function, vars map[string]string) {
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
