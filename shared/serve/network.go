package serve

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/hearth-home/hearth/shared/pause"
)

// networkEvery is how often the network is looked at after SIGTERM.
const networkEvery = 100 * time.Millisecond

var errNoNetwork = errors.New("the container's network was removed: requests in flight were cut off, since nobody would get their answers")

// watchNetwork calls lost, which ends ctx, if there is no network, twice in a row. It
// returns when ctx ends.
//
// faasd removes a container's network before it sends SIGTERM
// (https://github.com/openfaas/faasd/blob/master/pkg/provider/handlers/update.go). A
// request that waits for a database, or of-watchdog for the rest of a request, would wait
// until its timeout, and faasd with it. Kubernetes removes the network last.
func watchNetwork(ctx context.Context, lost context.CancelCauseFunc) {
	for without := 0; pause.For(ctx, networkEvery); {
		if networked() {
			without = 0
		} else if without++; without == 2 {
			lost(errNoNetwork)
		}
	}
}

// networked reports whether this machine has a network interface that is up and has an
// address, other than the loopback interface. If that cannot be found out, it has.
func networked() bool {
	all, err := net.Interfaces()
	if err != nil {
		return true
	}
	for _, i := range all {
		if i.Flags&net.FlagLoopback != 0 || i.Flags&net.FlagUp == 0 {
			continue
		}
		if addresses, err := i.Addrs(); err != nil || len(addresses) > 0 {
			return true
		}
	}
	return false
}
