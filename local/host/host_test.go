package host

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gohttp "github.com/openfaas/templates-sdk/go-http"
	"go.uber.org/goleak"

	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo is a function that answers its environment. Without its key it answers as a
// source that is not configured.
func echo(env serve.Env) (http.Handler, error) {
	if env.Vars["BROKEN"] != "" {
		return nil, errors.New("BROKEN is set, " + env.Secrets.Get("my-key").Reveal())
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := map[string]any{"vars": env.Vars, "sample": env.Sample, "key": env.Secrets.Get("my-key").Present(), "limited": false,
			"other": env.Secrets.Get("other-key").Present()}
		if end, ok := r.Context().Deadline(); ok {
			answer["limited"] = time.Until(end) < time.Hour
		}
		if !env.Secrets.Get("my-key").Present() && env.Vars["KEYLESS"] == "" {
			answer = map[string]any{"status": "not_configured", "missing": []string{"secret my-key"}}
		}
		json.NewEncoder(w).Encode(answer)
	}), nil
}

type echoed struct {
	Vars               map[string]string
	Sample, Key, Other bool
	Limited            bool // its request had a deadline below an hour
	Missing            []string
}

// start runs echo, and returns its answer.
func start(t *testing.T, env map[string]string, vars map[string]string) (Function, echoed) {
	t.Helper()
	h := running(t, env, vars)
	return h.Functions()[0], ask(t, h)
}

// running runs echo, with samples, in a temporary repository.
func running(t *testing.T, env map[string]string, vars map[string]string) *Host {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, "functions", "echo", "sample")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "env"), []byte("PLACES=sampleville\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := stack.Function{Name: "echo", Folder: "functions/echo", Env: env, Settings: slices.Collect(maps.Keys(env)),
		Secrets: []string{"my-key", "database-url", "slack-webhooks"}}
	h, err := Start(Options{
		Root: root, Vars: vars, Build: map[string]Builder{"echo": echo}, Now: time.Now,
		Samples: "http://127.0.0.1:7", Log: func(*secret.Folder) *slog.Logger { return slog.New(slog.DiscardHandler) },
	}, []stack.Function{f, {Name: "absent"}})
	if err != nil || len(h.Functions()) != 1 {
		t.Fatalf("Start = %+v, %v; want the one that is built in", h, err)
	}
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := h.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return h
}

func TestStateOfAFunction(t *testing.T) {
	keyless := map[string]string{"KEYLESS": "1", "INFLUX_URL": "http://influx:8086"}
	for name, c := range map[string]struct {
		env, vars map[string]string
		want      State
		missing   string
	}{
		"no key":                            {nil, nil, Sample, "MY_KEY"},
		"a key":                             {nil, map[string]string{"MY_KEY": "k"}, Live, ""},
		"no key, named in LIVE":             {nil, map[string]string{"LIVE": "echo"}, Unconfigured, "MY_KEY"},
		"no key, a setting":                 {map[string]string{"PLACES": ""}, map[string]string{"PLACES": "x"}, Sample, "MY_KEY"},
		"needs no key":                      {keyless, nil, Sample, ""},
		"needs no key, named in LIVE":       {keyless, map[string]string{"LIVE": "feeds, echo"}, Live, ""},
		"needs no key, LIVE is all":         {keyless, map[string]string{"LIVE": "all"}, Live, ""},
		"needs no key, its own setting":     {keyless, map[string]string{"KEYLESS": "1"}, Live, ""},
		"needs no key, a common setting":    {keyless, map[string]string{"INFLUX_URL": "http://mine"}, Sample, ""},
		"another's secret and Slack's only": {nil, map[string]string{"SLACK_WEBHOOKS": "https://hooks", "NTFY_TOKEN": "tk", "ALERT_WEBHOOK": "https://hook", "DATABASE_URL": "x"}, Sample, "MY_KEY"},
	} {
		t.Run(name, func(t *testing.T) {
			f, a := start(t, c.env, c.vars)
			if f.State != c.want || strings.Join(f.Missing, " ") != c.missing {
				t.Errorf("state = %s, missing %v; want %s, %s", f.State, f.Missing, c.want, c.missing)
			}
			if a.Sample != (c.want == Sample) {
				t.Errorf("its Env.Sample is %t", a.Sample)
			}
		})
	}
}

