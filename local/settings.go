package local

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/page/glance"
	"github.com/hearth-home/hearth/shared/pause"
	"github.com/hearth-home/hearth/shared/rules"
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
	set  *mapping.Set
	file *settings.File
}

// watchSettings reads hearth.yml, and reads it again after changes, as the functions do.
func (h *Installation) watchSettings(log *slog.Logger) *settings.Watch[userSettings] {
	return settings.NewWatch(secret.NewFolder(h.root).Get(settingsName), log, mapping.Paths, func(f *settings.File) userSettings {
		set := mapping.Compile(f)
		set.CheckNames(f, f.Mistake)
		rules.Compile(f, set.Measurements())
		glance.Check(f, set.Measurements())
		return userSettings{set, f}
	})
}

// settingsEvery is how often the platform looks whether hearth.yml has changed.
const settingsEvery = 2 * time.Second

// settingsPart looks at hearth.yml, and at what the page has saved, from the start on, so that
// mistakes, and that they are corrected, are logged also while no message arrives and nobody
// looks at the page.
func (p *platform) settingsPart() part {
	var stop context.CancelFunc
	var done sync.WaitGroup
	return part{"settings", func(ctx context.Context) error {
		p.lookAtSettings(ctx)
		ctx, stop = context.WithCancel(context.WithoutCancel(ctx))
		done.Go(func() {
			for pause.For(ctx, settingsEvery) {
				p.lookAtSettings(ctx)
			}
		})
		return nil
	}, func(context.Context) error {
		stop()
		done.Wait()
		return nil
	}}
}

// lookAtSettings reads what the page has saved, and hearth.yml if it has changed. Their errors
// are logged elsewhere: those of the store by who opens it, those of the file by Look.
func (p *platform) lookAtSettings(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, settingsEvery)
	defer cancel()
	if st, err := p.open(ctx); err == nil {
		_ = p.settings.ReadSaved(ctx, st, p.now())
	}
	_, _ = p.settings.Look(p.now())
}

// functionLogger is logger for a function. It leaves out what the function says about
// hearth.yml: the platform says it, for all.
func (p *platform) functionLogger(f *secret.Folder) *slog.Logger {
	return slog.New(withoutSettings{p.logger(f).Handler()})
}

// withoutSettings leaves out records about hearth.yml.
type withoutSettings struct{ slog.Handler }

func (w withoutSettings) Handle(ctx context.Context, r slog.Record) error {
	if strings.HasPrefix(r.Message, settingsName+" ") || r.Message == settingsName {
		return nil
	}
	return w.Handler.Handle(ctx, r)
}

func (w withoutSettings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return withoutSettings{w.Handler.WithAttrs(attrs)}
}

func (w withoutSettings) WithGroup(name string) slog.Handler {
	return withoutSettings{w.Handler.WithGroup(name)}
}

// declared returns the measurements that hearth.yml adds to the catalogue.
func (p *platform) declared() []catalogue.Measurement {
	current, _ := p.settings.Look(p.now())
	return current.set.Measurements()
}

// zone returns the house's time zone, or "" if hearth.yml names none.
func (p *platform) zone() string {
	current, _ := p.settings.Look(p.now())
	return string(current.file.House.Zone)
}

// pageSettings returns hearth.yml.
func (p *platform) pageSettings() *settings.File {
	current, _ := p.settings.Look(p.now())
	return current.file
}

// guestWifi returns the name and the password of the Wi-Fi for guests: GUEST_WIFI.
func (p *platform) guestWifi() string {
	v, _ := host.Value(p.vars, "guest-wifi")
	return v
}

// subscribeSensorsToAll makes the function sensors subscribe to every topic that no other
// function subscribes to. So every message shows on the page: without a mapping it is a
// dead letter with a proposal. It leaves out Home Assistant's discovery topics and the
// states of alerts, which hold no readings. SENSORS_TOPICS replaces all this.
func subscribeSensorsToAll(fs []stack.Function, vars map[string]string) {
	if vars["SENSORS_TOPICS"] != "" {
		return
	}
	except := "!homeassistant/#,!" + wire.AlertPrefix + "#"
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
