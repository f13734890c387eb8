// Command edge is the agent on a node with sensors: it reads them and takes their
// readings to the MQTT broker.
//
//	hearth-edge                   run
//	hearth-edge check             read each sensor once; fails if one does
//	hearth-edge check -soak 1h    read them for an hour and judge them
//	hearth-edge recalibrate -device office-air -ppm 425   tell a CO2 sensor what the air is
//	hearth-edge list              serial ports, I2C chips and iio devices of this machine
//
// Settings come from the environment and /etc/hearth/edge/<node>.env: docs/edge.md.
// Simulated sensors are in another program: edge/simulated.
package main

import "github.com/hearth-home/hearth/edge/cli"

func main() { cli.Main(nil) }
