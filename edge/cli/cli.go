// Package cli is the command line of the edge agent. Two programs share it: the one
// for machines with sensors, and one that carries simulated sensors too.
package cli

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/hearth-home/hearth/edge/agent"
	"github.com/hearth-home/hearth/edge/check"
	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/kinds"
	"github.com/hearth-home/hearth/shared/secret"
)

// Simulators are the simulated sensors that a program carries.
type Simulators struct {
	House   map[string]string                                        // settings of a house with one sensor of each kind
	Machine func(ctx context.Context, speed float64) *driver.Machine // what they are connected to, until ctx ends
}

// Main runs the program with its arguments and ends it. Where sims is nil it carries
// no simulated sensors.
func Main(sims *Simulators) {
	debug.SetGCPercent(50) // a Pi has little memory, and the agent makes little garbage
	runtime.GOMAXPROCS(1)  // it waits nearly always: more would only look for work
	if err := run(os.Args[1:], sims); err != nil {
		fmt.Fprintln(os.Stderr, "hearth-edge:", err)
		os.Exit(1)
	}
}

func run(args []string, sims *Simulators) error {
	vars := env.ToMap(os.Environ())
	secrets := secret.NewFolder(cmp.Or(vars["SECRETS_DIR"], vars["CREDENTIALS_DIRECTORY"], "/etc/hearth/secrets"))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(args) > 0 && args[0] == "list" {
		return check.List(os.Stdout)
	}
	var house map[string]string
	if sims != nil {
		house = sims.House
	}
	c, err := agent.Parse(vars, secrets, house)
	if err != nil {
		return err
	}
	var m *driver.Machine
	if c.Simulate {
		life, end := context.WithCancel(context.WithoutCancel(ctx)) // sensors take a while to end
		defer end()
		m = sims.Machine(life, c.Speed)
	}
	if len(args) > 0 {
		return examine(ctx, c, m, args)
	}
	log := slog.New(slog.NewJSONHandler(redactor{os.Stdout, secrets}, nil))
	a, err := agent.New(c, agent.Deps{Log: log, Machine: m})
	if err != nil {
		return err
	}
	return a.Run(ctx)
}

// examine reads the sensors, those of this machine where m is nil, without
// publishing anything.
func examine(ctx context.Context, c agent.Config, m *driver.Machine, args []string) error {
	flags := flag.NewFlagSet("hearth-edge "+args[0], flag.ContinueOnError)
	soak := flags.Duration("soak", 0, "check: read for so long, and judge success, noise, stuck values and range")
	device := flags.String("device", "", "recalibrate: the device")
	ppm := flags.Int("ppm", 425, "recalibrate: the CO2 in the air around it")
	if err := flags.Parse(args[1:]); err != nil || args[0] != "check" && args[0] != "recalibrate" || flags.NArg() > 0 {
		return errors.Join(err, errors.New("want: hearth-edge [check [-soak 1h] | recalibrate -device D -ppm 425 | list]"))
	}
	if m == nil {
		m = kinds.Real(c.Dir, func() (time.Time, bool) { return time.Now(), false })
	}
	if args[0] == "recalibrate" {
		return check.Recalibrate(ctx, os.Stdout, c.Sensors, m, *device, *ppm)
	}
	if *soak > 0 {
		return check.Soak(ctx, os.Stdout, c.Sensors, m, *soak)
	}
	return check.Once(ctx, os.Stdout, c.Sensors, m)
}

// redactor takes secrets out of what is logged.
type redactor struct {
	w       io.Writer
	secrets *secret.Folder
}

func (r redactor) Write(line []byte) (int, error) {
	if _, err := io.WriteString(r.w, r.secrets.Redact(string(line))); err != nil {
		return 0, err
	}
	return len(line), nil
}
