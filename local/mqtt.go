package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/hearth-home/hearth/connectors/mqtt/bridge"
	"github.com/hearth-home/hearth/connectors/mqtt/intake"
	"github.com/hearth-home/hearth/local/broker"
	"github.com/hearth-home/hearth/local/gateway"
	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/folder"
	"github.com/hearth-home/hearth/shared/mqttclient"
	"github.com/hearth-home/hearth/shared/pause"
	"github.com/hearth-home/hearth/shared/settings"
)

// userBrokerVars are the variables that are about the user's own broker only.
var userBrokerVars = []string{"MQTT_URL", "MQTT_CA_FILE", "MQTT_CERT_FILE", "MQTT_KEY_FILE"}

// userBroker reports whether the platform uses the user's own broker (MQTT_URL) instead
// of the embedded one. Then it subscribes only, and publishes nothing.
func (h *Installation) userBroker() bool { return h.vars["MQTT_URL"] != "" }

// brokerPart runs the embedded broker, unless the user has set MQTT_URL.
func (p *platform) brokerPart() part {
	return part{"broker", func(context.Context) (err error) {
		if p.mqttURL = p.vars["MQTT_URL"]; p.userBroker() {
			return nil
		}
		port, err := p.brokerPort()
		if err != nil {
			return err
		}
		b, err := broker.Start(address(port), p.log)
		if err != nil {
			return p.brokerInUse(err, port)
		}
		p.broker, p.mqttURL = b, "tcp://"+b.Addr()
		return nil
	}, func(context.Context) error {
		if p.broker == nil {
			return nil
		}
		return p.broker.Close()
	}}
}

// connectorPart runs the MQTT connector. It delivers messages to the functions through the
// platform's own gateway.
func (p *platform) connectorPart() part {
	var admin *gateway.Server
	var stop context.CancelFunc
	done := make(chan error, 1)
	return part{"connector", func(ctx context.Context) error {
		c, err := p.connectorConfig()
		if err != nil {
			return err
		}
		b, err := bridge.New(ctx, c, bridge.Options{Log: p.log.With("function", "connector"), Now: p.now, Redact: p.secrets.Brief, RedactCut: p.secrets.RedactCut})
		if err != nil {
			return err
		}
		if admin, err = gateway.Listen(c.Listen, b.Handler(), p.log); err != nil {
			return withFreePorts(err, p.freePorts())
		}
		p.admin, p.began, p.clientID = admin.Addr, p.now(), c.ClientID
		p.bridge.Store(b)
		ctx, stop = context.WithCancel(context.WithoutCancel(ctx))
		go func() { done <- b.Run(ctx) }()
		return nil
	}, func(ctx context.Context) error {
		if p.broker != nil { // the embedded broker loses what the connector has not acknowledged
			drain, cancel := context.WithTimeout(ctx, grace/3)
			defer cancel()
			p.broker.Drain(drain, p.clientID)
		}
		connected := p.bridge.Load().Connected()
		stop()
		err := errors.Join(<-done, admin.Stop(ctx))
		if p.userBroker() && connected {
			p.leaveBroker(ctx)
		}
		return err
	}}
}

// leaveBroker ends the session at the user's broker, which would queue messages for it
// otherwise. If the broker cannot be reached, the session stays, and a stop does not wait
// for the broker.
func (p *platform) leaveBroker(ctx context.Context) {
	c, err := p.connectorConfig()
	if err != nil {
		return
	}
	o, err := intake.ClientOptions(c.Access())
	if err != nil {
		return
	}
	client := mqtt.NewClient(o.SetCleanSession(true).SetAutoReconnect(false).SetConnectTimeout(2 * time.Second))
	token := client.Connect()
	select {
	case <-token.Done():
	case <-ctx.Done():
	case <-time.After(3 * time.Second):
	}
	client.Disconnect(100)
}

func (p *platform) connectorConfig() (bridge.Config, error) {
	page, err := p.pagePort()
	if err != nil {
		return bridge.Config{}, err
	}
	vars := map[string]string{
		"MQTT_URL": p.mqttURL, "MQTT_CLIENT_ID": "hearth-connector", "GATEWAY_URL": "http://" + p.server.Addr,
		"REBUILD_INTERVAL": "2s", "DATA_DIR": filepath.Join(p.dir, "connector"), "LISTEN": address(connectorPort(page)),
	}
	names := []string{"MQTT_USER", "SPOOL_MAX_MIB", "SPOOL_POLICY", "SPOOL_SYNC", "DEAD_MAX", "DEAD_MAX_MIB", "CANARY_INTERVAL"}
	if p.userBroker() {
		names = append(names, userBrokerVars...)
	}
	for _, k := range names {
		if v := p.vars[k]; v != "" {
			vars[k] = v
		}
	}
	if p.vars["INFLUX_URL"] == "" {
		vars["GATHER_BY_LOAD"] = "true" // larger batches: SQLite syncs at each commit
	}
	if v := p.vars["GATHER_BY_LOAD"]; v != "" {
		vars["GATHER_BY_LOAD"] = v
	}
	if p.userBroker() {
		// The home's own connector may use the same broker: take another client id.
		vars["MQTT_CLIENT_ID"], vars["MQTT_READ_ONLY"] = "hearth-tap-"+hostname(), "true"
		if p.vars["DEAD_MAX"] == "" {
			vars["DEAD_MAX"] = "2000" // the broker may have many topics without a mapping
		}
	}
	if v := p.vars["MQTT_CLIENT_ID"]; v != "" {
		vars["MQTT_CLIENT_ID"] = v
	}
	env := p.env
	env.Vars = vars
	return config.Parse[bridge.Config](env)
}

