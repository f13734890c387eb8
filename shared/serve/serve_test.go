package serve

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	handler "github.com/openfaas/templates-sdk/go-http"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/secret"
)

func env(t *testing.T, log io.Writer, vars map[string]string) config.Env {
	f := secret.NewFolder(t.TempDir())
	return config.Env{Vars: vars, Secrets: f, Log: config.Logger(log, f)}
}

// start serves h. It returns the URL, a function that stops the server as SIGTERM does,
// and a channel that gets serve's error.
func start(t *testing.T, s settings, h http.Handler) (url string, stop func(), ended <-chan error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	end := make(chan error, 1)
	go func() { end <- s.serve(ctx, l, h, env(t, io.Discard, nil).Log) }()
	return "http://" + l.Addr().String(), cancel, end
}

func TestStopWaitsForTheRequestInFlight(t *testing.T) {
	inside, release := make(chan bool), make(chan bool)
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		inside <- true
		<-release
		io.WriteString(w, "done")
	})
	url, stop, ended := start(t, settings{write: time.Minute}, h)
	got := make(chan string, 1)
	go func() {
		res, err := http.Get(url)
		if err != nil {
			got <- err.Error()
			return
		}
		b, _ := io.ReadAll(res.Body)
		got <- string(b)
	}()
	<-inside
	stop()
	for { // until the server accepts no new connections
		c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			break
		}
		c.Close()
	}
	select {
	case err := <-ended:
		t.Fatalf("stopped with a request in flight: %v", err)
	default:
	}
	close(release)
	if body := <-got; body != "done" {
		t.Errorf("the request in flight got %q", body)
	}
	if err := <-ended; err != nil {
		t.Errorf("stop: %v", err)
	}
}

func TestRequestsWithinHealthcheckIntervalAreServedAfterStop(t *testing.T) {
	t.Parallel() // it takes the whole interval, in which a busy machine must make the request
	url, stop, ended := start(t, settings{write: time.Minute, interval: 5 * time.Second}, http.NotFoundHandler())
	stop()
	res, err := http.Get(url)
	if err != nil {
		t.Fatalf("a request within healthcheck_interval: %v", err)
	}
	res.Body.Close()
	if err := <-ended; err != nil {
		t.Errorf("stop: %v", err)
	}
}

func TestCutOffRequestsAreAnError(t *testing.T) {
	inside := make(chan bool)
	h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		inside <- true
		<-t.Context().Done()
	})
	url, stop, ended := start(t, settings{write: 10 * time.Millisecond}, h)
	go http.Get(url)
	<-inside
	stop()
	if err := <-ended; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want a deadline", err)
	}
}

func TestRequestsHaveTheDeadlineOfExecTimeout(t *testing.T) {
	var left time.Duration
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		end, _ := r.Context().Deadline()
		left = time.Until(end)
	})
	deadline(h, time.Hour).ServeHTTP(nil, httptest.NewRequest("POST", "/", nil))
	if left <= 0 || left > time.Hour {
		t.Errorf("deadline in %v, want within an hour", left)
	}
}

func TestTimeoutsAreReadAsTheWatchdogReadsThem(t *testing.T) {
	s, err := parse(map[string]string{"PORT": "9000", "read_timeout": "5", "write_timeout": "1m", "exec_timeout": "25s"})
	want := settings{port: "9000", read: 5 * time.Second, write: time.Minute, exec: 25 * time.Second, interval: time.Minute}
	if err != nil || s != want {
		t.Errorf("got %+v, %v, want %+v", s, err, want)
	}
	_, err = parse(map[string]string{"read_timeout": "soon", "healthcheck_interval": "-1s"})
	if err == nil || !strings.Contains(err.Error(), "read_timeout") || !strings.Contains(err.Error(), "healthcheck_interval") {
		t.Errorf("got %v, want both names", err)
	}
}

func TestFuncPassesOnTheWholeRequest(t *testing.T) {
	var got handler.Request
	f := func(r handler.Request) (handler.Response, error) {
		got = r
		return handler.Response{Body: []byte("x"), StatusCode: 207, Header: http.Header{"X-A": {"1", "2"}}}, nil
	}
	r := httptest.NewRequest("PUT", "http://gateway/function/x?a=b", strings.NewReader("payload"))
	r.Header.Set("X-Topic", "home/lamp")
	w := httptest.NewRecorder()
	Func(f, env(t, io.Discard, nil)).ServeHTTP(w, r)
	if string(got.Body) != "payload" || got.Method != "PUT" || got.QueryString != "a=b" || got.Host != "gateway" ||
		got.Header.Get("X-Topic") != "home/lamp" || got.Context() == nil {
		t.Errorf("the function got %+v", got)
	}
	if w.Code != 207 || w.Body.String() != "x" || len(w.Header()["X-A"]) != 2 {
		t.Errorf("answered %d %q %v", w.Code, w.Body, w.Header())
	}
}

func TestFuncRefusesALargeBody(t *testing.T) {
	f := func(handler.Request) (handler.Response, error) {
		t.Error("called")
		return handler.Response{}, nil
	}
	w := httptest.NewRecorder()
	Func(f, env(t, io.Discard, map[string]string{"max_body_bytes": "3"})).
		ServeHTTP(w, httptest.NewRequest("POST", "/", strings.NewReader("four")))
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("answered %d, want 413", w.Code)
	}
}

func TestFuncAnswers500OnAnError(t *testing.T) {
	var log strings.Builder
	f := func(handler.Request) (handler.Response, error) { return handler.Response{}, errors.New("no such lamp") }
	w := httptest.NewRecorder()
	Func(f, env(t, &log, nil)).ServeHTTP(w, httptest.NewRequest("POST", "/", nil))
	if w.Code != 500 || !strings.Contains(log.String(), "no such lamp") {
		t.Errorf("answered %d, logged %s", w.Code, log.String())
	}
}
