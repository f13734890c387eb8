package local

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
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
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/topic"
)

// Connector returns the address, host:port, of the running platform's connector, or the one
// at which up would serve it. The error is about PORT.
func (h *Installation) Connector() (string, error) {
	if n, ok := h.findRunning(); ok {
		return n.Admin, nil
	}
	page, err := h.pagePort()
	return addressOf(connectorPort(page), err)
}

// ConnectorToken returns the token for the connector's API of dead letters. kept: it is the
// running platform's, as the user has set none.
func (h *Installation) ConnectorToken() (token secret.String, kept bool) {
	return h.env().Secrets.Get(tokenSecret), h.vars[host.Variable(tokenSecret)] == ""
}

// Listen subscribes to a topic or filter for up to span and returns what was published
// there. The broker is the running platform's, or the one that up would use. Once it has
// subscribed, it calls begin with the broker's address.
func (h *Installation) Listen(ctx context.Context, filter string, span time.Duration, begin func(broker string)) (*listen.Result, error) {
	c, err := h.listenerConfig()
	if err != nil {
		return nil, err
	}
	o, err := intake.ClientOptions(c.Access())
	if err != nil {
		return nil, err
	}
	received, err := listen.To(ctx, o, filter, span, func() { begin(c.URL) })
	if failed, ok := errors.AsType[listen.ConnectError](err); ok && !errors.Is(err, context.Canceled) {
		err = errors.New(c.Access().Explain(failed).Text)
	}
	if err != nil {
		return nil, fmt.Errorf("listen at %s: %w", c.URL, err)
	}
	fs, _ := stack.Read(h.root, h.vars) // without a stack file no function is known
	received.FunctionOf = func(name string) string { return functionOf(fs, name) }
	return received, nil
}

// functionOf returns the function whose topics match a topic, or "". It leaves out
// sensors, which needs mappings.
func functionOf(fs []stack.Function, name string) string {
	for _, f := range fs {
		if f.Name != "sensors" && slices.ContainsFunc(f.Topics(), func(filter string) bool { return topic.Match(filter, name) }) {
			return f.Name
		}
	}
	return ""
}

// Mapped returns the mappings of hearth.yml and those that were saved on the page, and as an
// error the file's mistakes.
func (h *Installation) Mapped(ctx context.Context) (*mapping.Set, error) {
	w, now := h.watchSettings(slog.New(slog.DiscardHandler)), time.Now()
	_ = h.withStore(ctx, func(st *store.Store) error { return w.ReadSaved(ctx, st, now) }) // without the database those of the file are known
	current, err := w.Look(now)
	return current.set, err
}

// listenerConfig returns the settings to connect to the broker of the running platform, or
// to the one that up would use. It has a random client id and publishes nothing.
func (h *Installation) listenerConfig() (bridge.Config, error) {
	vars := map[string]string{"MQTT_CLIENT_ID": "hearth-device-" + strings.ToLower(rand.Text()[:8]), "MQTT_READ_ONLY": "true"}
	names := []string{"MQTT_USER"}
	if h.userBroker() {
		names = append(names, userBrokerVars...)
	}
	for _, k := range names {
		vars[k] = h.vars[k]
	}
	n, running := h.findRunning()
	switch {
	case h.userBroker():
		if h.badBroker != nil {
			return bridge.Config{}, h.badBroker
		}
	case running:
		vars["MQTT_URL"], vars["MQTT_USER"] = n.Broker, cmp.Or(vars["MQTT_USER"], n.User)
	default:
		at, err := addressOf(h.brokerPort())
		if err != nil {
			return bridge.Config{}, err
		}
		vars["MQTT_URL"] = "tcp://" + at
	}
	for k, v := range vars {
		if v == "" {
			delete(vars, k)
		}
	}
	env := h.env()
	env.Vars = vars
	return config.Parse[bridge.Config](env)
}
