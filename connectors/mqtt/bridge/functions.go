package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/openfaas/faas-provider/auth"
	"github.com/openfaas/faas-provider/types"
)

// The annotations of a function that the connector reads.
const (
	annotationTopic       = "topic"            // MQTT filters, comma separated, !filter excepts; OpenFaaS Community Edition on Kubernetes allows no comma here
	annotationTopics      = "mqtt-topics"      // more of them
	annotationBatch       = "mqtt-batch"       // messages in a CloudEvents batch, at most; absent: one message a call
	annotationReply       = "mqtt-reply"       // topic to which the answer is published
	annotationConcurrency = "mqtt-concurrency" // calls at once; the messages of one topic stay in order
	cronTopic             = "cron-function"    // cron-connector's
)

const (
	maxBatch       = 5000
	maxConcurrency = 16
	maxListing     = 8 << 20
)

// Function is what the gateway says of a function that listens to MQTT.
type Function struct {
	Name        string // with its namespace, if the gateway names one
	Filters     []string
	Except      []string // what of them is not for it
	Batch       int      // 0: one message a call
	Reply       string
	Concurrency int
}

func (f Function) equal(g Function) bool {
	return f.Name == g.Name && f.Batch == g.Batch && f.Reply == g.Reply && f.Concurrency == g.Concurrency && slices.Equal(f.Filters, g.Filters) && slices.Equal(f.Except, g.Except)
}

// gateway is OpenFaaS. connector-sdk has a lookup of its own (Build of its
// FunctionLookupBuilder), but it drops every annotation but the topic.
type gateway struct {
	url    string
	login  *auth.BasicAuthCredentials
	client *http.Client
}

// list asks for the functions that listen to MQTT. Mistakes in annotations are
// returned beside them, each with its function.
func (g *gateway) list(ctx context.Context) ([]Function, []error, error) {
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
	fs, mistakes := listeners(all)
	return fs, mistakes, nil
}

// listeners picks those with MQTT filters, by name.
func listeners(all []types.FunctionStatus) (fs []Function, mistakes []error) {
	for _, s := range all {
		if s.Annotations == nil {
			continue
		}
		f, err := parseFunction(s.Name, s.Namespace, *s.Annotations)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %w", s.Name, err))
		}
		if len(f.Filters) > 0 {
			fs = append(fs, f)
		}
	}
	slices.SortFunc(fs, func(a, b Function) int { return strings.Compare(a.Name, b.Name) })
	return fs, mistakes
}

func parseFunction(name, namespace string, notes map[string]string) (Function, error) {
	f := Function{Name: name, Reply: notes[annotationReply]}
	if namespace != "" && namespace != "openfaas-fn" {
		f.Name += "." + namespace
	}
	topics := notes[annotationTopic]
	if topics == cronTopic {
		topics = ""
	}
	if topics += "," + notes[annotationTopics]; topics == "," {
		return f, nil
	}
	var errs []error
	var err error
	f.Filters, f.Except, err = ParseFilters(topics)
	errs = append(errs, err)
	f.Batch, err = number(notes, annotationBatch, 0, maxBatch)
	errs = append(errs, err)
	plain := 4
	if f.Batch > 0 {
		plain = 2
	}
	f.Concurrency, err = number(notes, annotationConcurrency, plain, maxConcurrency)
	f.Concurrency = max(f.Concurrency, 1)
	if strings.ContainsAny(f.Reply, "+#\x00") {
		errs = append(errs, fmt.Errorf("annotation %s is %q: nothing can be published there", annotationReply, f.Reply))
		f.Reply = ""
	}
	return f, errors.Join(append(errs, err)...)
}

func number(notes map[string]string, name string, plain, most int) (int, error) {
	v, ok := notes[name]
	if !ok {
		return plain, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > most {
		return plain, fmt.Errorf("annotation %s is %q: write a number from 1 to %d", name, v, most)
	}
	return n, nil
}
