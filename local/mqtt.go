package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/hearth-home/hearth/connectors/mqtt/bridge"
	"github.com/hearth-home/hearth/connectors/mqtt/intake"
	"github.com/hearth-home/hearth/local/broker"
	"github.com/hearth-home/hearth/local/gateway"
	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/settings"
)

// tapped reports whether the user's own broker is listened to (MQTT_URL), beside
// what runs there already: nothing is published then.
func (h *Installation) tapped() bool { return h.vars["MQTT_URL"] != "" }

// brokerPart is a broker of our own, unless the user named one.
func (u *up) brokerPart() part {
	return part{"broker", func(context.Context) (err error) {
		if u.mqttURL = u.vars["MQTT_URL"]; u.tapped() {
			return nil
		}
		port := u.vars["MQTT_PORT"]
		switch {
		case port == "" && u.port() == "0":
			port = "0" // every port is a free one
		case port == "":
			port = "1883"
		}
		b, err := broker.Start(net.JoinHostPort("127.0.0.1", port), u.log)
		if err != nil {
			return fmt.Errorf("%w: another broker? listen to it with MQTT_URL=tcp://127.0.0.1:%s, or take another port with MQTT_PORT", err, port)
		}
		u.broker, u.mqttURL = b, "tcp://"+b.Addr()
		return nil
	}, func(context.Context) error {
		if u.broker == nil {
			return nil
		}
		return u.broker.Close()
	}}
}

// connectorPart takes messages to the functions that listen, through this
// platform's own gateway.
func (u *up) connectorPart() part {
	var admin *gateway.Server
	var stop context.CancelFunc
	done := make(chan error, 1)
	return part{"connector", func(ctx context.Context) error {
		c, err := u.connectorConfig()
		if err != nil {
			return err
		}
		b, err := bridge.New(c, bridge.Options{Log: u.log.With("function", "connector"), Now: u.now, Redact: u.env.Secrets.Brief})
		if err != nil {
			return err
		}
		if admin, err = gateway.Listen(c.Listen, b.Handler(), u.log); err != nil {
			return err
		}
		u.admin, u.began, u.clientID = admin.Addr, u.now(), c.ClientID
		u.bridge.Store(b)
		ctx, stop = context.WithCancel(context.WithoutCancel(ctx))
		go func() { done <- b.Run(ctx) }()
		return nil
	}, func(ctx context.Context) error {
		if u.broker != nil {
			quick, cancel := context.WithTimeout(ctx, grace/3)
			defer cancel()
			u.broker.Drain(quick, u.clientID)
		}
		stop()
		err := errors.Join(<-done, admin.Stop(ctx))
		if u.tapped() {
			u.leaveBroker(ctx)
		}
		return err
	}}
}

// leaveBroker gives up the session at the user's broker, which would go on
// keeping messages for it. A broker that is away by now keeps it.
func (u *up) leaveBroker(ctx context.Context) {
	c, err := u.connectorConfig()
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

func (u *up) connectorConfig() (bridge.Config, error) {
	vars := map[string]string{
		"MQTT_URL": u.mqttURL, "MQTT_CLIENT_ID": "hearth-connector", "GATEWAY_URL": "http://" + u.server.Addr,
		"REBUILD_INTERVAL": "2s", "DATA_DIR": filepath.Join(u.dir, "connector"), "LISTEN": u.adminAddr(),
	}
	for _, k := range []string{"MQTT_USER", "MQTT_CA_FILE", "MQTT_CERT_FILE", "MQTT_KEY_FILE", "SPOOL_MAX_MIB", "SPOOL_POLICY", "SPOOL_SYNC", "DEAD_MAX", "DEAD_MAX_MIB", "CANARY_INTERVAL"} {
		if v := u.vars[k]; v != "" {
			vars[k] = v
		}
	}
	if u.vars["INFLUX_URL"] == "" {
		vars["GATHER_BY_LOAD"] = "true" // SQLite syncs once a commit
	}
	if v := u.vars["GATHER_BY_LOAD"]; v != "" {
		vars["GATHER_BY_LOAD"] = v
	}
	if u.tapped() {
		// Beside a connector that serves this house already.
		vars["MQTT_CLIENT_ID"], vars["MQTT_READ_ONLY"] = "hearth-tap-"+hostname(), "true"
		if u.vars["DEAD_MAX"] == "" {
			vars["DEAD_MAX"] = "2000" // a broker has much that nobody here knows, and this is only a look at it
		}
	}
	if v := u.vars["MQTT_CLIENT_ID"]; v != "" {
		vars["MQTT_CLIENT_ID"] = v
	}
	env := u.env
	env.Vars = vars
	return config.Parse[bridge.Config](env)
}

// adminAddr is the port after the page's.
func (h *Installation) adminAddr() string {
	port := "0"
	if n, err := strconv.Atoi(h.port()); err == nil && n > 0 {
		port = strconv.Itoa(n + 1)
	}
	return net.JoinHostPort("127.0.0.1", port)
}

// waitReady waits until the connector listens to the broker, so that the first
// message that a newcomer sends is seen; a broker of the user's that is away is
// not waited for long.
func (u *up) waitReady(ctx context.Context) {
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
		if u.bridge.Load().Ready() {
			return
		}
	}
}

// notes are what a person should know who looks at the page.
func (u *up) notes() []string {
	var out []string
	switch _, err := u.settings.Look(u.now()); {
	case errors.Is(err, settings.ErrUnread):
		out = append(out, u.redact("messages wait that hearth.yml may map: "+err.Error()))
	case err != nil:
		out = append(out, u.redact("hearth.yml has mistakes, and what they concern stays as it was: "+err.Error()))
	}
	wanted := slices.ContainsFunc(u.host.Functions, func(f host.Function) bool { return len(f.Topics()) > 0 })
	if b := u.bridge.Load(); b != nil && wanted && u.now().Sub(u.began) > 5*time.Second && !b.Ready() {
		out = append(out, "the broker at "+u.mqttURL+" does not answer: nothing comes in until it does")
	}
	return out
}

// try is a command that brings a first device, "" where the broker is not ours.
func (u *up) try() string {
	if u.tapped() || u.bridge.Load() == nil {
		return ""
	}
	port := ""
	if _, p, err := net.SplitHostPort(strings.TrimPrefix(u.mqttURL, "tcp://")); err == nil && p != "1883" {
		port = "-p " + p + " "
	}
	return "mosquitto_pub " + port + `-t office/desk -m '{"temperature":21.5,"humidity":40}'`
}
