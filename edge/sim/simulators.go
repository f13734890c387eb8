package sim

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/edge/driver"
)

// simulator makes simulated sensors of a kind. One of uart, chip, server and files is set.
type simulator struct {
	device   string   // device name in OneOfEach
	settings []string // its other settings there

	uart   func(seed uint64) UART
	chip   func(seed uint64) Chip
	shared bool // several sensors share a chip
	server func(seed uint64, clock driver.Clock) server
	files  func(seed uint64, clock driver.Clock) files
}

// server is a simulated device on the network. Serve returns the address that it listens
// on; done is closed when it has stopped after the end of ctx.
type server interface {
	Serve(ctx context.Context, addr string) (at string, done <-chan struct{}, err error)
}

// simulators holds the simulator of each kind. The kind's file adds it.
var simulators = map[string]simulator{}

// simulate adds the simulator of a kind.
func simulate(kind string, s simulator) struct{} {
	simulators[kind] = s
	return struct{}{}
}

// OneOfEach returns the settings of one sensor of each simulated kind.
func OneOfEach() map[string]string {
	vars := map[string]string{}
	for i, kind := range slices.Sorted(maps.Keys(simulators)) {
		s := simulators[kind]
		for _, setting := range append([]string{"KIND=" + kind, "DEVICE=" + s.device, "INTERVAL=5s", "EVERY=0s"}, s.settings...) {
			name, value, _ := strings.Cut(setting, "=")
			vars[fmt.Sprintf("SENSOR_%d_%s", i, name)] = value
		}
	}
	return vars
}
