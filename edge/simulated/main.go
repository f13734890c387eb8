// Command simulated is the edge agent with simulated sensors beside the real ones: the
// real drivers, which hear the same bytes as on hardware. With SIMULATE=true the
// sensors that are set are simulated, or one of each kind where none is.
//
//	SIMULATE=true go run ./edge/simulated check
package main

import (
	"context"

	"github.com/hearth-home/hearth/edge/cli"
	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/sim"
)

func main() { cli.Main(&cli.Simulators{House: sim.OneOfEach(), Machine: machine}) }

func machine(ctx context.Context, speed float64) *driver.Machine {
	return sim.NewMachine(ctx, sim.NewFast(speed))
}
