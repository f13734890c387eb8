package local

import (
	"context"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/house"
	"github.com/hearth-home/hearth/shared/notify"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/store"
)

// modeVar is the setting that says what is done with messages.
const modeVar = "ALERTS_MODE"

const buttonsVar = "SLACK_BUTTONS"

// onlyShows reports whether this platform is beside another one: on databases of a server,
// where the functions of a cluster may tell of alerts, it shows everything and sends
// nothing, unless the user has set SEND=1.
func (h *Installation) onlyShows() bool {
	return h.vars["INFLUX_URL"] != "" && h.vars["SEND"] != "1"
}

// showNote says that the platform only shows.
const showNote = "on these databases this platform shows everything and sends nothing, since another one may send: SEND=1 makes this one send, and run the functions that tell of alerts and news"

// watchers are the functions that watch the others and the devices.
var watchers = []string{"alert-devices", "alert-deadlines"}

// tellers are the functions whose work ends in a message. What feeds finds is news once only,
// so that a platform which sends nothing must not find it first.
var tellers = append([]string{"feeds"}, watchers...)

// runs reports whether the platform runs a function on its schedule.
func (h *Installation) runs(function string) bool {
	return !h.onlyShows() || !slices.Contains(tellers, function)
}

// alertsMode is what this platform's functions do with messages: where the user does not say,
// those without a destination are kept for the page's view of the outbox.
func (h *Installation) alertsMode() string {
	switch mode := strings.ToLower(strings.TrimSpace(h.vars[modeVar])); {
	case h.onlyShows():
		return string(alert.Observe)
	case mode == "" || mode == string(alert.Send):
		return string(alert.Show) // sends too
	default:
		return mode
	}
}

// setAlertsMode gives the functions their mode. With an app-level token of Slack, for which
// the connector runs, messages have buttons unless the user says otherwise.
func (h *Installation) setAlertsMode(fs []stack.Function) {
	for i := range fs {
		fs[i].Env = maps.Clone(fs[i].Env)
		fs[i].Env[modeVar] = h.alertsMode()
		if h.vars["SLACK_APP_TOKEN"] != "" && h.vars[buttonsVar] == "" {
			fs[i].Env[buttonsVar] = "true"
		}
	}
}

// loadHouse returns a function that says for the page who is told what.
func (p *platform) loadHouse() func(context.Context, *store.Store, time.Time) (*alert.House, error) {
	env := p.alertEnv()
	loader := house.New(env, env.Secrets.Get(settingsSecret))
	return func(ctx context.Context, st *store.Store, now time.Time) (*alert.House, error) {
		h, _, err := loader.Load(ctx, st, now)
		return h, err
	}
}

// alertEnv returns the environment of a function that sends messages, with the settings and
// secrets about that of all functions.
func (p *platform) alertEnv() serve.Env {
	vars, values := map[string]string{}, map[string]string{}
	for _, f := range p.functions {
		for _, name := range config.Names(reflect.TypeFor[notify.Config]()) {
			if v := f.Env[name]; v != "" {
				vars[name] = v
			}
		}
		for _, name := range f.Secrets {
			if v := p.vars[host.Variable(name)]; v != "" {
				values[name] = v
			}
		}
	}
	vars[modeVar] = p.alertsMode()
	secrets := secret.InMemory(values, map[string]string{settingsSecret: p.SettingsFile()})
	log := slog.New(withoutSettings{p.log.Handler()}) // the platform itself says what is wrong with hearth.yml
	return serve.Env{Env: config.Env{Vars: vars, Secrets: secrets, Now: p.now, Log: log}, Open: p.openForPage}
}
