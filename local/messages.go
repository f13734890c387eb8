package local

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/bridge"
	"github.com/hearth-home/hearth/connectors/mqtt/intake"
	"github.com/hearth-home/hearth/local/listen"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/secret"
)

// Connector returns the address, host:port, of the connector of the running
// platform, where its dead letters are, and the token that it asks for.
func (h *Installation) Connector() (address string, token secret.String, err error) {
	env, err := h.env()
	if err != nil {
		return "", secret.String{}, err
	}
	address = h.adminAddr()
	if n, ok := h.findRunning(); ok {
		address = n.Admin
	}
	return address, env.Secrets.Get("connector-token"), nil
}

// Listen hears what is published at a topic or filter, for up to span, at the
// broker that the platform listens to, or would. begin is told where that is.
func (h *Installation) Listen(ctx context.Context, filter string, span time.Duration, begin func(broker string)) (*listen.Heard, error) {
	c, err := h.listenerConfig()
	if err != nil {
		return nil, err
	}
	o, err := intake.ClientOptions(c.Access())
	if err != nil {
		return nil, err
	}
	begin(c.URL)
	heard, err := listen.To(ctx, o, filter, span)
	if err != nil {
		return nil, fmt.Errorf("listen at %s: %w", c.URL, err)
	}
	return heard, nil
}

// Mapped returns what hearth.yml maps, and its mistakes as an error.
func (h *Installation) Mapped() (*mapping.Set, error) {
	said, err := h.watchSettings(slog.New(slog.DiscardHandler)).Look(time.Now())
	return said.set, err
}

// listenerConfig is how to reach the broker that the platform listens to, or
// would: with a client id of its own, and nothing is published.
func (h *Installation) listenerConfig() (bridge.Config, error) {
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
