package local

import (
	"context"
	"path/filepath"
	"time"

	"github.com/hearth-home/hearth/edge/agent"
	"github.com/hearth-home/hearth/edge/sim"
)

// simulates reports whether simulated sensors run here.
func (p *platform) simulates() bool { return !p.userBroker() && p.vars["EDGE"] != "off" }

// simulatedSince is since when no simulated sensors run here, zero if they do. The devices
// of an earlier start are then not shown. They stay in the register with their past.
func (p *platform) simulatedSince() time.Time {
	if p.simulates() {
		return time.Time{}
	}
	return p.now()
}

// edgePart runs the edge agent with its real drivers on simulated sensors, one of each
// kind. Its readings are marked as sample data. It does not run with the user's own
// broker, nor with EDGE=off.
func (p *platform) edgePart() part {
	stop := func() {}
	done := make(chan error, 1)
	return part{"edge", func(ctx context.Context) error {
		if !p.simulates() {
			close(done)
			return nil
		}
		c, err := agent.Parse(map[string]string{
			"NODE": simulatedNode, "SIMULATE": "true", "MQTT_URL": p.mqttURL, "SPOOL_DIR": filepath.Join(p.dir, "edge"),
			"LISTEN": "", "EDGE_CONFIG_DIR": p.dir,
		}, p.env.Secrets, sim.OneOfEach())
		if err != nil {
			return err
		}
		life, end := context.WithCancel(context.WithoutCancel(ctx)) // the simulated sensors outlive the agent, which still reads them while it ends
		a, err := agent.New(c, agent.Deps{Log: p.log.With("function", "edge"), Machine: sim.NewFailing(life, sim.NewFast(c.Speed), p.fail)})
		if err != nil {
			end()
			return err
		}
		ctx, stop = context.WithCancel(life)
		go func() { defer end(); done <- a.Run(ctx) }()
		return nil
	}, func(ctx context.Context) error {
		stop()
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
}
