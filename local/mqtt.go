package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/bridge"
	"github.com/hearth-home/hearth/local/broker"
	"github.com/hearth-home/hearth/local/gateway"
	"github.com/hearth-home/hearth/shared/config"
)

// tapped reports whether the user's own broker is listened to (MQTT_URL), beside
// what runs there already: nothing is published then.
func (h *house) tapped() bool { return h.vars["MQTT_URL"] != "" }

// brokerPart is a broker of our own, unless the user named one.
func (u *up) brokerPart() part {
	var b *broker.Broker
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
		b, err = broker.Start(net.JoinHostPort("127.0.0.1", port), u.log)
		if err != nil {
			return fmt.Errorf("%w: another broker? listen to it with MQTT_URL=tcp://127.0.0.1:%s, or take another port with MQTT_PORT", err, port)
		}
		u.mqttURL = "tcp://" + b.Addr()
		return nil
	}, func(context.Context) error {
		if b == nil {
			return nil
		}
		return b.Close()
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
		u.bridge, err = bridge.New(c, bridge.Options{Log: u.log.With("function", "connector"), Now: u.now, Redact: u.env.Secrets.Brief})
		if err != nil {
			return err
		}
		if admin, err = gateway.Listen(c.Listen, u.bridge.Handler(), u.log); err != nil {
			return err
		}
		ctx, stop = context.WithCancel(context.WithoutCancel(ctx))
		go func() { done <- u.bridge.Run(ctx) }()
		return nil
	}, func(ctx context.Context) error {
		stop()
		return errors.Join(<-done, admin.Stop(ctx))
	}}
}

func (u *up) connectorConfig() (bridge.Config, error) {
	vars := map[string]string{
		"MQTT_URL": u.mqttURL, "MQTT_CLIENT_ID": "hearth-connector", "GATEWAY_URL": "http://" + u.server.Addr,
		"REBUILD_INTERVAL": "2s", "DATA_DIR": filepath.Join(u.dir, "connector"), "LISTEN": u.adminAddr(),
	}
	for _, k := range []string{"MQTT_USER", "MQTT_CA_FILE", "MQTT_CERT_FILE", "MQTT_KEY_FILE", "SPOOL_MAX_MIB", "SPOOL_POLICY", "SPOOL_SYNC", "CANARY_INTERVAL"} {
		if v := u.vars[k]; v != "" {
			vars[k] = v
		}
	}
	if u.tapped() {
		// Beside a connector that serves this house already.
		vars["MQTT_CLIENT_ID"], vars["MQTT_READ_ONLY"] = "hearth-tap-"+hostname(), "true"
	}
	if v := u.vars["MQTT_CLIENT_ID"]; v != "" {
		vars["MQTT_CLIENT_ID"] = v
	}
	env := u.env
	env.Vars = vars
	return config.Parse[bridge.Config](env)
}

// adminAddr is the port after the page's.
func (h *house) adminAddr() string {
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
		if u.bridge.Ready() {
			return
		}
	}
}
