package local

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/openfaas/faas-provider/types"

	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/folder"
)

// Up runs the platform until ctx ends, and then stops it. Calls and messages in flight may
// finish within 10 s.
func (h *Installation) Up(ctx context.Context) error {
	if err := h.checkAddresses(); err != nil {
		return err
	}
	h.ownsState = true
	p, err := newPlatform(h)
	if err != nil {
		return err
	}
	if len(h.build) == 0 {
		return errors.New("no function is built in: run go generate ./local and build hearth again")
	}
	parts := p.parts()
	switch err := startAll(ctx, parts); {
	case err != nil && ctx.Err() != nil: // interrupted: nothing has begun
		return ctx.Err()
	case err != nil:
		return errors.New(p.redact(folder.Explain(err, "HEARTH_DIR", h.dir).Error()))
	}
	p.waitReady(ctx)
	p.logStart(ctx)
	p.gateway.Ready(true)
	<-ctx.Done()
	p.log.Info(stopping)
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := stopAll(end, parts); err != nil {
		return errors.New(p.redact(err.Error()))
	}
	p.log.Info("stopped; the next start continues from here")
	return nil
}

const stopping = "stopping; calls in flight may finish. Ctrl-C again stops at once"

// logStart logs which data each function works on and how to make it live, or why it cannot
// start. Then it logs where broker and page are.
func (p *platform) logStart(ctx context.Context) {
	for _, f := range p.host.Functions() {
		if f.State == host.Broken {
			p.log.Error("broken: "+f.Reason, "function", f.Name)
			continue
		}
		p.log.Info(describe(f), "function", f.Name)
	}
	if p.onlyShows() {
		p.log.Warn(showNote)
	}
	p.logBroker(ctx)
	p.logMistypedNames(p.log)
	p.log.Info("the page is at http://" + p.server.Addr + "/ · stop with Ctrl-C")
}

// describe says which data a function works on and how to make it live.
func describe(f host.Function) string {
	switch {
	case f.State == host.Unconfigured:
		return "not configured · set " + strings.Join(f.Missing, " and ") + " in .env"
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

// functionStatus returns what the gateway's API answers about a function.
func functionStatus(f stack.Function) types.FunctionStatus {
	return types.FunctionStatus{
		Name: f.Name, Image: f.Image, Secrets: f.Secrets, Annotations: &f.Annotations, Labels: &f.Labels,
		Limits: f.Limits, Requests: f.Requests, ReadOnlyRootFilesystem: f.ReadOnly,
	}
}
