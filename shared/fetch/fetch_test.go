package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// upstream answers with h and counts the requests.
func upstream(t *testing.T, h http.HandlerFunc) (*url.URL, *atomic.Int64) {
	t.Helper()
	n := &atomic.Int64{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		h(w, r)
	}))
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL + "/data?appid=s3cr3t-key")
	if err != nil {
		t.Fatal(err)
	}
	return u, n
}

func TestGetRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		want   string
		tries  int64
	}{
		"not found, at once":        {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "nothing here", 404) }, `answered 404: "nothing here`, 1},
		"broken, after three tries": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "oops", 500) }, "answered 500", 3},
		"limited for long, at once": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(429)
		}, "answered 429", 1},
		"truncated": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.Write([]byte(`{"half":`))
		}, "unexpected EOF", 3},
		"endless": {func(w http.ResponseWriter, _ *http.Request) {
			b := make([]byte, 1<<20)
			for range 12 {
				w.Write(b)
			}
		}, "more than 10 MiB", 1},
		"very many values": {func(w http.ResponseWriter, _ *http.Request) {
			w.Write([]byte("[0" + strings.Repeat(",0", maxValues+1) + "]"))
		}, "more than 100000 values", 1},
		"very many tags": {func(w http.ResponseWriter, _ *http.Request) {
			w.Write([]byte(strings.Repeat("<a/>", maxValues+1)))
		}, "more than 100000 values", 1},
		"redirects in a circle": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.String(), http.StatusFound) }, "more than 5 redirects", 15},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u, n := upstream(t, tt.answer)
			_, err := New(noon).Get(t.Context(), u, nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("err = %v, want %q in it", err, tt.want)
			}
			if strings.Contains(err.Error(), "s3cr3t") {
				t.Errorf("the key is in the error: %v", err)
			}
			if n.Load() != tt.tries {
				t.Errorf("%d requests, want %d", n.Load(), tt.tries)
			}
		})
	}
}

func TestGetNamesNoKeyWhenTheHostIsDead(t *testing.T) {
	u, _ := url.Parse("http://127.0.0.1:1/x?appid=s3cr3t-key")
	_, err := New(noon).Get(t.Context(), u, nil)
	if err == nil || strings.Contains(err.Error(), "s3cr3t") || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("err = %v, want the host in it and not the key", err)
	}
}

func TestGetStopsWithItsContext(t *testing.T) {
	u, _ := upstream(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := New(noon).Get(ctx, u, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v, want the deadline", err)
	}
}

func TestGetRetries(t *testing.T) {
	var tries atomic.Int64
	u, _ := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
		if tries.Add(1) == 1 {
			w.WriteHeader(503)
			return
		}
		w.Write([]byte("good"))
	})
	a, err := New(noon).Get(t.Context(), u, nil)
	if err != nil || string(a.Body) != "good" {
		t.Errorf("Get = %v, %v; want the second answer", a, err)
	}
}

func TestConditionalGetKeepsTheBody(t *testing.T) {
	var unchanged atomic.Int64
	u, _ := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") == `"v1"` {
			unchanged.Add(1)
			w.WriteHeader(304)
			return
		}
		w.Header().Set("ETag", `"v1"`)
		w.Write([]byte("body"))
	})
	c := New(noon)
	for range 2 {
		if a, err := c.Get(t.Context(), u, nil); err != nil || string(a.Body) != "body" {
			t.Fatalf("Get = %v, %v; want the body", a, err)
		}
	}
	if unchanged.Load() != 1 {
		t.Errorf("%d answers were 304, want 1", unchanged.Load())
	}
	// A request with another key is another request: its answer may differ.
	if a, err := c.Get(t.Context(), u, http.Header{"Authorization": {"other"}}); err != nil || string(a.Body) != "body" || unchanged.Load() != 1 {
		t.Errorf("with another key: %v, %v, %d unchanged", a, err, unchanged.Load())
	}
}

// TestALimitCountsDecompressedBytes: a small compressed answer may be a large one.
func TestALimitCountsDecompressedBytes(t *testing.T) {
	u, n := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		z.Write(bytes.Repeat([]byte("a"), 1<<20+len(r.URL.Path)-1))
		z.Close()
	})
	u.Path = "/"
	c := New(noon).Most(1 << 20)
	if a, err := c.Get(t.Context(), u, nil); err != nil || len(a.Body) != 1<<20 {
		t.Errorf("1 MiB: %v", err)
	}
	u.Path = "/x"
	if _, err := c.Get(t.Context(), u, nil); err == nil || !strings.Contains(err.Error(), "more than 1 MiB, the most that is read") || n.Load() != 2 {
		t.Errorf("1 MiB and a byte: %v, %d requests", err, n.Load())
	}
}

