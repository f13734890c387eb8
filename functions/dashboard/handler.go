// Package function shows the house at a glance: the page of hearth, its lists and the history
// of values. Who may reach the gateway may read it, unless the secret page-token has a token;
// only with the token in page-write-token it changes anything.
//
//	GET  /            the page: tiles
//	GET  /status      everything as lists
//	GET  /outbox      what hearth tells, as it looks in Slack
//	POST /…           what the page's buttons do (token)
package function

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/house"
	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/notify"
	"github.com/hearth-home/hearth/shared/page"
	"github.com/hearth-home/hearth/shared/page/glance"
	"github.com/hearth-home/hearth/shared/page/status"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
)

// Config has the settings of dashboard.
type Config struct {
	Settings secret.String `env:"HEARTH_SETTINGS_SECRET" envDefault:"hearth-settings"` // secret with hearth.yml
	Notify   notify.Config
	Gateway  url.URL       `env:"GATEWAY_URL" envDefault:"http://gateway.openfaas:8080"` // OpenFaaS gateway, through which a source is run again
	Read     secret.String `env:"PAGE_TOKEN_SECRET" envDefault:"page-token"`             // secret with the token that reading needs; empty: who reaches the gateway reads
	Write    secret.String `env:"PAGE_WRITE_TOKEN_SECRET" envDefault:"page-write-token"` // secret with the token that the page's buttons need, and that may read, too; empty: the page changes nothing
	Wifi     secret.String `env:"GUEST_WIFI_SECRET" envDefault:"guest-wifi"`             // secret with name;password of the Wi-Fi for guests, or WIFI:T:WPA;S:name;P:password;;: the view for guests shows it as a QR code; empty: none
	Every    time.Duration `env:"PAGE_EVERY" envDefault:"5s"`                            // how often an open page asks for what is new
}

const (
	name      = "dashboard"
	connector = "/mqtt" // the program in the connector's container, whose commands the page names
)

// Handle is what the OpenFaaS template calls.
var Handle = serve.Handle(New)

// file is hearth.yml, and the measurements that it adds.
type file struct {
	*settings.File
	measurements []catalogue.Measurement
}

func read(f *settings.File) file {
	set := mapping.Compile(f)
	set.CheckNames(f, f.Mistake)
	glance.Check(f, set.Measurements())
	return file{f, set.Measurements()}
}

// paths are the parts of hearth.yml whose mistakes keep the last good version in use. A mistake
// in a tile stands in that tile.
var paths = []string{"house", "devices"}

// New returns the function.
func New(env serve.Env) (http.Handler, error) {
	c, err := config.Parse[Config](env.Env)
	if err != nil {
		return nil, err
	}
	presence, err := serve.NewPresence(env, name)
	if err != nil {
		return nil, err
	}
	f := &function{Config: c, env: env, file: settings.NewWatch(c.Settings, env.Log, paths, read), loader: house.New(env, c.Settings)}
	p := f.page()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		env.Beside.Go(func() { presence.Seen(context.WithoutCancel(r.Context()), true) })
		p.ServeHTTP(w, r)
	}), nil
}

// function is what the page is made of.
type function struct {
	Config
	env    serve.Env
	file   *settings.Watch[file]
	loader *house.Loader
}

func (f *function) page() *page.Page {
	gates := page.Tokens{Read: f.Read, Write: f.Write}
	lists := &status.Page{Inputs: status.Inputs{
		Open: f.open, Now: f.env.Now, Redact: f.env.Secrets.Redact, RedactCut: f.env.Secrets.RedactCut, Declared: f.declared, Propose: mapping.Propose,
		Notes: f.notes, Zone: func() string { return string(f.settings().House.Zone) }, Hearth: connector, House: f.house, Gateway: f.Gateway.String,
	}}
	return &page.Page{Status: lists, Every: f.Every, MayRead: gates.MayRead, MayWrite: gates.MayWrite, Glance: glance.New(glance.Inputs{
		Open: f.open, Now: f.env.Now, Redact: f.env.Secrets.Redact, Settings: f.settings, Declared: f.declared, Wifi: f.Wifi.Reveal,
		Status: func(ctx context.Context) (status.Data, bool) { return lists.Brief(ctx), true }, Alerts: lists.AlertsAt,
	})}
}

// open opens the store, and reads the mappings that were saved on the page.
func (f *function) open(ctx context.Context) (*store.Store, error) {
	st, err := f.env.Open(ctx)
	if err == nil {
		_ = f.file.ReadSaved(ctx, st, f.env.Now()) // what is read next has the same error
	}
	return st, err
}

func (f *function) settings() *settings.File {
	now, _ := f.file.Look(f.env.Now()) // notes has the error
	return now.File
}

func (f *function) declared() []catalogue.Measurement {
	now, _ := f.file.Look(f.env.Now())
	return now.measurements
}

// notes says what is wrong with hearth.yml.
func (f *function) notes() []string {
	if now, err := f.file.Look(f.env.Now()); err != nil {
		return []string{f.env.Secrets.Redact(now.Note(err))}
	}
	return nil
}

func (f *function) house(ctx context.Context, st *store.Store, now time.Time) (*alert.House, error) {
	h, _, err := f.loader.Load(ctx, st, now)
	return h, err
}
