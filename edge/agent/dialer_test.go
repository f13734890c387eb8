package agent

import (
	"context"
	"log/slog"
	"net"
	"os"
	"testing"

	"github.com/hearth-home/hearth/shared/mqttclient"
)

// A server that takes connections and is mute is asked for seconds what it is. A stop does
// not wait for that.
func TestAStopDoesNotWaitForWhatAServerIs(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	d := &dialer{broker: mqttclient.NewReporter(mqttclient.Access{URL: "tcp://" + l.Addr().String()}, slog.New(slog.DiscardHandler))}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	d.failed(ctx, os.ErrDeadlineExceeded)
	if p := d.broker.Problem(); p.Kind != "" {
		t.Errorf("the answer was waited for: %s", p.Text)
	}
}
