package local

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/bridge"
	"github.com/hearth-home/hearth/local/broker"
	"github.com/hearth-home/hearth/local/gateway"
	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/local/sample"
	"github.com/hearth-home/hearth/local/schedule"
	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/page"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
)

// grace is how long a stop waits for what is under way.
const grace = 10 * time.Second

var errInUse = errors.New("another process runs on this state folder: stop it, or take another one with HEARTH_DIR")

// up is the whole platform; its fields are filled in by its parts.
type up struct {
	*Installation
	functions []stack.Function // of the stack files
	env       config.Env       // the platform's own
	log       *slog.Logger
	now       func() time.Time

	open      func(context.Context) (*store.Store, error)
	samples   *gateway.Server
	host      *host.Host
	gateway   *gateway.Gateway
	page      *page.Page
	server    *gateway.Server
	scheduler atomic.Pointer[schedule.Scheduler]
	mqttURL   string // set when the broker part has started
	broker    *broker.Broker
	clientID  string // the connector's
	admin     string // where the connector's own port is
	began     time.Time
	bridge    atomic.Pointer[bridge.Bridge]
	settings  *settings.Watch[decided]
}

func newUp(h *Installation) (*up, error) {
	fs, err := stack.Read(h.root, h.vars)
	if err != nil {
		return nil, err
	}
	env, err := h.env()
	if err != nil {
		return nil, err
	}
	u := &up{Installation: h, functions: fs, env: env, now: time.Now}
	u.log = h.logger(env.Secrets)
	u.settings = h.watchSettings(u.log)
	everything(u.functions, h.vars)
	return u, nil
}

// parts are started in this order and stopped in reverse: the connector calls
// functions through the gateway, and what comes before waits in spools.
func (u *up) parts() []part {
	return []part{
		u.folderPart(),
		u.storePart(),
		u.samplesPart(),
		u.functionsPart(),
		u.gatewayPart(),
		u.brokerPart(),
		u.connectorPart(),
		u.noticePart(),
		u.edgePart(),
		u.schedulesPart(),
	}
}

// folderPart keeps a second process out of the state folder.
func (u *up) folderPart() part {
	var f *os.File
	return part{"state folder", func(context.Context) (err error) {
		if err := os.MkdirAll(u.dir, 0o700); err != nil {
			return err
		}
		if f, err = lock(filepath.Join(u.dir, "lock")); err != nil {
			return err
		}
		return host.Tidy(u.secrets(), append([]stack.Function{{Name: platform}}, u.functions...))
	}, func(context.Context) error { return f.Close() }}
}

func (u *up) samplesPart() part {
	return part{"samples", func(context.Context) (err error) {
		u.samples, err = gateway.Listen("127.0.0.1:0", sample.New(host.SampleFolders(u.root, u.functions), u.now), u.log)
		return err
	}, func(ctx context.Context) error { return u.samples.Stop(ctx) }}
}

func (u *up) functionsPart() part {
	return part{"functions", func(context.Context) (err error) {
		u.host, err = host.Start(host.Options{
			Root: u.root, Secrets: u.secrets(), Files: map[string]string{settingsSecret: u.SettingsFile()}, Vars: u.vars, Build: u.build, Open: u.open,
			Samples: "http://" + u.samples.Addr, Log: u.logger, Now: u.now,
		}, u.functions)
		return err
	}, func(ctx context.Context) error { return u.host.Stop(ctx) }}
}

func (u *up) gatewayPart() part {
	return part{"gateway", func(context.Context) (err error) {
		u.page = &page.Page{Inputs: page.Inputs{
			Open: u.open, Now: u.now, Redact: u.redact, Functions: u.shown, Declared: u.declared,
			Propose: mapping.Propose, Notes: u.notes, Try: u.try, Zone: u.zone, Hearth: program,
		}}
		var fs []gateway.Function
		for _, f := range u.host.Functions {
			fs = append(fs, gateway.Function{Status: status(f.Function), URL: *f.URL})
			if f.Name == "dashboard" {
				u.page.Home = "/function/dashboard/"
			}
		}
		u.gateway = gateway.New(fs, u.page, u.log)
		u.server, err = gateway.Listen(net.JoinHostPort("127.0.0.1", u.port()), u.gateway, u.log)
		return err
	}, func(ctx context.Context) error {
		u.gateway.Ready(false)
		return u.server.Stop(ctx)
	}}
}