// TestAMemoKeepsNoMoreThanItsLimit: the answers are right all the same.
func TestAMemoKeepsNoMoreThanItsLimit(t *testing.T) {
	u, n := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Write(bytes.Repeat([]byte(r.URL.RawQuery), 3<<20))
	})
	run := New(noon).Memo()
	for range 2 {
		for _, q := range []string{"a", "b", "c", "d"} {
			u.RawQuery = q
			if a, err := run.Get(t.Context(), u, nil); err != nil || len(a.Body) != 3<<20 || a.Body[0] != q[0] {
				t.Fatalf("%s: %v", q, err)
			}
		}
	}
	if n.Load() != 6 || run.memo.size != 6<<20 { // c and d do not fit
		t.Errorf("%d requests and %d bytes kept, want 6 and %d", n.Load(), run.memo.size, 6<<20)
	}
}

func TestMemoSendsARequestOnce(t *testing.T) {
	u, n := upstream(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) })
	c := New(noon)
	run := c.Memo()
	for range 3 {
		if _, err := run.Gate(func(context.Context) error { return nil }).Get(t.Context(), u, nil); err == nil {
			t.Fatal("no error")
		}
	}
	if n.Load() != 1 {
		t.Errorf("%d requests, want 1: a failure is shared too", n.Load())
	}
	if _, _ = c.Memo().Get(t.Context(), u, nil); n.Load() != 2 {
		t.Errorf("%d requests, want 2: another memo sends its own", n.Load())
	}
}

func TestGateIsCalledBeforeEveryRequest(t *testing.T) {
	u, n := upstream(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	left, spent := 2, errors.New("spent")
	c := New(noon).Gate(func(context.Context) error {
		if left == 0 {
			return spent
		}
		left--
		return nil
	})
	if _, err := c.Get(t.Context(), u, nil); !errors.Is(err, spent) {
		t.Errorf("err = %v, want the gate's", err)
	}
	if n.Load() != 2 {
		t.Errorf("%d requests, want the 2 that the gate allowed", n.Load())
	}
}

func TestRedirectSendsNoKeyToAnotherHost(t *testing.T) {
	var got http.Header
	other, _ := upstream(t, func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Clone() })
	u, _ := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+other.Host+"/", http.StatusFound)
	})
	if _, err := New(noon).Get(t.Context(), u, http.Header{"X-Finnhub-Token": {"s3cr3t"}, "Authorization": {"s3cr3t"}}); err != nil {
		t.Fatal(err)
	}
	for k, v := range got {
		if strings.Contains(strings.Join(v, " "), "s3cr3t") {
			t.Errorf("%s: %v reached the other host", k, v)
		}
	}
}

func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

func TestRetryAfter(t *testing.T) {
	for name, tt := range map[string]struct {
		header http.Header
		want   time.Duration
	}{
		"seconds":                {http.Header{"Retry-After": {"14"}}, 14 * time.Second},
		"fractions":              {http.Header{"Retry-After": {"0.5"}}, 500 * time.Millisecond},
		"a date":                 {http.Header{"Retry-After": {"Mon, 23 Nov 2026 12:01:00 GMT"}}, time.Minute},
		"a past date":            {http.Header{"Retry-After": {"Mon, 23 Nov 2026 11:00:00 GMT"}}, 0},
		"no number or date":      {http.Header{"Retry-After": {"soon"}}, 0},
		"negative":               {http.Header{"Retry-After": {"-5"}}, 0},
		"GitHub's reset":         {http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"1795435260"}}, time.Minute},
		"Reddit's reset":         {http.Header{"X-Ratelimit-Remaining": {"0.0"}, "X-Ratelimit-Reset": {"312"}}, 312 * time.Second},
		"Reddit with calls left": {http.Header{"X-Ratelimit-Remaining": {"0.5"}, "X-Ratelimit-Reset": {"312"}}, 0},
		"the IETF's draft":       {http.Header{"Ratelimit-Remaining": {"0"}, "Ratelimit-Reset": {"30"}}, 30 * time.Second},
		"a reset in the past":    {http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"1795435100"}}, 0},
		"a reset that is none":   {http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"soon"}}, 0},
		"spaces":                 {http.Header{"Retry-After": {" 14 "}}, 14 * time.Second},
		"GitHub with calls left": {http.Header{"X-Ratelimit-Remaining": {"5"}, "X-Ratelimit-Reset": {"1795435260"}}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := parseRetryAfter(tt.header, noon()); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

func TestJSONRefuses(t *testing.T) {
	for name, body := range map[string]string{"html": "<html>", "empty": "", "truncated": `{"a":`, "another type": `{"a":"x"}`} {
		t.Run(name, func(t *testing.T) {
			u, _ := upstream(t, func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(body)) })
			if v, _, err := JSON[struct{ A float64 }](t.Context(), New(noon), u, nil); err == nil {
				t.Errorf("decoded %v, want an error", v)
			}
		})
	}
}
