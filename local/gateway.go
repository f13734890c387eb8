package local

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/local/gateway"
	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/config"
)

// GatewayURL returns the address of the running gateway, or the address at which up would
// serve it. The error is about PORT.
func (h *Installation) GatewayURL() (string, error) {
	if n, ok := h.findRunning(); ok {
		return n.Gateway, nil
	}
	at, err := addressOf(h.pagePort())
	return "http://" + at, err
}

// Gateway serves functions that run in other processes, each as NAME=http://host:port,
// until ctx ends. The API answers about a function from its block in the stack files. Errors
// in addresses are an ArgumentError or an UnknownFunctionError.
func (h *Installation) Gateway(ctx context.Context, addresses []string) error {
	log := h.Logger()
	fs, err := gatewayFunctions(h, addresses)
	if err != nil {
		return err
	}
	page, err := h.pagePort()
	if err != nil {
		return err
	}
	g := gateway.New(fs, http.NotFoundHandler(), log)
	srv, err := gateway.Listen(address(page), g, log)
	if err != nil {
		return withFreePorts(err, fmt.Sprintf("PORT=%d", freePage(page, free)))
	}
	g.Ready(true)
	log.Info("the gateway is at http://" + srv.Addr)
	<-ctx.Done()
	g.Ready(false)
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	return srv.Stop(end)
}

// ArgumentError says what is wrong with a caller's arguments.
type ArgumentError string

func (e ArgumentError) Error() string { return string(e) }

// UnknownFunctionError is the error of a name that the stack files do not have.
type UnknownFunctionError struct {
	Name  string
	Known []string // the functions of the stack files
}

func (e UnknownFunctionError) Error() string {
	return fmt.Sprintf("there is no function %q in %s", e.Name, strings.Join(stack.Files, " or "))
}

// gatewayFunctions parses the functions and adds their blocks in the stack files.
func gatewayFunctions(h *Installation, addresses []string) ([]gateway.Function, error) {
	blocks, err := stack.Read(h.root, h.vars)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range blocks {
		names = append(names, f.Name)
	}
	var out []gateway.Function
	for n, arg := range addresses {
		name, address, ok := strings.Cut(arg, "=")
		u, err := config.URL(address)
		i := slices.Index(names, name)
		switch {
		case ok && i < 0 && !strings.ContainsAny(name, ":/@"):
			return nil, UnknownFunctionError{name, names}
		case !ok || i < 0 || err != nil || u.Scheme != "http" || u.User != nil || u.Port() == "" || u.Path != "":
			return nil, ArgumentError(fmt.Sprintf("argument %d: want NAME=http://host:port", n+1)) // not quoted: it may hold a password
		case slices.ContainsFunc(out, func(f gateway.Function) bool { return f.Status.Name == name }):
			return nil, ArgumentError(name + " is named twice: it has one address")
		}
		out = append(out, gateway.Function{Status: functionStatus(blocks[i]), URL: *u})
	}
	return out, nil
}

// nameGateway sets the address of this platform's gateway for the functions that call
// others, whatever .env says of another. With PORT=0 it is not known before they start, and
// they reach none.
func (h *Installation) nameGateway(fs []stack.Function) {
	port, _ := h.pagePort() // gatewayPart returns the error
	for _, f := range fs {
		if _, ok := f.Env["GATEWAY_URL"]; ok {
			f.Env["GATEWAY_URL"] = "http://" + address(port)
		}
	}
}
