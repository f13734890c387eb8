package function

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/sourcetest"
	"github.com/hearth-home/hearth/shared/store"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

const token = "the-token-of-the-page"

// start returns the function with a gateway that answers each call.
func start(t *testing.T, secrets sourcetest.Secrets, gateway http.HandlerFunc) *sourcetest.Fixture {
	t.Helper()
	build := func(env serve.Env) (http.Handler, error) {
		env.Beside = &serve.Beside{}
		return New(env)
	}
	h := sourcetest.Start(t, noon, build, sourcetest.Vars{"GATEWAY_URL": "http://upstream"}, secrets, gateway)
	if err := h.Store.SaveFunction(t.Context(), store.Function{Name: "weather", Schedule: "*/15 * * * *", Period: 15 * time.Minute, Configured: true, LastSeen: noon}); err != nil {
		t.Fatal(err)
	}
	return h
}

func ask(h *sourcetest.Fixture, method, path string, form url.Values, bearer string) (int, string) {
	r, w := httptest.NewRequest(method, path, strings.NewReader(form.Encode())), httptest.NewRecorder()
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	h.Source.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestThePageIsReadByAnybodyUnlessThereIsAToken(t *testing.T) {
	h := start(t, sourcetest.Secrets{"hearth-settings": "house: {zone: Asia/Tokyo}"}, nil)
	for _, path := range []string{"/", "/status", "/outbox", "/status.json", "/tiles.json"} {
		if code, body := ask(h, "GET", path, nil, ""); code != http.StatusOK || path == "/status" && !(strings.Contains(body, "Asia/Tokyo") && strings.Contains(body, "weather")) {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	h.Secret("page-token", token) // read at once
	for bearer, want := range map[string]int{"": 401, "x": 401, token: 200} {
		if code, body := ask(h, "GET", "/status.json", nil, bearer); code != want {
			t.Errorf("%q: %d %s", bearer, code, body)
		}
	}
}

// TestASourceIsRunAgainWithTheToken: through the gateway, without the token in the call.
func TestASourceIsRunAgainWithTheToken(t *testing.T) {
	h := start(t, nil, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/function/weather" || r.Method != http.MethodPost || r.Header.Get("Authorization") != "" {
			t.Errorf("called %s %s %v", r.Method, r.URL, r.Header)
		}
		io.WriteString(w, `{"status":"ok","stored":46,"unchanged":2}`)
	})
	form := url.Values{"function": {"weather"}}
	if code, said := ask(h, "POST", "/run", form, token); code != http.StatusForbidden || !strings.Contains(said, "page-write-token") {
		t.Errorf("without a secret: %d %s", code, said)
	}
	h.Secret("page-write-token", token)
	if code, said := ask(h, "POST", "/run", form, ""); code != http.StatusUnauthorized {
		t.Errorf("without the token: %d %s", code, said)
	}
	if len(h.Requests) != 0 {
		t.Errorf("called %s", h.Requests)
	}
	if code, said := ask(h, "POST", "/run", form, token); code != http.StatusOK || said != "ok: 46 new, 2 unchanged\n" {
		t.Errorf("%d %s", code, said)
	}
}

// TestMistakesInTheSettingsAreOnThePage, and it is there all the same.
func TestMistakesInTheSettingsAreOnThePage(t *testing.T) {
	h := start(t, sourcetest.Secrets{"hearth-settings": "house: {zone: Nowhere/None}"}, nil)
	if code, body := ask(h, "GET", "/status", nil, ""); code != http.StatusOK || !strings.Contains(body, "hearth.yml has mistakes; its last good version stays in use") || !strings.Contains(body, "Nowhere/None") {
		t.Errorf("%d %s", code, body)
	}
}

// TestAMistakeElsewhereDoesNotKeepTheSettingsOut: the file is used, and the page says nothing else.
func TestAMistakeElsewhereDoesNotKeepTheSettingsOut(t *testing.T) {
	h := start(t, sourcetest.Secrets{"hearth-settings": "house: {zone: Europe/Berlin}\ntiles: [weahter]"}, nil)
	_, body := ask(h, "GET", "/status", nil, "")
	if !strings.Contains(body, "hearth.yml has mistakes: line 2") || strings.Contains(body, "last good version") || !strings.Contains(body, "Europe/Berlin") {
		t.Error(body)
	}
}

// TestWithoutAStoreThePageSaysWhy and gives no secret away.
func TestWithoutAStoreThePageSaysWhy(t *testing.T) {
	h := start(t, sourcetest.Secrets{"page-write-token": token}, nil)
	h.Store.Close()
	if code, body := ask(h, "GET", "/status", nil, ""); code != http.StatusOK || !strings.Contains(body, "closed") || strings.Contains(body, token) {
		t.Errorf("%d %s", code, body)
	}
	if code, said := ask(h, "POST", "/forget", url.Values{"device": {"x"}, "sure": {"yes"}}, token); code != http.StatusServiceUnavailable {
		t.Errorf("%d %s", code, said)
	}
}

// TestTilesOfTheSettingsAndTheWifiOfGuests: a mistake in a tile stands in it, and the secret is
// shown to guests alone.
func TestTilesOfTheSettingsAndTheWifiOfGuests(t *testing.T) {
	h := start(t, sourcetest.Secrets{"hearth-settings": "tiles: [wether, {tile: wifi}]", "guest-wifi": "Visitors;long password"}, nil)
	for path, want := range map[string][2]bool{"/": {true, false}, "/?view=guest": {false, true}} {
		code, body := ask(h, "GET", path, nil, "")
		if got := [2]bool{strings.Contains(body, "did you mean weather?"), strings.Contains(body, "qr-dark")}; code != http.StatusOK || got != want || strings.Contains(body, "long password") {
			t.Errorf("%s: %d, %v, want %v: %s", path, code, got, want, body)
		}
	}
}

// TestAMappingThatIsSavedOnThePageIsKnown: to a tile, to the API, and to the check of hearth.yml.
func TestAMappingThatIsSavedOnThePageIsKnown(t *testing.T) {
	h := start(t, sourcetest.Secrets{"hearth-settings": "tiles: [{title: Garden, lines: [{field: barrel.level_liters, unit: l}]}]"}, nil)
	saved := store.PageDevice{Topic: "garden/barrel", Mapping: "- {topic: garden/barrel, measurement: barrel, fields: {level: {path: $.lvl, title: Rain water, unit: l}}}\n", Since: noon}
	for _, known := range []bool{false, true} {
		if known {
			if err := h.Store.SavePageDevice(t.Context(), saved, false); err != nil {
				t.Fatal(err)
			}
			h.Later(time.Minute)
		}
		_, list := ask(h, "GET", "/api/catalogue?measurement=barrel", nil, "")
		if _, body := ask(h, "GET", "/status", nil, ""); strings.Contains(list, "Rain water") != known || strings.Contains(body, "is in neither the catalogue nor devices") == known {
			t.Errorf("known %t: %s %s", known, list, body)
		}
		if _, body := ask(h, "GET", "/", nil, ""); strings.Contains(body, "barrel") == known {
			t.Errorf("known %t: %s", known, body)
		}
	}
}
