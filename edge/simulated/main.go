// Command simulated is the edge agent with simulated sensors. The real drivers read them,
// with the same bytes as from hardware. With SIMULATE=true the configured sensors are
// simulated, or one of each kind if none is configured.
//
//	SIMULATE=true go run ./edge/simulated check
package main

import (
	"context"

	"github.com/hearth-home/hearth/edge/cli"
	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/sim"
)

func main() { cli.Main(&cli.Simulators{Sensors: sim.OneOfEach(), Machine: machine}) }

func machine(ctx context.Context, speed float64) *driver.Machine {
	return sim.NewMachine(ctx, sim.NewFast(speed))
}
