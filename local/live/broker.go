package live

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/intake"
	"github.com/hearth-home/hearth/local/dotenv"
	"github.com/hearth-home/hearth/local/listen"
	"github.com/hearth-home/hearth/shared/mqttclient"
	"github.com/hearth-home/hearth/shared/page/steps"
	"github.com/hearth-home/hearth/shared/secret"
)

const (
	brokerName   = "broker"
	passwordName = "mqtt-password"
	lookTime     = 1500 * time.Millisecond // for brokers at the usual addresses
	connectTime  = 3 * time.Second
	listenTime   = 5 * time.Second // connecting included
	zigbeeBase   = "zigbee2mqtt"   // Zigbee2MQTT's base topic, unless it is configured
)

// usual are names that a home's broker often has.
var usual = []string{"localhost", "homeassistant.local", "mosquitto.local", "mqtt.local", "zigbee2mqtt.local"}

// brokerLine returns the line for the user's own broker; ok is false if there is one.
func (m *maker) brokerLine() (l steps.Line, ok bool) {
	m.mu.Lock()
	saved := m.brokerSaved
	m.mu.Unlock()
	if saved || m.Host.With(nil)["MQTT_URL"] != "" {
		return l, false
	}
	return steps.Line{
		Name: brokerName, Title: "MQTT broker", Docs: docs + "docs/mqtt.md",
		About: "This page shows what arrives at the broker that hearth brings along, with simulated sensors. With the address of your own broker, hearth listens there instead, and publishes nothing.",
		Tries: "Try connects, listens for some seconds, and publishes nothing.",
		Fields: []steps.Field{
			{Name: "MQTT_URL", Label: "Address", Example: "tcp://192.168.1.10:1883", Hint: "ssl:// and port 8883 where the broker has TLS", Needed: true},
			{Name: "MQTT_USER", Label: "User", Hint: "where the broker requires one"},
			{Name: "MQTT_PASSWORD", Label: "Password", Secret: true},
		},
	}, true
}

// fill fills in the address of a broker that answers at a usual address.
func (m *maker) fill(ctx context.Context, l steps.Line) steps.Line {
	if l.Name != brokerName {
		return l
	}
	own := strings.TrimPrefix(m.OwnBroker(), "tcp://")
	var addresses []string
	for _, host := range usual {
		if address := net.JoinHostPort(host, "1883"); host != "localhost" || !strings.HasSuffix(own, ":1883") {
			addresses = append(addresses, address)
		}
	}
	if at := firstOpen(ctx, addresses); at != "" {
		l.Fields[0].Value, l.Fields[0].Hint = "tcp://"+at, "something answers there; "+l.Fields[0].Hint
	}
	return l
}

// firstOpen returns the first of the addresses that takes connections, "" if none does soon.
func firstOpen(ctx context.Context, addresses []string) string {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	open := make([]bool, len(addresses))
	var dials sync.WaitGroup
	for i, address := range addresses {
		dials.Go(func() {
			c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
			if open[i] = err == nil; err == nil {
				c.Close()
			}
		})
	}
	dials.Wait()
	if i := slices.Index(open, true); i >= 0 {
		return addresses[i]
	}
	return ""
}

// access returns how to reach the broker of a form. User and password may be in the address.
func access(values map[string]string) (a mqttclient.Access, hidden *secret.Folder, err error) {
	u, err := mqttclient.ParseURL(values["MQTT_URL"])
	if err != nil {
		return a, nil, err
	}
	user, password := values["MQTT_USER"], values["MQTT_PASSWORD"]
	if u.User != nil {
		inside, _ := u.User.Password()
		user, password = cmp.Or(user, u.User.Username()), cmp.Or(password, inside)
		u.User = nil
	}
	hidden = secret.InMemory(map[string]string{passwordName: password}, nil)
	return mqttclient.Access{URL: u.String(), User: user, Password: hidden.Get(passwordName), ClientID: "hearth-try-" + strings.ToLower(rand.Text()[:8])}, hidden, nil
}

// filters are what is looked for at a broker.
var filters = []string{"#", "+/bridge/devices", "+/+/bridge/devices", "tele/+/LWT", "hearth/+/status"}

