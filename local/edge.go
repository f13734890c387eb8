package local

import (
	"context"
	"path/filepath"

	"github.com/hearth-home/hearth/edge/agent"
	"github.com/hearth-home/hearth/edge/sim"
)

// edgePart runs the edge agent with its real drivers on simulated sensors, one
// of each kind: its readings are marked as sample data. Beside a broker of the
// user's it stays away, and with EDGE=off.
func (u *up) edgePart() part {
	stop := func() {}
	done := make(chan error, 1)
	return part{"edge", func(ctx context.Context) error {
		if u.tapped() || u.vars["EDGE"] == "off" {
			close(done)
			return nil
		}
		c, err := agent.Parse(map[string]string{
			"NODE": "simulated", "SIMULATE": "true", "MQTT_URL": u.mqttURL, "SPOOL_DIR": filepath.Join(u.dir, "edge"),
			"LISTEN": "", "EDGE_CONFIG_DIR": u.dir,
		}, u.env.Secrets, sim.OneOfEach())
		if err != nil {
			return err
		}
		life, end := context.WithCancel(context.WithoutCancel(ctx)) // sensors take a while to end
		a, err := agent.New(c, agent.Deps{Log: u.log.With("function", "edge"), Machine: sim.NewMachine(life, sim.NewFast(c.Speed))})
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
