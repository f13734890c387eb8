// Package cli is the command line of the edge agent. Two programs share it: the one
// for machines with sensors, and one that carries simulated sensors too.
package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/edge/agent"
	"github.com/hearth-home/hearth/edge/check"
	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/kinds"
	"github.com/hearth-home/hearth/shared/command"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/secret"
)

// Simulators are the simulated sensors that a program carries.
type Simulators struct {
	Sensors map[string]string                                        // settings of one sensor of each kind
	Machine func(ctx context.Context, speed float64) *driver.Machine // what they are connected to, until ctx ends
}

// Main runs the program with its arguments and ends it. Where sims is nil it carries
// no simulated sensors.
func Main(sims *Simulators) {
	debug.SetGCPercent(50) // a Pi has little memory, and the agent makes little garbage
	runtime.GOMAXPROCS(1)  // it waits nearly always: more would only look for work
	command.Main(Program(sims))
}

// Program is hearth-edge with its commands.
func Program(sims *Simulators) *cobra.Command {
	root := &cobra.Command{
		Use: "hearth-edge",
		Long: `hearth-edge reads the sensors of this machine and publishes their readings to the MQTT broker. Without a command it runs.

Settings come from the environment and /etc/hearth/edge/<node>.env: docs/edge.md.`,
		RunE: func(c *cobra.Command, _ []string) error { return run(c.Context(), c.OutOrStdout(), sims) },
	}
	root.AddCommand(checkCommand(sims), recalibrateCommand(sims), &cobra.Command{
		Use: "list", Short: "serial ports, I2C chips and iio devices of this machine",
		Long:    "List the serial ports, I2C chips and iio devices of this machine, and what they might be.",
		Example: "hearth-edge list",
		RunE:    func(c *cobra.Command, _ []string) error { return check.List(c.OutOrStdout()) },
	})
	return command.Program(root)
}

func checkCommand(sims *Simulators) *cobra.Command {
	c := &cobra.Command{
		Use: "check", Short: "read each sensor once; it fails if one of them does",
		Long: `Read each sensor once and print its values, without publishing anything. It fails if one of them does.

With --soak, sensors are read for that time and each is rated: success, noise, stuck values and range.`,
		Example: "hearth-edge check --soak 1h",
	}
	soak := c.Flags().Duration("soak", 0, "read for this `TIME`, such as 1h, and rate each sensor")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if c.Flags().Changed("soak") && *soak <= 0 {
			return command.Wrong(fmt.Errorf("--soak is %s: write a time above 0, such as 1h", *soak))
		}
		return examine(c.Context(), sims, func(config agent.Config, m *driver.Machine, secrets *secret.Folder) error {
			if *soak > 0 {
				return check.Soak(c.Context(), c.OutOrStdout(), secrets, config.Sensors, m, *soak)
			}
			return check.Once(c.Context(), c.OutOrStdout(), secrets, config.Sensors, m)
		})
	}
	return c
}

func recalibrateCommand(sims *Simulators) *cobra.Command {
	c := &cobra.Command{
		Use: "recalibrate --device NAME", Short: "calibrate a CO2 sensor to a known CO2 level",
		Long:    "Calibrate a CO2 sensor to a known CO2 level. First stop the agent and put the sensor outside or at an open window (about 425 ppm). The command lets it measure there for three minutes, then calibrates it.",
		Example: "hearth-edge recalibrate --device office-air --ppm 425",
	}
	device := c.Flags().String("device", "", "the device's `NAME` in the settings")
	ppm := c.Flags().Int("ppm", 425, "the known CO2 level, in `PPM` (default: 425)")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *device == "" {
			return command.Wrong(errors.New("which device? Add --device NAME"))
		}
		if *ppm < 400 || *ppm > 2000 { // said before the three minutes
			return command.Wrong(fmt.Errorf("--ppm is %d: write a number from 400, the air outside, to 2000", *ppm))
		}
		return examine(c.Context(), sims, func(config agent.Config, m *driver.Machine, _ *secret.Folder) error {
			return check.Recalibrate(c.Context(), c.OutOrStdout(), config.Sensors, m, *device, *ppm)
		})
	}
	return c
}

// run reads and publishes until ctx ends.
func run(ctx context.Context, out io.Writer, sims *Simulators) error {
	return configured(ctx, sims, func(c agent.Config, m *driver.Machine, secrets *secret.Folder) error {
		log := config.Logger(out, secrets)
		slog.SetDefault(log) // for libraries that log
		for _, d := range c.Doubts {
			log.Warn("configuration: " + secrets.Redact(d))
		}
		a, err := agent.New(c, agent.Deps{Log: log, Machine: m})
		if err != nil {
			return err
		}
		return a.Run(ctx)
	})
}

// examine gives do the sensors, those of this machine or simulated ones; nothing is
// published.
func examine(ctx context.Context, sims *Simulators, do func(agent.Config, *driver.Machine, *secret.Folder) error) error {
	return configured(ctx, sims, func(c agent.Config, m *driver.Machine, secrets *secret.Folder) error {
		if m == nil {
			m = kinds.Real(c.Dir, func() (time.Time, bool) { return time.Now(), false })
		}
		for _, d := range c.Doubts {
			slog.Warn(secrets.Redact(d))
		}
		return do(c, m, secrets)
	})
}

// configured reads the settings for do; the machine is nil unless its sensors are
// simulated. Secrets are redacted in the error.
func configured(ctx context.Context, sims *Simulators, do func(agent.Config, *driver.Machine, *secret.Folder) error) (err error) {
	vars := env.ToMap(os.Environ())
	secrets := secret.NewFolder(cmp.Or(vars["SECRETS_DIR"], vars["CREDENTIALS_DIRECTORY"], "/etc/hearth/secrets"))
	defer func() {
		if err != nil {
			err = command.With(err, secrets.Redact(err.Error()))
		}
	}()
	var simulated map[string]string
	if sims != nil {
		simulated = sims.Sensors
	}
	c, err := agent.Parse(vars, secrets, simulated)
	if err != nil {
		return err
	}
	var m *driver.Machine
	if c.Simulate {
		life, end := context.WithCancel(context.WithoutCancel(ctx)) // sensors take a while to end
		defer end()
		m = sims.Machine(life, c.Speed)
	}
	return do(c, m, secrets)
}
