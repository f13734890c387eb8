package status

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hearth-home/hearth/shared/store"
)

// TestAPersonRequestsADropOfDeadLetters: a request on the page is stored for the
// connector. A request with mistakes is not.
func TestAPersonRequestsADropOfDeadLetters(t *testing.T) {
	h := newFixture(t)
	h.ok(saveDevices(t.Context(), h.st, store.DeviceChange{Dead: []store.DeadLetter{
		h.letter(0, "sensors", "a/b", "no mapping for a/b", `{}`),
		h.letter(1, "sensors", "a/b/c", "no mapping for a/b/c", `{}`),
	}}))
	page := h.page()
	dead := page.snapshot(t.Context()).data.Dead
	cause := dead[0].ID
	post := func(body string) (int, string) { return post(page, "/dead", body) }
	for body, want := range map[string]int{
		"":                          400,
		"action=drop":               400,
		"cause=" + cause:            400,
		"action=eat&cause=" + cause: 400,
		"action=drop&cause=" + cause + "&all=true":             400,
		"action=drop&cause=" + cause + "&cause=x":              400,
		"action=drop&action=replay&cause=" + cause:             400,
		"action=drop&cause=x-0":                                404,
		"action=drop&cause=%zz":                                400,
		"action=drop&cause=" + strings.Repeat("x", maxRequest): 400,
	} {
		if code, text := post(body); code != want {
			t.Errorf("%.60q: %d %s, want %d", body, code, text, want)
		}
	}
	if code, text := post("action=drop&cause=" + cause); code != http.StatusAccepted || !strings.HasPrefix(text, "requested") {
		t.Errorf("%d %s", code, text)
	}
	got, err := h.st.TakeDeadRequests(t.Context(), nil, h.now.Add(time.Minute), 10)
	if err != nil || len(got) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	want := store.DeadRequest{ID: got[0].ID, Action: store.Drop, Function: "sensors", Cause: dead[0].Reason, Requested: h.now}
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Error(diff)
	}
}

// post sends a form, and returns the status and the answer.
func post(p *Page, path, form string) (int, string) {
	r, w := httptest.NewRequest(http.MethodPost, "http://hearth.test"+path, strings.NewReader(form)), httptest.NewRecorder()
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	p.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}
