package local

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/openfaas/faas-provider/types"

	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/local/stack"
)

// Up runs the platform until ctx ends, then stops it: what is under way may finish.
func (h *Installation) Up(ctx context.Context) error {
	h.owns = true
	u, err := newUp(h)
	if err != nil {
		return err
	}
	if len(h.build) == 0 {
		return errors.New("no function is built in: run go generate ./local first, as make up does")
	}
	parts := u.parts()
	if err := startAll(ctx, parts); err != nil {
		return errors.New(u.redact(err.Error()))
	}
	u.waitReady(ctx)
	u.greet()
	u.gateway.Ready(true)
	<-ctx.Done()
	u.log.Info("stopping; what is under way may finish")
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := stopAll(end, parts); err != nil {
		return errors.New(u.redact(err.Error()))
	}
	u.log.Info("stopped; make up goes on from here")
	return nil
}

// greet says what runs on what, and how to change it.
func (u *up) greet() {
	for _, f := range u.host.Functions {
		u.log.Info(works(f), "function", f.Name)
	}
	if u.tapped() {
		u.log.Info("listens to your broker at "+u.mqttURL+" and publishes nothing there", "function", "connector")
	} else {
		u.log.Info("listens at "+u.mqttURL+" · try: "+u.try(), "function", "connector")
	}
	u.log.Info("the page is at http://" + u.server.Addr + "/ · stop with Ctrl-C")
}

func works(f host.Function) string {
	switch {
	case f.State == host.Broken:
		return "broken: " + f.Reason
	case f.State == host.Unconfigured:
		return "waits for " + strings.Join(f.Missing, ", ")
	case f.State == host.Sample && len(f.Missing) > 0:
		return fmt.Sprintf("sample data · to make it live, set %s in .env", strings.Join(f.Missing, " and "))
	case f.State == host.Sample:
		return fmt.Sprintf("sample data · to make it live, set LIVE=%s in .env", f.Name)
	case f.Schedule() == "" && f.Topic() != "":
		return "ready for messages at " + strings.Join(f.Topics(), ", ")
	case f.Schedule() == "":
		return "ready"
	default:
		return "live"
	}
}

// status is what the API tells of a function.
func status(f stack.Function) types.FunctionStatus {
	return types.FunctionStatus{
		Name: f.Name, Image: f.Image, Secrets: f.Secrets, Annotations: &f.Annotations, Labels: &f.Labels,
		Limits: f.Limits, Requests: f.Requests, ReadOnlyRootFilesystem: f.ReadOnly,
	}
}