func TestAFunctionSeesOnlyItsOwnEnvironment(t *testing.T) {
	t.Setenv("STRAY", "x")
	_, a := start(t, map[string]string{"PLACES": "home"}, map[string]string{"MY_KEY": "k", "OTHER_KEY": "o", "STRAY": "x"})
	if len(a.Vars) != 1 || a.Vars["PLACES"] != "home" || !a.Key || a.Other {
		t.Errorf("environment = %+v", a)
	}
}

func TestSamplesReplaceOnlyUpstreams(t *testing.T) {
	_, a := start(t, map[string]string{
		"KEYLESS": "1", "URL": "https://api.example/v1", "PLACES": "home",
		"FEEDS": "a=https://a.example/x;b=http://b.example", "SLACK_URL": "https://slack.com/api/",
	}, nil)
	for k, want := range map[string]string{
		"URL":       "http://127.0.0.1:7/echo/api.example/v1",
		"FEEDS":     "a=http://127.0.0.1:7/echo/a.example/x;b=http://127.0.0.1:7/echo/b.example",
		"SLACK_URL": "https://slack.com/api/",
		"PLACES":    "sampleville",
	} {
		if a.Vars[k] != want {
			t.Errorf("%s = %q, want %q", k, a.Vars[k], want)
		}
	}
}

func TestAFunctionHasTheLimitsOfItsImage(t *testing.T) {
	for value, want := range map[string]bool{"": true, "25s": true, "0": false, "5h": false} {
		if _, a := start(t, map[string]string{"KEYLESS": "1", "exec_timeout": value}, nil); a.Limited != want {
			t.Errorf("exec_timeout %q: its request was limited: %t, want %t", value, a.Limited, want)
		}
	}
	if f, _ := start(t, map[string]string{"exec_timeout": "soon"}, nil); f.State != Broken || !strings.Contains(f.Reason, "exec_timeout") {
		t.Errorf("with an invalid timeout: %+v", f)
	}
}

func TestABrokenFunctionDoesNotStopTheOthers(t *testing.T) {
	f, _ := start(t, map[string]string{"BROKEN": "1"}, map[string]string{"MY_KEY": "geheimnis"})
	if f.State != Broken || !strings.Contains(f.Reason, "BROKEN is set") || strings.Contains(f.Reason, "geheimnis") {
		t.Errorf("function = %+v", f)
	}
}

func TestAGolangHTTPFunctionIsServedAsTheTemplateDoes(t *testing.T) {
	build := Transform(func(serve.Env) (func(gohttp.Request) (gohttp.Response, error), error) {
		return func(r gohttp.Request) (gohttp.Response, error) {
			return gohttp.Response{Body: append([]byte("got "), r.Body...), StatusCode: http.StatusAccepted}, nil
		}, nil
	})
	h, err := build(serve.Env{Env: config.Env{Log: slog.New(slog.DiscardHandler)}})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, "/", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	w := &recorder{header: http.Header{}}
	h.ServeHTTP(w, req)
	if w.body.String() != "got x" {
		t.Errorf("answer = %q", w.body.String())
	}
}

// A function names itself in its log entries; the host must not name it a second time.
func TestALogEntryNamesItsFunctionOnce(t *testing.T) {
	var log strings.Builder
	build := func(env serve.Env) (http.Handler, error) {
		env.Log.Info("stored", "function", "logger")
		if env.Vars["BROKEN"] != "" {
			return nil, errors.New("BROKEN is set")
		}
		return http.NotFoundHandler(), nil
	}
	for _, vars := range []map[string]string{{}, {"BROKEN": "yes"}} {
		h, err := Start(Options{Root: t.TempDir(), Build: map[string]Builder{"logger": build}, Now: time.Now,
			Log: func(*secret.Folder) *slog.Logger { return slog.New(slog.NewTextHandler(&log, nil)) },
		}, []stack.Function{{Name: "logger", Folder: "functions/logger", Env: vars}})
		if err == nil {
			err = h.Stop(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for line := range strings.Lines(log.String()) {
		if strings.Count(line, "function=logger") != 1 {
			t.Error(line)
		}
	}
	if strings.Contains(log.String(), "BROKEN") {
		t.Errorf("the reason is in Function.Reason, not logged too: %s", log.String())
	}
}
