package source_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/source"
)

// A failure that nobody can mend is reported once. When it becomes one that the owner can mend,
// this is reported too, once for each kind, whatever numbers are in the texts.
func TestACauseThatTheOwnerCanMendIsReportedAgain(t *testing.T) {
	t.Parallel()
	h := start(t, thermometer("home"))
	var answer atomic.Pointer[http.HandlerFunc]
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*answer.Load())(w, r) }))
	defer upstream.Close()
	address := upstream.Listener.Addr().String()
	s := thermometer("home")
	s.Fetch = func(ctx context.Context, client *fetch.Client, _ string, _ source.Window) (source.Batch, error) {
		_, _, err := fetch.JSON[struct{}](ctx, client, &url.URL{Scheme: "http", Host: address}, nil)
		return source.Batch{}, err
	}
	h.Build(of(s))
	var n atomic.Int64
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			fmt.Fprintf(w, "request %d", n.Add(1))
		}
	}
	for _, step := range []struct {
		what   string
		answer http.HandlerFunc // nil: nothing listens
		want   string
	}{
		{"refused", nil, "Fetching fails: weather home\nget 127.0.0.1:1: dial tcp"},
		{"busy", status(503), ""},
		{"closed", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, ""},
		{"wrong key", status(401), "Still firing, for another reason: Fetching fails: weather home\n" + address + " answered 401"},
		{"wrong key again", status(403), ""},
		{"limited", status(429), ""},
		{"wrong key after that", status(401), ""},
		{"another format", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }, "for another reason: Fetching fails: weather home\ndecode"},
		{"refused again", nil, ""},
		{"gone", status(404), "for another reason: Fetching fails: weather home\n" + address + " answered 404"},
		{"another format again", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "[]") }, ""},
	} {
		h.Messages, address = nil, "127.0.0.1:1"
		if step.answer != nil {
			answer.Store(&step.answer)
			address = upstream.Listener.Addr().String()
		}
		h.Later(time.Hour)
		if a, w := h.Post(""); w.Code < 400 {
			t.Fatalf("%s: answered %d %+v", step.what, w.Code, a)
		}
		if got := strings.Join(h.Messages, "|"); (got == "") != (step.want == "") || !strings.Contains(got, step.want) {
			t.Errorf("%s: messages %q, want %q", step.what, got, step.want)
		}
	}
}

// Without its key a source is not fetched: nobody would learn that its failure is over.
func TestTheFailureOfASourceThatIsNotConfiguredAnyMoreEnds(t *testing.T) {
	s := thermometer("home", "cabin")
	s.Fetch = func(context.Context, *fetch.Client, string, source.Window) (source.Batch, error) {
		return source.Batch{}, &fetch.StatusError{Host: "api.example", Code: 401}
	}
	h := start(t, s)
	h.Post("")
	if len(h.Messages) != 1 {
		t.Fatalf("messages %q", h.Messages)
	}
	s.Needs = []secret.String{secret.NewFolder(t.TempDir()).Get("weather-key")}
	h.Build(of(s))
	for range 2 {
		h.Later(time.Hour)
		if a, w := h.Post(""); a.Status != "not_configured" {
			t.Fatalf("answered %d %+v", w.Code, a)
		}
	}
	const want = "No longer watched: Fetching fails: weather cabin\nIt is not fetched any more: it lacks secret weather-key"
	if len(h.Messages) != 2 || !strings.Contains(h.Messages[1], want) || !strings.Contains(h.Messages[1], "weather home") {
		t.Errorf("messages %q, want %q once", h.Messages, want)
	}
	if states, err := h.Store.Targets(t.Context(), "weather"); err != nil || len(states) != 0 {
		t.Errorf("%v, %v", states, err)
	}
	s.Needs = nil
	h.Later(time.Hour)
	if run(h, s, ""); len(h.Messages) != 3 || !strings.Contains(h.Messages[2], "Fetching fails: weather home") {
		t.Errorf("messages %q, want a new failure", h.Messages)
	}
}
