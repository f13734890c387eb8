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
package main

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
	"github.com/hearth-home/hearth/edge/kinds"
	"github.com/hearth-home/hearth/shared/secret"
)

func main() {
	debug.SetGCPercent(50) // a Pi has little memory, and the agent makes little garbage
	runtime.GOMAXPROCS(1)  // it waits nearly always: more would only look for work
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "hearth-edge:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	vars := env.ToMap(os.Environ())
	secrets := secret.NewFolder(cmp.Or(vars["SECRETS_DIR"], vars["CREDENTIALS_DIRECTORY"], "/etc/hearth/secrets"))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(args) > 0 && args[0] == "list" {
		return check.List(os.Stdout)
	}
	c, err := agent.Parse(vars, secrets)
	if err != nil {
		return err
	}
	if len(args) > 0 {
		return examine(ctx, c, args)
	}
	log := slog.New(slog.NewJSONHandler(redactor{os.Stdout, secrets}, nil))
	a, err := agent.New(c, agent.Deps{Log: log})
	if err != nil {
		return err
	}
	return a.Run(ctx)
}

// examine reads the sensors without publishing anything.
func examine(ctx context.Context, c agent.Config, args []string) error {
	flags := flag.NewFlagSet("hearth-edge "+args[0], flag.ContinueOnError)
	soak := flags.Duration("soak", 0, "check: read for so long, and judge success, noise, stuck values and range")
	device := flags.String("device", "", "recalibrate: the device")
	ppm := flags.Int("ppm", 425, "recalibrate: the CO2 in the air around it")
	if err := flags.Parse(args[1:]); err != nil || args[0] != "check" && args[0] != "recalibrate" || flags.NArg() > 0 {
		return errors.Join(err, errors.New("want: hearth-edge [check [-soak 1h] | recalibrate -device D -ppm 425 | list]"))
	}
	m := kinds.Real(c.Dir, func() (time.Time, bool) { return time.Now(), false })
	if c.Simulate {
		m = kinds.Simulated(ctx, c.Speed)
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
