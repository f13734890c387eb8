package serve

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestHandleTriesAgainUntilItCanBeBuilt(t *testing.T) {
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