const (
	readyWait  = 5 * time.Second // for the connector's subscriptions at the start
	readyEvery = 200 * time.Millisecond
)

// waitReady waits until the connector has subscribed, so that no message is missed that a
// user publishes after the start. It waits at most 5 s, and only until the user's broker
// cannot be reached.
func (p *platform) waitReady(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, readyWait)
	defer cancel()
	for b := p.bridge.Load(); !b.Ready() && (!p.userBroker() || b.Problem().Kind == "") && pause.For(ctx, 20*time.Millisecond); {
	}
}

// notes returns warnings for the top of the page.
func (p *platform) notes() []string {
	var out []string
	switch now, err := p.settings.Look(p.now()); {
	case errors.Is(err, settings.ErrUnread):
		out = append(out, p.redact("messages wait until hearth.yml is read, as it may map them: "+err.Error()))
	case err != nil:
		out = append(out, p.redact(now.file.Note(err)))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	out = append(out, p.sampleNotes(ctx)...)
	wanted := slices.ContainsFunc(p.host.Functions(), func(f host.Function) bool { return len(f.Topics()) > 0 })
	if wanted && p.bridge.Load() != nil {
		if problem := p.brokerProblem(); problem != "" {
			out = append(out, p.redact(problem))
		}
	}
	if r := p.slack.Load(); r != nil && r.Problem() != "" {
		out = append(out, "the buttons in Slack do not work, as Slack is not connected: "+r.Problem())
	}
	if b := p.bridge.Load(); b != nil && b.DroppedLetters() > 0 {
		out = append(out, fmt.Sprintf("dead letters were dropped since the start, the oldest first: %d. To keep more, raise DEAD_MAX or DEAD_MAX_MIB, or free space on the disk of %s", b.DroppedLetters(), p.dir))
	}
	if p.onlyShows() {
		out = append(out, showNote)
	}
	return append(out, diskNote(p.dir)...)
}

// lowDisk is when the page warns: with less free, the database may soon be unable to grow.
const lowDisk = 500 << 20

// diskNote warns that the disk of the platform's folder is nearly full.
func diskNote(dir string) []string {
	size, free, err := folder.Disk(dir)
	if err != nil || free >= lowDisk || free >= size/4 {
		return nil
	}
	return []string{fmt.Sprintf("the disk of %s is nearly full, %d MB are free: make room there, or set HEARTH_DIR to a folder on another disk", dir, free>>20)}
}

// brokerProblem says why no message arrives from the broker, or not all do, or "".
func (p *platform) brokerProblem() string {
	switch problem := p.bridge.Load().Problem(); {
	case problem.Kind == mqttclient.Subscription:
		return "not all messages arrive from the broker at " + p.mqttURL + ": " + problem.Text
	case problem.Kind != "":
		return "no message arrives from the broker at " + p.mqttURL + ": " + problem.Text
	case !p.bridge.Load().Ready() && p.now().Sub(p.began) > readyWait:
		return "no message arrives from the broker at " + p.mqttURL + ": it has not answered yet"
	}
	return ""
}

// logBroker logs which broker the platform listens to, or why it does not yet. Then it logs
// when it does, unless ctx ends before.
func (p *platform) logBroker(ctx context.Context) {
	log := p.log.With("function", "connector")
	if !p.userBroker() {
		log.Info("the broker listens at " + p.mqttURL + " · try: " + p.try())
		return
	}
	ready := func() { log.Info("listens to your broker at " + p.mqttURL + ", and publishes nothing there") }
	if p.bridge.Load().Ready() {
		ready()
		return
	}
	log.Warn(cmp.Or(p.brokerProblem(), "the broker at "+p.mqttURL+" has not answered yet") + " · it is tried again until it works")
	go func() {
		for pause.For(ctx, readyEvery) {
			if p.bridge.Load().Ready() {
				ready()
				return
			}
		}
	}()
}

// try returns a shell command that publishes a first reading, or "" with the user's own
// broker.
func (p *platform) try() string {
	if p.userBroker() || p.bridge.Load() == nil {
		return ""
	}
	port := ""
	if _, n, err := net.SplitHostPort(strings.TrimPrefix(p.mqttURL, "tcp://")); err == nil && n != "1883" {
		port = "-p " + n + " "
	}
	return "mosquitto_pub " + port + `-t office/desk -m '{"temperature":21.5,"humidity":40}'`
}