func (u *up) schedulesPart() part {
	return part{"schedules", func(ctx context.Context) error {
		var jobs []schedule.Job
		for _, f := range u.host.Functions {
			if s := f.Schedule(); s != "" {
				jobs = append(jobs, schedule.Job{Function: f.Name, Schedule: s, Last: u.lastRun(ctx, f)})
			}
		}
		u.scheduler.Store(schedule.New("http://"+u.server.Addr, jobs, u.log, u.now()))
		return nil
	}, func(ctx context.Context) error { return u.scheduler.Load().Stop(ctx) }}
}

// lastRun is zero where the function should run at once: it never ran, or it
// ran on samples and has its key now, or its last run did not come to its end.
func (u *up) lastRun(ctx context.Context, f host.Function) time.Time {
	st, err := u.open(ctx)
	if err != nil {
		return time.Time{}
	}
	runs, err := st.Runs(ctx, f.Name, 1)
	if err != nil || len(runs) == 0 || runs[0].Sample && f.State != host.Sample || slices.Contains([]string{"running", "died"}, runs[0].Status) {
		return time.Time{}
	}
	return runs[0].Started
}

// shown are the functions that run here, for the page.
func (u *up) shown() []page.Function {
	var out []page.Function
	for _, f := range u.host.Functions {
		row := page.Function{Name: f.Name, State: page.State(f.State), Missing: f.Missing, Reason: f.Reason, Schedule: f.Schedule(), Next: u.next(f.Name)}
		if row.Schedule == "" {
			row.Topic = strings.Join(f.Topics(), ", ")
		}
		if lacks := u.missing(f.Name); len(lacks) > 0 && f.State == host.Live {
			row.State, row.Missing = page.Unconfigured, lacks
		}
		out = append(out, row)
	}
	return out
}

func (u *up) next(function string) time.Time {
	if s := u.scheduler.Load(); s != nil {
		return s.Next(function)
	}
	return time.Time{}
}

func (u *up) missing(function string) []string {
	if s := u.scheduler.Load(); s != nil {
		return s.Missing(function)
	}
	return nil
}

// redact takes out the secrets of the platform and of every function.
func (u *up) redact(s string) string {
	s = u.env.Secrets.Redact(s)
	for _, f := range u.functions {
		s = secret.NewFolder(filepath.Join(u.secrets(), f.Name)).Redact(s)
	}
	return s
}

// storePart is one file, or InfluxDB and PostgreSQL where both are named.
func (u *up) storePart() part {
	var opened atomic.Pointer[store.Store]
	return part{"store", func(ctx context.Context) error {
		influx, database := u.vars["INFLUX_URL"] != "", u.vars["DATABASE_URL"] != ""
		switch {
		case influx != database:
			return errors.New("INFLUX_URL and DATABASE_URL come in a pair: set both for real databases, or neither for the one in " + u.dir)
		case !influx:
			var told time.Time
			st, err := sqlite.Open(ctx, filepath.Join(u.dir, "hearth.db"), func(moved, total int64) {
				if time.Since(told) > 2*time.Second || moved == total {
					u.log.Info("moving readings to their new table", "moved", moved, "of", total)
					told = time.Now()
				}
			})
			if err != nil {
				return err
			}
			opened.Store(st)
			u.open = func(context.Context) (*store.Store, error) { return st, nil }
			return nil
		}
		c, err := config.Parse[store.Config](u.env)
		if err != nil {
			return err
		}
		u.open = serve.Once(func(ctx context.Context) (*store.Store, error) {
			st, err := store.Open(ctx, c)
			if err == nil {
				opened.Store(st)
			}
			return st, err
		})
		if _, err := u.open(ctx); err != nil {
			u.log.Error("the databases are not there yet; calls answer 503 until they are", "err", err)
		}
		return nil
	}, func(context.Context) error {
		if st := opened.Load(); st != nil {
			return st.Close()
		}
		return nil
	}}
}
