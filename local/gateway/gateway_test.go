package gateway

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/openfaas/faas-provider/types"
	sdk "github.com/openfaas/go-sdk"
	"go.uber.org/goleak"

	"github.com/hearth-home/hearth/shared/testserver/tool"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo answers with the request's method, address and body.
func echo(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	w.Header().Set("X-Topic-Seen", r.Header.Get("X-Topic"))
	w.WriteHeader(http.StatusTeapot)
	io.WriteString(w, r.Method+" "+r.URL.RequestURI()+" "+string(b))
}

func start(t *testing.T) (*Gateway, string) {
	t.Helper()
	fn := httptest.NewServer(http.HandlerFunc(echo))
	t.Cleanup(fn.Close)
	u, err := url.Parse(fn.URL)
	if err != nil {
		t.Fatal(err)
	}
	annotations := map[string]string{"topic": "cron-function", "schedule": "@daily"}
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "the page") })
	log := slog.New(slog.DiscardHandler)
	g := New([]Function{
		{types.FunctionStatus{Name: "weather", Image: "x/weather:1", Annotations: &annotations, Secrets: []string{"openweather-key"}}, *u},
		{types.FunctionStatus{Name: "dead", Image: "x/dead:1"}, url.URL{Scheme: "http", Host: "127.0.0.1:1"}},
	}, page, log)
	srv, err := Listen("127.0.0.1:0", g, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := srv.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return g, "http://" + srv.Addr
}

func call(t *testing.T, method, address, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Topic", "home/x")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

func TestCallsReachTheFunctionWithMethodPathQueryAndHeaders(t *testing.T) {
	_, base := start(t)
	for _, c := range [][3]string{
		{"POST", "/function/weather", "POST / hi"},
		{"POST", "/function/weather?from=2024-01-01", "POST /?from=2024-01-01 hi"},
		{"PUT", "/function/weather.openfaas-fn/a/b%20c?x=1", "PUT /a/b%20c?x=1 hi"},
		{"DELETE", "/function/weather/", "DELETE / hi"},
	} {
		res, body := call(t, c[0], base+c[1], "hi")
		if res.StatusCode != http.StatusTeapot || body != c[2] || res.Header.Get("X-Topic-Seen") != "home/x" {
			t.Errorf("%s %s: %d %q, want %q", c[0], c[1], res.StatusCode, body, c[2])
		}
	}
}

func TestAPageOfAnotherSiteCannotCallAFunction(t *testing.T) {
	_, address := start(t)
	for origin, want := range map[string]int{"": http.StatusTeapot, address: http.StatusTeapot, "https://evil.example": http.StatusForbidden} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/function/weather", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if origin != "" {
			req.Header.Set("Origin", origin)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("origin %q: %d, want %d", origin, res.StatusCode, want)
		}
	}
}

func TestOnlyAddressesAndLocalhostAreAnswered(t *testing.T) {
	for host, want := range map[string]bool{"localhost:8080": true, "127.0.0.1:8080": true, "[::1]:8080": true, "127.0.0.1": true,
		"evil.example:8080": false, "localhost.evil.example": false, "": false} {
		if ours(host) != want {
			t.Errorf("ours(%q) = %v, want %v", host, !want, want)
		}
	}
}

func TestAnUnsupportedRequestIsExplained(t *testing.T) {
	_, base := start(t)
	for _, c := range []struct {
		method, path string
		code         int
		words        string
	}{
		{"POST", "/function/none", 404, "no function"},
		{"GET", "/system/function/none", 404, "no function"},
		{"POST", "/function/dead", 500, "dead"},
		{"POST", "/async-function/weather", 501, "no queue"},
		{"POST", "/system/functions", 501, "edit stack.yml and restart"},
		{"DELETE", "/system/functions", 501, "edit stack.yml and restart"},
		{"POST", "/system/scale-function/weather", 501, "edit stack.yml and restart"},
		{"GET", "/system/secrets", 501, ".env"},
		{"GET", "/anything", 200, "the page"},
	} {
		if res, body := call(t, c.method, base+c.path, ""); res.StatusCode != c.code || !strings.Contains(body, c.words) {
			t.Errorf("%s %s: %d %q, want %d %q", c.method, c.path, res.StatusCode, body, c.code, c.words)
		}
	}
}

