package local

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/bridge"
	"github.com/hearth-home/hearth/connectors/mqtt/intake"
	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/local/listen"
	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/topic"
)

// Connector returns the address, host:port, of the running platform's connector, and the
// token for its API of dead letters.
func (h *Installation) Connector() (address string, token secret.String) {
	address = h.adminAddr()
	if n, ok := h.findRunning(); ok {
		address = n.Admin
	}
	return address, h.env().Secrets.Get(tokenSecret)
}

// KeepsToken reports whether the token of Connector is the one that the platform made, as
// the user has set none.
func (h *Installation) KeepsToken() bool { return h.vars[host.Variable(tokenSecret)] == "" }

// Listen subscribes to a topic or filter for up to span and returns what was published
// there. The broker is the running platform's, or the one that up would use. Before it
// connects, it calls begin with the broker's address.
func (h *Installation) Listen(ctx context.Context, filter string, span time.Duration, begin func(broker string)) (*listen.Result, error) {
	c, err := h.listenerConfig()
	if err != nil {
		return nil, err
	}
	o, err := intake.ClientOptions(c.Access())
	if err != nil {
		return nil, err
	}
	begin(c.URL)
	received, err := listen.To(ctx, o, filter, span)
	if err != nil {
		return nil, fmt.Errorf("listen at %s: %w", c.URL, err)
	}
	received.FunctionOf = h.functionOf
	return received, nil
}

// functionOf returns the function whose topics match a topic, or "". It leaves out
// sensors, which needs mappings.
func (h *Installation) functionOf(name string) string {
	fs, _ := stack.Read(h.root, h.vars) // without a stack file no function is known
	for _, f := range fs {
		if f.Name != "sensors" && slices.ContainsFunc(f.Topics(), func(filter string) bool { return topic.Match(filter, name) }) {
			return f.Name
		}
	}
	return ""
}

// Mapped returns the mappings of hearth.yml, and as an error the file's mistakes.
func (h *Installation) Mapped() (*mapping.Set, error) {
	current, err := h.watchSettings(slog.New(slog.DiscardHandler)).Look(time.Now())
	return current.set, err
}

// listenerConfig returns the settings to connect to the broker of the running platform, or
// to the one that up would use. It has a random client id and publishes nothing.
func (h *Installation) listenerConfig() (bridge.Config, error) {
	vars := map[string]string{"MQTT_CLIENT_ID": "hearth-device-" + strings.ToLower(rand.Text()[:8]), "MQTT_READ_ONLY": "true"}
	for _, k := range []string{"MQTT_URL", "MQTT_USER", "MQTT_CA_FILE", "MQTT_CERT_FILE", "MQTT_KEY_FILE"} {
		vars[k] = h.vars[k]
	}
	n, running := h.findRunning()
	if running && vars["MQTT_URL"] == "" {
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
	env := h.env()
	env.Vars = vars
	if running && vars["MQTT_URL"] != n.Broker { // the platform's password is not for another broker
		env.Secrets = secret.InMemory(map[string]string{passwordSecret: h.vars[host.Variable(passwordSecret)]}, nil)
	}
	return config.Parse[bridge.Config](env)
}
