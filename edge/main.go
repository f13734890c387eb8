// Command edge is the agent on a node with sensors: it reads them and publishes
// their readings to the MQTT broker.
//
//	hearth-edge          run
//	hearth-edge check    read each sensor once; hearth-edge help lists all commands
//
// Settings come from the environment and /etc/hearth/edge/<node>.env: docs/edge.md.
// Simulated sensors are in another program: edge/simulated.
package main

import "github.com/hearth-home/hearth/edge/cli"

func main() { cli.Main(nil) }
