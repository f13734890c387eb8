package sim

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/edge/driver"
)

// simulator stands in for the sensors of a kind: by a sensor on a serial line, a
// chip, a server or files.
type simulator struct {
	device   string   // what one is called in the simulated house
	settings []string // and its settings there

	uart   func(seed uint64) UART
	chip   func(seed uint64) Chip
	shared bool // several sensors are on one chip
	server func(seed uint64, clock driver.Clock) server
	files  func(seed uint64, clock driver.Clock) files
}

// server is a simulated device on the network.
type server interface {
	Serve(ctx context.Context, addr string) (at string, done <-chan struct{}, err error)
}

// simulators are those of all kinds: each file of one adds its own.
var simulators = map[string]simulator{}

// simulate adds the simulator of a kind.
func simulate(kind string, s simulator) struct{} {
	simulators[kind] = s
	return struct{}{}
}

// House returns the settings of a house with one sensor of each simulated kind.
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
