// Command mqtt delivers MQTT messages to the OpenFaaS functions that subscribe to
// their topic (annotation "topic"), and keeps rejected ones as dead letters.
//
//	mqtt          run
//	mqtt dead     list, show, replay or drop dead letters; mqtt help says more
//
// Settings come from the environment: docs/mqtt.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"time"

	"github.com/openfaas/connector-sdk/types"
	"github.com/openfaas/faas-provider/auth"
	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/connectors/mqtt/bridge"
	"github.com/hearth-home/hearth/connectors/mqtt/deadcmd"
	"github.com/hearth-home/hearth/shared/command"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/folder"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/spool"
)

func main() { command.Main(program()) }

func program() *cobra.Command {
	root := &cobra.Command{
		Use:  "mqtt",
		Long: "mqtt is hearth's MQTT connector: it delivers MQTT messages to the OpenFaaS functions that subscribe to their topic (annotation \"topic\"), and keeps rejected ones as dead letters. Without a command it runs. Settings come from the environment: docs/mqtt.md.",
		RunE: func(c *cobra.Command, _ []string) error {
			env := config.Process()
			return redacted(run(c.Context(), env), env)
		},
	}
	root.AddCommand(deadcmd.New("mqtt", func(cmd *cobra.Command, do func(deadcmd.Connector) error) error {
		env := config.Process()
		given := env.Vars["CONNECTOR_TOKEN"]
		maps.DeleteFunc(env.Vars, func(name, _ string) bool { return name != "LISTEN" && name != "CONNECTOR_TOKEN_SECRET" }) // the others may be wrong: they are the running connector's
		c, err := config.Parse[bridge.Config](env)
		if err != nil {
			return err
		}
		to := deadcmd.Connector{Address: c.Listen, Token: c.Token, Kept: cmd.Flag("at").Changed}
		if given != "" {
			env.Secrets = secret.InMemory(map[string]string{"CONNECTOR_TOKEN": given}, nil)
			to.Token, to.Kept = env.Secrets.Get("CONNECTOR_TOKEN"), false
		}
		return redacted(do(to), env)
	}, nil))
	return command.Program(root)
}

// redacted returns err with the secrets redacted in its text.
func redacted(err error, env config.Env) error {
	if err == nil {
		return nil
	}
	return command.With(err, env.Secrets.Redact(err.Error()))
}

func run(ctx context.Context, env config.Env) error {
	c, err := config.Parse[bridge.Config](env)
	if err != nil {
		return err
	}
	login, err := gatewayLogin()
	if err != nil {
		return err
	}
	b, err := bridge.New(ctx, c, bridge.Options{Log: env.Log, Now: time.Now, Redact: env.Secrets.Brief, RedactCut: env.Secrets.RedactCut, Report: true, Login: login})
	if errors.Is(err, spool.ErrLocked) {
		return fmt.Errorf("%w: stop the other connector, or name another folder with DATA_DIR", err)
	}
	if err != nil {
		return folder.Explain(err, "DATA_DIR", c.Dir)
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

// gatewayLogin returns the login that basic_auth=true asks for, as OpenFaaS' own
// connectors read it, or nil. It reports a missing secret, for which connector-sdk panics.
func gatewayLogin() (l *auth.BasicAuthCredentials, err error) {
	missing := errors.New("configuration: basic_auth=true needs the secrets basic-auth-user and basic-auth-password, files in the folder secret_mount_path; one of them is missing or empty")
	defer func() {
		if recover() != nil {
			l, err = nil, missing
		}
	}()
	if l = types.GetCredentials(); l != nil && (l.User == "" || l.Password == "") {
		return nil, missing
	}
	return l, nil
}
