package local

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/local/sample"
	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/testserver"
)

// observer records everything that leaves a function and could hold a secret.
type observer struct {
	t             *testing.T
	mode          string
	mu            sync.Mutex
	sentUpstream  string       // requests to the upstream
	sentElsewhere bytes.Buffer // requests to others: Slack, the host of a redirect
	logs          testserver.Output
	release       chan struct{}
}

func (x *observer) note(to *bytes.Buffer, text string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	to.WriteString(text + "\n")
}

func (x *observer) listen(h http.HandlerFunc) string {
	srv := httptest.NewServer(h)
	x.t.Cleanup(srv.Close)
	return srv.URL
}

// dump returns a request as text, with its headers as they are.
func dump(r *http.Request) string {
	b, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	query, _ := url.QueryUnescape(r.URL.RawQuery)
	return fmt.Sprintf("%s %s %s %v %s", r.Method, r.URL, query, r.Header, b)
}

func (x *observer) upstream(elsewhere string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		sent := dump(r)
		x.mu.Lock()
		x.sentUpstream += sent + "\n"
		x.mu.Unlock()
		switch x.mode {
		case "redirect":
			http.Redirect(w, r, elsewhere+"/login", http.StatusFound)
		case "redirect to the key": // to a place that cannot be read, which the error may quote
			w.Header().Set("Location", "http://["+everyEncoding(sent)+"]:x/")
			w.WriteHeader(http.StatusFound)
		case "hang":
			select {
			case <-r.Context().Done():
			case <-x.release:
			}
		default:
			for _, f := range failing {
				if f.name == x.mode {
					f.answer(w, sent)
				}
			}
		}
	}
}

// slack records messages. It leaves out a bot's token, which belongs in the form.
func (x *observer) slack(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	text := string(b)
	if form, err := url.ParseQuery(text); err == nil && form.Has("channel") {
		form.Del("token")
		text = fmt.Sprint(form)
	}
	x.note(&x.sentElsewhere, text)
	fmt.Fprint(w, `{"ok":true}`)
}

// env returns an environment for the function: every address in its settings is replaced
// by the upstream's, and it has every secret of its block.
func (x *observer) env(f stack.Function, upstream, slack string, st *store.Store) (serve.Env, map[string]string) {
	root := ".."
	vars := maps.Clone(f.Env)
	if folder, ok := host.SampleFolders(root, []stack.Function{f})[f.Name]; ok {
		if err := host.Overlay(vars, folder); err != nil {
			x.t.Fatal(err)
		}
	}
	for k, v := range vars {
		vars[k] = sample.Redirect(v, upstream, f.Name)
	}
	vars["SLACK_URL"] = slack + "/api/"
	values := map[string]string{}
	for _, name := range f.Secrets {
		values[name] = plant(name)
	}
	if _, ok := values["slack-webhooks"]; ok {
		values["slack-webhooks"] = slack + "/services/" + url.PathEscape(plant("slack-webhooks"))
	}
	if _, ok := values["alert-webhook"]; ok {
		values["alert-webhook"] = slack + "/hook/" + url.PathEscape(plant("alert-webhook"))
	}
	if len(x.mode)%2 == 0 { // half of the modes send by a webhook, half as a bot
		delete(values, "slack-token")
	}
	secrets := secret.InMemory(values, nil)
	beside := &serve.Beside{}
	x.t.Cleanup(func() { beside.Stop(context.Background()) }) // before the store is closed
	return serve.Env{
		Beside: beside,
		Env:    config.Env{Vars: vars, Secrets: secrets, Now: time.Now, Log: config.Logger(&x.logs, secrets)},
		Open:   func(ctx context.Context) (*store.Store, error) { return st, nil },
	}, values
}
