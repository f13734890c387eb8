package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/shared/mqttclient"
	"github.com/hearth-home/hearth/shared/pause"
	"github.com/hearth-home/hearth/shared/wire"
)

const (
	reportAfter = 30 * time.Second // a problem that is over sooner is not reported, nor is another kind of it
	reportEvery = time.Second
)

// reporter reports to the store, for the page, that the broker cannot be used, and that it
// can be again. The broker is not there to carry the report: it goes through the spool, as
// the status of a node with the connector's client id.
type reporter struct {
	*Bridge
	since    time.Time       // when the problem began, or was last reported; zero: there is none
	reported mqttclient.Kind // of the last report; "": there is no problem, or none was reported
	marked   mqttclient.Kind // what the file mark says
}

// mark is a file that exists while a problem is reported: after a restart, the connector
// must still report its end.
func (r *reporter) mark() string { return filepath.Join(r.config.Dir, "broker-problem") }

// keepMark makes the file mark say what is reported. If that fails, the next call tries
// again.
func (r *reporter) keepMark() {
	var err error
	switch {
	case r.marked == r.reported:
		return
	case r.reported == "":
		err = os.Remove(r.mark())
	default:
		err = os.WriteFile(r.mark(), []byte(r.reported), 0o600)
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		r.marked = r.reported
	}
}

// run reports until ctx ends.
func (r *reporter) run(ctx context.Context) {
	if strings.ContainsAny(r.config.ClientID, "/+#") {
		return // it cannot be a part of a topic
	}
	kind, _ := os.ReadFile(r.mark()) // without it, nothing was reported
	r.reported, r.marked = mqttclient.Kind(kind), mqttclient.Kind(kind)
	for pause.For(ctx, reportEvery) {
		r.look(ctx)
	}
}

// look reports a change. If that fails, the next call tries again.
func (r *reporter) look(ctx context.Context) {
	defer r.keepMark()
	switch p := r.Problem(); {
	case p.Kind == "" && !r.Ready():
	case p.Kind == "":
		r.since = time.Time{}
		if r.reported != "" && r.report(ctx, wire.NodeStatus{State: wire.Online}) == nil {
			r.reported = ""
		}
	case r.since.IsZero():
		r.since = r.now()
	case p.Kind != r.reported && r.now().Sub(r.since) >= reportAfter:
		status := wire.NodeStatus{State: wire.Offline, Problem: r.redact(p.Text, problemBytes)}
		if r.report(ctx, status) == nil {
			r.reported, r.since = p.Kind, r.now() // kinds that alternate do not fill the spool
		}
	}
}

func (r *reporter) report(ctx context.Context, s wire.NodeStatus) error {
	now := r.now()
	s.Time = now.UTC().Format(wire.TimeLayout)
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	m := message.Message{Arrival: now.UnixNano(), Topic: wire.StatusTopic(r.config.ClientID), Payload: b, QoS: 1}
	_, err = r.append(ctx, m.Encode())
	return err
}
