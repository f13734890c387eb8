package deliver

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/openfaas/faas-provider/auth"
	"github.com/openfaas/faas-provider/types"

	"github.com/hearth-home/hearth/shared/certificate"
	"github.com/hearth-home/hearth/shared/wire"
)

const maxListing = 8 << 20 // bytes of the gateway's list of functions

// subscriber is a function that subscribes to MQTT topics.
type subscriber struct {
	Name    string // with its namespace, if the gateway names one
	Version string // differs after a new deployment: on faasd after each, on Kubernetes if the image's name differs
	wire.Subscription
}

// equal reports whether one consumer can deliver for both, whatever their versions.
func (f subscriber) equal(g subscriber) bool {
	return f.Name == g.Name && f.Batch == g.Batch && f.Reply == g.Reply && f.Concurrency == g.Concurrency && slices.Equal(f.Filters, g.Filters) && slices.Equal(f.Except, g.Except)
}

// gateway is a client of the OpenFaaS gateway. It does not use connector-sdk's
// FunctionLookupBuilder, which drops all annotations except topic.
type gateway struct {
	url     string
	login   *auth.BasicAuthCredentials
	timeout time.Duration // of a call
	client  *http.Client
	tls     certificate.Server
}

// list returns the functions that subscribe to MQTT topics, sorted by name. The
// second result is the mistakes in their annotations, each with the function's name.
func (g *gateway) list(ctx context.Context) ([]subscriber, []error, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.url+"/system/functions", nil)
	if err != nil {
		return nil, nil, fmt.Errorf("list functions: %w", err)
	}
	if g.login != nil {
		req.SetBasicAuth(g.login.User, g.login.Password)
	}
	res, err := g.client.Do(req)
	if text := g.tls.Explain(err); text != "" {
		return nil, nil, fmt.Errorf("list functions: %s", text)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("list functions: %w", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxListing))
	if err != nil {
		return nil, nil, fmt.Errorf("list functions: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("list functions: the gateway answered %d: %.200q", res.StatusCode, body)
	}
	var all []types.FunctionStatus
	if err := json.Unmarshal(body, &all); err != nil {
		return nil, nil, fmt.Errorf("list functions: %w", err)
	}
	fs, mistakes := subscribers(all)
	return fs, mistakes, nil
}

// subscribers returns the functions that have MQTT filters, sorted by name.
func subscribers(all []types.FunctionStatus) (fs []subscriber, mistakes []error) {
	for _, s := range all {
		if s.Annotations == nil {
			continue
		}
		f, err := parseFunction(s.Name, s.Namespace, *s.Annotations)
		f.Version = s.CreatedAt.UTC().String() + " " + s.Image
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %w", s.Name, err))
		}
		if len(f.Filters) > 0 {
			fs = append(fs, f)
		}
	}
	slices.SortFunc(fs, func(a, b subscriber) int { return strings.Compare(a.Name, b.Name) })
	return fs, mistakes
}

func parseFunction(name, namespace string, notes map[string]string) (f subscriber, err error) {
	f.Name = name
	if namespace != "" && namespace != "openfaas-fn" {
		f.Name += "." + namespace
	}
	f.Subscription, err = wire.ParseSubscription(notes)
	return f, err
}
