package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/bridge"
	"github.com/hearth-home/hearth/connectors/slack/relay"
	"github.com/hearth-home/hearth/edge/sim"
	"github.com/hearth-home/hearth/local/broker"
	"github.com/hearth-home/hearth/local/gateway"
	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/local/sample"
	"github.com/hearth-home/hearth/local/schedule"
	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/page"
	"github.com/hearth-home/hearth/shared/page/glance"
	"github.com/hearth-home/hearth/shared/page/status"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
)

// pageEvery is how often an open page asks for what is new.
const pageEvery = 500 * time.Millisecond

// grace is how long a stop waits for calls and messages in flight.
const grace = 10 * time.Second

var errInUse = errors.New("the file is locked by another process")

// platform is the whole platform as it runs. Each part sets its fields when it starts.
type platform struct {
	*Installation
	functions []stack.Function // of the stack files
	env       config.Env       // the platform's own
	secrets   *secret.Folder   // the platform's and the functions'
	log       *slog.Logger
	now       func() time.Time

	open      func(context.Context) (*store.Store, error)
	file      *fileStore // the SQLite database, nil with servers
	samples   *gateway.Server
	host      *host.Host
	gateway   *gateway.Gateway
	page      *page.Page
	server    *gateway.Server
	scheduler atomic.Pointer[schedule.Scheduler]
	mqttURL   string // set by brokerPart
	broker    *broker.Broker
	clientID  string // the connector's
	admin     string // host:port of the connector's API
	began     time.Time
	bridge    atomic.Pointer[bridge.Bridge]
	slack     atomic.Pointer[relay.Relay] // nil: there is no app-level token
	settings  *settings.Watch[userSettings]
	fail      *sim.Switch // makes the simulated sensors fail
	seeded    sync.Map    // live sources that show samples until their upstream answers, by name
}

func newPlatform(h *Installation) (*platform, error) {
	h.prepareSlack()
	fs, err := h.blocks(h.vars)
	if err != nil {
		return nil, err
	}
	p := &platform{Installation: h, functions: fs, env: h.env(), now: time.Now, fail: sim.NewSwitch()}
	p.secrets = p.userSecrets()
	p.log = h.logger(p.secrets)
	p.settings = h.watchSettings(p.log)
	return p, nil
}

// blocks returns the functions of the stack files with these variables, as the platform runs
// them.
func (h *Installation) blocks(vars map[string]string) ([]stack.Function, error) {
	fs, err := stack.Read(h.root, vars)
	if err != nil {
		return nil, err
	}
	subscribeSensorsToAll(fs, vars)
	h.setAlertsMode(fs)
	h.nameGateway(fs)
	return fs, nil
}

// parts returns the parts in the order in which they start; they stop in reverse. The
// connector starts after the gateway, through which it calls functions, and stops before
// it: messages that it has not delivered wait in its spool.
func (p *platform) parts() []part {
	return []part{
		p.folderPart(),
		p.storePart(),
		p.settingsPart(),
		p.samplesPart(),
		p.functionsPart(),
		p.gatewayPart(),
		p.brokerPart(),
		p.connectorPart(),
		p.slackPart(),
		p.noticePart(),
		p.edgePart(),
		p.schedulesPart(),
		p.retryPart(),
		p.pastPart(),
	}
}

// lockFile is the file in the state folder that the running platform has locked.
func (h *Installation) lockFile() string { return filepath.Join(h.dir, "lock") }

// folderPart keeps a second platform out of the state folder. From here on this process
// may write there.
func (p *platform) folderPart() part {
	var f *os.File
	return part{"state folder", func(context.Context) (err error) {
		if err := os.MkdirAll(p.dir, 0o700); err != nil {
			return err
		}
		if err := p.checkSecretsDir(); err != nil {
			return err
		}
		switch f, err = lock(p.lockFile()); {
		case errors.Is(err, errInUse):
			return fmt.Errorf("another process runs on the state folder %s: stop it, or choose another folder and free ports: HEARTH_DIR=%[1]s2 %s", p.dir, p.freePorts())
		case err != nil:
			return err
		}
		if err := p.keepSecrets(); err != nil {
			return errors.Join(err, f.Close())
		}
		return nil
	}, func(context.Context) error { return f.Close() }}
}

func (p *platform) samplesPart() part {
	return part{"samples", func(context.Context) (err error) {
		p.samples, err = gateway.Listen("127.0.0.1:0", sample.New(host.SampleFolders(p.root, p.functions), p.now), p.log)
		return err
	}, func(ctx context.Context) error { return p.samples.Stop(ctx) }}
}

func (p *platform) functionsPart() part {
	return part{"functions", func(ctx context.Context) (err error) {
		var liveBefore map[string]bool
		if p.ownsState {
			liveBefore = p.liveBefore(ctx)
		}
		p.host, err = host.Start(host.Options{
			Root: p.root, Files: map[string]string{settingsSecret: p.SettingsFile()}, Vars: p.vars, Build: p.build, Open: p.open,
			Samples: "http://" + p.samples.Addr, Log: p.functionLogger, Now: p.now, LiveBefore: liveBefore,
		}, p.functions)
		return err
	}, func(ctx context.Context) error { return p.host.Stop(ctx) }}
}

