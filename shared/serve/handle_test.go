package serve

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

func TestHandleRetriesUntilBuildSucceeds(t *testing.T) {
	tries := 0
	h := Handle(func(Env) (http.Handler, error) {
		if tries++; tries < 3 {
			return nil, errors.New("not yet")
		}
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("up")) }), nil
	})
	for i, want := range []int{500, 500, 200, 200} {
		w := httptest.NewRecorder()
		h(w, httptest.NewRequest("POST", "/", nil))
		if w.Code != want {
			t.Errorf("call %d: %d, want %d", i, w.Code, want)
		}
	}
	if tries != 3 {
		t.Errorf("built %d times, want 3: a success is kept", tries)
	}
}

// The database does not answer. Concurrent calls share one attempt to open it, and no
// call waits longer than its own context.
func TestCallsShareAnAttemptAndKeepTheirDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		noAnswer, tries, up := errors.New("no answer"), 0, false
		open := Once(func(ctx context.Context) (int, error) {
			tries++
			if up {
				return tries, nil
			}
			select {
			case <-time.After(5 * time.Second):
			case <-ctx.Done():
			}
			return 0, noAnswer
		})
		began := time.Now()
		type outcome struct {
			took time.Duration
			err  error
		}
		out := make(chan outcome)
		call := func(timeout time.Duration) {
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			_, err := open(ctx)
			out <- outcome{time.Since(began), err}
		}
		go call(2 * time.Second) // its deadline does not end the attempt
		synctest.Wait()
		for range 4 {
			go call(20 * time.Second)
		}
		if got := <-out; got.took != 2*time.Second || !errors.Is(got.err, context.DeadlineExceeded) {
			t.Errorf("the first call: %+v", got)
		}
		for range 4 {
			if got := <-out; got.took != 5*time.Second || !errors.Is(got.err, noAnswer) {
				t.Errorf("%+v, want the attempt's error after its 5 s", got)
			}
		}
		if up = true; tries != 1 {
			t.Errorf("%d attempts", tries)
		}
		over, cancel := context.WithCancel(t.Context())
		defer cancel()
		for range 3 {
			if v, err := open(over); v != 2 || err != nil {
				t.Errorf("%d, %v; want the second attempt's", v, err)
			}
			cancel() // an open store is returned even with an ended context
		}
	})
}