func TestHealthWaitsUntilAllIsUp(t *testing.T) {
	g, base := start(t)
	if res, _ := call(t, "GET", base+"/healthz", ""); res.StatusCode != 503 {
		t.Errorf("before: %d, want 503", res.StatusCode)
	}
	g.Ready(true)
	if res, _ := call(t, "GET", base+"/healthz", ""); res.StatusCode != 200 {
		t.Errorf("after: %d, want 200", res.StatusCode)
	}
}

func TestTheSDKReadsTheAPI(t *testing.T) {
	_, base := start(t)
	call(t, "POST", base+"/function/weather", "")
	call(t, "POST", base+"/function/weather", "")
	u, _ := url.Parse(base)
	c := sdk.NewClient(u, nil, http.DefaultClient)
	fs, err := c.GetFunctions(t.Context(), "")
	if err != nil || len(fs) != 2 || fs[0].Name != "weather" || fs[0].InvocationCount != 2 || fs[0].Replicas != 1 {
		t.Errorf("functions = %+v, %v", fs, err)
	}
	if a := fs[0].Annotations; a == nil || (*a)["schedule"] != "@daily" {
		t.Errorf("annotations = %v", a)
	}
	if fs, err := c.GetFunctions(t.Context(), "elsewhere"); err != nil || len(fs) != 0 {
		t.Errorf("another namespace: %v, %v; want none", fs, err)
	}
	f, err := c.GetFunction(t.Context(), "weather", namespace)
	if err != nil || f.Image != "x/weather:1" || f.AvailableReplicas != 1 {
		t.Errorf("function = %+v, %v", f, err)
	}
	ns, err := c.GetNamespaces(t.Context())
	if err != nil || len(ns) != 1 || ns[0] != namespace {
		t.Errorf("namespaces = %v, %v", ns, err)
	}
	if info, err := c.GetInfo(t.Context()); err != nil || info.Provider.Provider != "hearth" {
		t.Errorf("info = %+v, %v", info, err)
	}
}

func TestFaasCLIWorksAgainstIt(t *testing.T) {
	cli := tool.Optional(t, "faas-cli", "that faas-cli works against the gateway of make up")
	_, base := start(t)
	run := func(stdin string, args ...string) string {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		cmd := exec.CommandContext(ctx, cli, append(args, "-g", base)...)
		cmd.Stdin = strings.NewReader(stdin)
		cmd.Env = append(cmd.Environ(), "HOME="+t.TempDir())
		out, _ := cmd.CombinedOutput() // faas-cli's output tells whether it worked
		return string(out)
	}
	if out := run("", "list"); !strings.Contains(out, "weather") {
		t.Errorf("list: %s", out)
	}
	if out := run("", "describe", "weather"); !strings.Contains(out, "x/weather:1") || !strings.Contains(out, "Ready") {
		t.Errorf("describe: %s", out)
	}
	if out := run("hello", "invoke", "weather"); !strings.Contains(out, "POST / hello") {
		t.Errorf("invoke: %s", out)
	}
	if out := run("", "deploy", "--image", "x/y", "--name", "y"); !strings.Contains(out, "edit stack.yml and restart") {
		t.Errorf("deploy: %s", out)
	}
}

func TestABusyPortIsNamed(t *testing.T) {
	_, base := start(t)
	_, err := Listen(strings.TrimPrefix(base, "http://"), http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	if err == nil || !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), base[len("http://"):]) {
		t.Errorf("err = %v", err)
	}
}

func TestStopLetsARequestFinish(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	srv, err := Listen("127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-release
		io.WriteString(w, "done")
	}), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 1)
	go func() {
		res, err := http.Get("http://" + srv.Addr)
		if err != nil {
			got <- err.Error()
			return
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		got <- string(b)
	}()
	<-entered
	stopped := make(chan error, 1)
	go func() { stopped <- srv.Stop(context.Background()) }()
	close(release)
	if body := <-got; body != "done" {
		t.Errorf("the request got %q", body)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	http.DefaultClient.CloseIdleConnections()
}
