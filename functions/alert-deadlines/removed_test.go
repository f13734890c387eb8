package function

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/source"
)

// TestTheFailureOfARemovedSourceEnds: a function that is not there any more cannot say so.
func TestTheFailureOfARemovedSourceEnds(t *testing.T) {
	h := start(t, "", nil)
	env := h.Env
	env.Vars = map[string]string{}
	tides, err := source.Handler(env, source.Source{Name: "tides", Targets: []string{"quay"}, Setting: "TIDES",
		Fetch: func(context.Context, *fetch.Client, string, source.Window) (source.Batch, error) {
			return source.Batch{}, errors.New("no answer")
		}})
	if err != nil {
		t.Fatal(err)
	}
	tides.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", nil))
	h.expect(5*time.Minute, "Fetching fails: tides quay")
	if _, err := h.Store.ForgetFunction(t.Context(), "tides"); err != nil {
		t.Fatal(err)
	}
	h.expect(5*time.Minute, "No longer watched: Fetching fails: tides quay")
	h.expect(5 * time.Minute)
}
