package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/bridge"
	"github.com/hearth-home/hearth/connectors/mqtt/deadcmd"
	"github.com/hearth-home/hearth/connectors/mqtt/intake"
	"github.com/hearth-home/hearth/local/listen"
	"github.com/hearth-home/hearth/shared/config"
)

// cmdDead asks the connector of the running platform.
func cmdDead(ctx context.Context, h *house, args []string, out io.Writer) error {
	env, err := h.env()
	if err != nil {
		return err
	}
	at := h.adminAddr()
	if n, ok := h.findRunning(); ok {
		at = n.Admin
	}
	return deadcmd.Command{Program: program, Listen: at, Token: env.Secrets.Get("connector-token"), Out: out, Terminal: hasColor(out)}.Run(ctx, args)
}

// cmdDevice listens for messages at a topic and proposes how to map them.
func cmdDevice(ctx context.Context, h *house, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("device", flag.ContinueOnError)
	span := fs.Duration("for", 30*time.Second, "listen at most so long")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() != 1 || fs.Arg(0) == "" {
		return errors.New("which topic? make device TOPIC=home/office/desk, or a filter: TOPIC='home/#'")
	}
	c, err := h.listenerConfig()
	if err != nil {
		return err
	}
	o, err := intake.ClientOptions(c.Access())
	if err != nil {
		return err
	}
	said, err := h.watchSettings(slog.New(slog.DiscardHandler)).Look(time.Now())
	if err != nil {
		fmt.Fprintln(out, "# hearth.yml has mistakes:", err)
	}
	fmt.Fprintf(out, "# listening at %s to %s for up to %s; Ctrl-C ends it earlier\n", c.URL, fs.Arg(0), *span)
	heard, err := listen.To(ctx, o, fs.Arg(0), *span)
	if err != nil {
		return fmt.Errorf("listen at %s: %w", c.URL, err)
	}
	return heard.Write(out, said.set)
}

// listenerConfig is how to reach the broker that the platform listens to, or
// would: with a client id of its own, and nothing is published.
func (h *house) listenerConfig() (bridge.Config, error) {
	env, err := h.env()
	if err != nil {
		return bridge.Config{}, err
	}
	vars := map[string]string{"MQTT_CLIENT_ID": "hearth-device-" + strings.ToLower(rand.Text()[:8]), "MQTT_READ_ONLY": "true"}
	for _, k := range []string{"MQTT_URL", "MQTT_USER", "MQTT_CA_FILE", "MQTT_CERT_FILE", "MQTT_KEY_FILE"} {
		vars[k] = h.vars[k]
	}
	if n, ok := h.findRunning(); ok && vars["MQTT_URL"] == "" {
		vars["MQTT_URL"] = n.Broker
		if vars["MQTT_USER"] == "" {
			vars["MQTT_USER"] = n.User
		}
	}
	if port := h.vars["MQTT_PORT"]; vars["MQTT_URL"] == "" && port != "" {
		vars["MQTT_URL"] = "tcp://" + net.JoinHostPort("127.0.0.1", port)
	}
	for k, v := range vars {
		if v == "" {
			delete(vars, k)
		}
	}
	env.Vars = vars
	return config.Parse[bridge.Config](env)
}
