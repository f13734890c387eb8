package steps

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// fixture returns steps with one line. try is called by a trial.
func fixture(first bool, try func() (Result, error)) *Steps {
	line := Line{Name: "tides", Title: "Tides", About: "<b>Ask</b> for a key.", Link: "javascript:alert(1)", Fields: []Field{
		{Name: "TIDES_KEY", Label: "Key", Secret: true, Needed: true}, {Name: "TIDES_PLACES", Label: "Places", Value: `"><script>`}}}
	do := func(context.Context, string, map[string]string) (Result, error) { return try() }
	return &Steps{
		Lines: func() []Line { return []Line{line} }, First: func() bool { return first }, Try: do, Save: do,
		Fill:   func(_ context.Context, l Line) Line { return l },
		Redact: func(s string) string { return strings.ReplaceAll(s, "key-4711", "[secret]") },
	}
}

func post(s *Steps, path string, header http.Header) *httptest.ResponseRecorder {
	form := url.Values{"name": {"tides"}, "TIDES_KEY": {"key-4711"}, "TIDES_PLACES": {""}}
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header = header
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func TestOneTrialOfALineAtATime(t *testing.T) {
	began, end := make(chan bool), make(chan bool)
	s := fixture(true, func() (Result, error) {
		began <- true
		<-end
		return Result{Title: "It works."}, nil
	})
	first := make(chan *httptest.ResponseRecorder)
	go func() { first <- post(s, "/steps/try", http.Header{}) }()
	<-began
	for _, path := range []string{"/steps/try", "/steps/save"} {
		if w := post(s, path, http.Header{}); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "Tides is being tried") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	close(end)
	if w := <-first; w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"rows":[]`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	go func() { <-began }()
	if w := post(s, "/steps/try", http.Header{}); w.Code != http.StatusOK {
		t.Errorf("after the first has ended: %d %s", w.Code, w.Body)
	}
}

func TestAnErrorIsRedactedAndOtherSitesAreRefused(t *testing.T) {
	s := fixture(true, func() (Result, error) { return Result{}, errors.New("no such key: key-4711") })
	if w := post(s, "/steps/try", http.Header{}); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "no such key: [secret]") || strings.Contains(w.Body.String(), "4711") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	s.Try = func(context.Context, string, map[string]string) (Result, error) {
		t.Error("it was tried")
		return Result{}, nil
	}
	for _, header := range []http.Header{{"Sec-Fetch-Site": {"cross-site"}}, {"Origin": {"https://evil.example"}}} {
		if w := post(s, "/steps/try", header); w.Code != http.StatusForbidden {
			t.Errorf("%v: %d %s", header, w.Code, w.Body)
		}
	}
}

func TestTheLinesStandAboveTheGridOnTheFirstDayAndBelowItLater(t *testing.T) {
	for _, first := range []bool{true, false} {
		s := fixture(first, nil)
		if top, end := strings.Contains(s.Top(), "data-step"), strings.Contains(s.End(), "data-step"); top != first || end == first {
			t.Errorf("first %t: above %t, below %t", first, top, end)
		}
	}
	none := fixture(true, nil)
	none.Lines = func() []Line { return nil }
	if top := none.Top(); !strings.Contains(top, "hidden") || strings.Contains(top, "First steps") {
		t.Errorf("with nothing to do: %s", top)
	}
}

func TestTheFormIsText(t *testing.T) {
	w := httptest.NewRecorder()
	fixture(true, nil).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/steps/form?name=tides", nil))
	for _, bad := range []string{"<script>", "<b>", `href="javascript:`} {
		if strings.Contains(w.Body.String(), bad) {
			t.Errorf("%s is in the form: %s", bad, w.Body)
		}
	}
	if !strings.Contains(w.Body.String(), `type="password"`) || w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}