// tryBroker connects and listens to all filters at the same time.
func (m *maker) tryBroker(ctx context.Context, values map[string]string) (steps.Result, error) {
	a, hidden, err := access(values)
	if err != nil {
		return steps.Result{}, &steps.Refusal{Code: http.StatusBadRequest, Text: err.Error()}
	}
	redact := func(s string) string { return m.Secrets.Redact(hidden.Redact(s)) }
	reports, errs := make([]listen.Report, len(filters)), make([]error, len(filters))
	var all sync.WaitGroup
	for i, filter := range filters {
		all.Go(func() { reports[i], errs[i] = hear(ctx, a, filter) })
	}
	all.Wait()
	if err := errs[0]; err != nil {
		if failed, ok := errors.AsType[listen.ConnectError](err); ok {
			err = errors.New(a.Explain(failed).Text)
		}
		return steps.Result{}, errors.New(redact(err.Error()))
	}
	out, bases := heard(reports)
	for i, row := range out.Rows {
		out.Rows[i] = steps.Row{What: short(redact(row.What)), Value: short(redact(row.Value))}
	}
	out.Title = "It works: hearth is connected to " + redact(a.URL) + "."
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tried[brokerName], m.bases = sum(values), bases
	return out, nil
}

// hear returns what is published at the topics of a filter.
func hear(ctx context.Context, a mqttclient.Access, filter string) (listen.Report, error) {
	a.ClientID += "-" + strings.ToLower(rand.Text()[:4])
	o, err := intake.ClientOptions(a)
	if err != nil {
		return listen.Report{}, err
	}
	got, err := listen.To(ctx, o.SetConnectTimeout(connectTime), filter, listenTime, func() {})
	if err != nil {
		return listen.Report{}, err
	}
	return got.Report(nil), nil
}

// heard says what was found, and which base topics Zigbee2MQTT has.
func heard(reports []listen.Report) (out steps.Result, bases []string) {
	all := reports[0]
	topics := fmt.Sprint(len(all.Topics))
	if all.More > 0 {
		topics = "more than " + topics
	}
	out.Rows = append(out.Rows, steps.Row{What: "Topics with a message", Value: topics})
	if len(all.Topics) == 0 {
		out.Note = "Nothing was published meanwhile. That may be right: a sensor may be silent for minutes."
	}
	for _, t := range slices.Concat(reports[1].Topics, reports[2].Topics) {
		n, ok := zigbeeDevices(t.Payload)
		if !ok {
			continue
		}
		base := strings.TrimSuffix(t.Topic, "/bridge/devices")
		bases = append(bases, base)
		out.Rows = append(out.Rows, steps.Row{What: "Zigbee2MQTT at " + base, Value: n})
	}
	for i, what := range []string{"Tasmota", "Nodes of hearth"} {
		if n := len(reports[3+i].Topics); n > 0 {
			out.Rows = append(out.Rows, steps.Row{What: what, Value: count(n, "device")})
		}
	}
	return out, bases
}

// zigbeeDevices counts the devices in Zigbee2MQTT's list, without its own radio. ok is false
// if it is no such list. The list may be cut.
// https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html
func zigbeeDevices(payload []byte) (n string, ok bool) {
	d := json.NewDecoder(bytes.NewReader(payload))
	if open, err := d.Token(); err != nil || open != json.Delim('[') {
		return "", false
	}
	devices := 0
	for d.More() {
		var one struct {
			Address string `json:"ieee_address"`
			Type    string `json:"type"`
		}
		err := d.Decode(&one)
		if err != nil && devices > 0 {
			return fmt.Sprintf("more than %d devices", devices), true
		}
		if err != nil || one.Address == "" {
			return "", false
		}
		if one.Type != "Coordinator" {
			devices++
		}
	}
	return count(devices, "device"), true
}

// saveBroker writes the broker's settings to .env. The platform uses it after a restart: until
// then its own broker keeps what is not delivered yet.
func (m *maker) saveBroker(values map[string]string) (steps.Result, error) {
	a, _, err := access(values)
	if err != nil {
		return steps.Result{}, &steps.Refusal{Code: http.StatusBadRequest, Text: err.Error()}
	}
	vars := m.Host.With(nil)
	changes := map[string]string{"MQTT_URL": a.URL}
	for name, v := range map[string]string{"MQTT_USER": a.User, "MQTT_PASSWORD": a.Password.Reveal()} {
		if v != vars[name] {
			changes[name] = v
		}
	}
	if more := slices.DeleteFunc(slices.Clone(m.bases), func(b string) bool { return b == zigbeeBase }); len(more) > 0 && vars["ZIGBEE_TOPICS"]+vars["ZIGBEE_BASES"] == "" {
		changes["ZIGBEE_BASES"], changes["ZIGBEE_TOPICS"] = strings.Join(m.bases, ","), strings.Join(more, "/#,")+"/#"
	}
	if err := m.mayChange(changes); err != nil {
		return steps.Result{}, err
	}
	if v := changes["MQTT_PASSWORD"]; v != "" {
		m.Secrets.Remember(v)
	}
	if err := dotenv.Set(m.File, changes); err != nil {
		return steps.Result{}, unwritable(m.File, changes, err)
	}
	m.brokerSaved = true
	return steps.Result{Title: "Saved in .env. To use it, restart hearth: Ctrl-C in its terminal, then " + m.Command + "."}, nil
}
