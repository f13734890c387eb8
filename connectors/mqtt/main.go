// Command mqtt takes MQTT messages to the OpenFaaS functions whose annotation
// "topic" names them, and keeps what they will not take.
//
//	mqtt                                        run
//	mqtt dead list   [-function F] [-topic FILTER] [-reason PART] [-cause WHOLE] [-id ID]
//	mqtt dead show   ID
//	mqtt dead replay (the same)
//	mqtt dead drop   (the same, or -all)
//
// Settings come from the environment: docs/mqtt.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/openfaas/connector-sdk/types"

	"github.com/hearth-home/hearth/connectors/mqtt/bridge"
	"github.com/hearth-home/hearth/connectors/mqtt/deadcmd"
	"github.com/hearth-home/hearth/shared/config"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "mqtt:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	env := config.Process()
	c, err := config.Parse[bridge.Config](env)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch {
	case len(args) > 0 && args[0] == "dead":
		cmd := deadcmd.Command{Program: "mqtt", Listen: c.Listen, Token: c.Token, Out: os.Stdout, Terminal: isatty.IsTerminal(os.Stdout.Fd())}
		return cmd.Run(ctx, args[1:])
	case len(args) > 0:
		return errors.New("there is only the command dead")
	}
	b, err := bridge.New(c, bridge.Options{Log: env.Log, Now: time.Now, Redact: env.Secrets.Brief, Login: types.GetCredentials()})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("LISTEN: %w", err)
	}
	srv := &http.Server{Handler: b.Handler(), ReadHeaderTimeout: 5 * time.Second, WriteTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	err = b.Run(ctx)
	last, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = srv.Shutdown(last) // what is left is cut
	if e := <-served; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return err
}