func (p *platform) gatewayPart() part {
	return part{"gateway", func(context.Context) (err error) {
		var own atomic.Pointer[string] // the gateway's address, once it is known
		lists := &status.Page{Inputs: status.Inputs{
			Open: p.openForPage, Now: p.now, Redact: p.redact, RedactCut: p.secrets.RedactCut, Functions: p.pageFunctions, Declared: p.declared,
			Propose: mapping.Propose, Notes: p.notes, Try: p.try, Zone: p.zone, Hearth: program, SimulatedSince: p.simulatedSince(), Faults: p.faults(), House: p.loadHouse(),
			Gateway: func() string { return *cmp.Or(own.Load(), new("")) },
		}}
		p.page = &page.Page{Status: lists, Every: pageEvery, Steps: p.firstSteps(), Glance: glance.New(glance.Inputs{
			Open: p.openForPage, Now: p.now, Redact: p.redact, Settings: p.pageSettings, Declared: p.declared, Wifi: p.guestWifi,
			Status: func(ctx context.Context) (status.Data, bool) { return lists.Brief(ctx), true }, Alerts: lists.AlertsAt,
		})}
		var fs []gateway.Function
		for _, f := range p.host.Functions() {
			fs = append(fs, gateway.Function{Status: functionStatus(f.Function), URL: *f.URL})
		}
		p.gateway = gateway.New(fs, p.page, p.log)
		port, err := p.pagePort()
		if err != nil {
			return err
		}
		if p.server, err = gateway.Listen(address(port), p.gateway, p.log); err != nil {
			return withFreePorts(err, p.freePorts())
		}
		at := "http://" + p.server.Addr
		own.Store(&at)
		return nil
	}, func(ctx context.Context) error {
		p.gateway.Ready(false)
		return p.server.Stop(ctx)
	}}
}

func (p *platform) schedulesPart() part {
	return part{"schedules", func(ctx context.Context) error {
		p.seed(ctx)
		var jobs []schedule.Job
		for _, f := range p.host.Functions() {
			if s := f.Schedule(); s != "" && p.runs(f.Name) {
				jobs = append(jobs, schedule.Job{Function: f.Name, Schedule: s, Last: p.lastRun(ctx, f)})
			}
		}
		p.scheduler.Store(schedule.New("http://"+p.server.Addr, jobs, p.log, p.now()))
		return nil
	}, func(ctx context.Context) error { return p.scheduler.Load().Stop(ctx) }}
}

// pageFunctions returns the functions that run here, for the page.
func (p *platform) pageFunctions() []status.Function {
	var out []status.Function
	for _, f := range p.host.Functions() {
		row := status.Function{Name: f.Name, State: status.State(f.State), Missing: f.Missing, Reason: f.Reason, Schedule: f.Schedule(), Next: p.next(f.Name)}
		if row.Schedule == "" {
			row.Topic = strings.Join(f.Topics(), ", ")
		}
		if lacks := p.missing(f.Name); len(lacks) > 0 && f.State == host.Live {
			row.State, row.Missing = status.Unconfigured, lacks
		}
		out = append(out, row)
	}
	return out
}

func (p *platform) next(function string) time.Time {
	if s := p.scheduler.Load(); s != nil {
		return s.Next(function)
	}
	return time.Time{}
}

func (p *platform) missing(function string) []string {
	if s := p.scheduler.Load(); s != nil {
		return s.Missing(function)
	}
	return nil
}

// redact replaces the secrets of the platform and of every function.
func (p *platform) redact(s string) string { return p.secrets.Redact(s) }

// storePart opens the SQLite file, or InfluxDB and PostgreSQL if both are set.
func (p *platform) storePart() part {
	var opened atomic.Pointer[store.Store]
	return part{"store", func(ctx context.Context) error {
		switch servers, err := p.databaseServers(); {
		case err != nil:
			return err
		case servers:
			return p.openServers(ctx, &opened)
		}
		p.file = &fileStore{platform: p}
		p.open = p.file.get
		return p.file.start(ctx)
	}, func(context.Context) error {
		if p.file != nil {
			return p.file.stop()
		}
		if st := opened.Load(); st != nil {
			return st.Close()
		}
		return nil
	}}
}

// openServers sets p.open to open InfluxDB and PostgreSQL, once. The platform starts even
// if they cannot be reached yet: each call tries again.
func (p *platform) openServers(ctx context.Context, opened *atomic.Pointer[store.Store]) error {
	c, err := config.Parse[store.Config](p.env)
	if err != nil {
		return err
	}
	p.open = serve.Once(func(ctx context.Context) (*store.Store, error) {
		st, err := store.Open(ctx, c)
		if err == nil {
			opened.Store(st)
		}
		return st, err
	})
	switch _, err := p.open(ctx); {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		p.log.Error("the databases cannot be used yet; calls answer 503 until they can", "err", err)
	}
	return nil
}
