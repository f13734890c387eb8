package function

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/golden"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/source"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
)

func TestDecode(t *testing.T) {
	for name, decode := range map[string]decoder{
		"current": decodeCurrent, "current_dry": decodeCurrent,
		"air": decodeAir, "air_missing": decodeAir,
		"forecast": decodeForecast,
	} {
		t.Run(name, func(t *testing.T) {
			rs, err := decode(file(t, name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			golden.Readings(t, filepath.Join("testdata", name+".lp"), rs)
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	const good = `{"dt":1795437300,"main":{"temp":8.28},"weather":[{"main":"Rain"}]}`
	for name, c := range map[string]struct {
		decode decoder
		body   string
	}{
		"html":               {decodeCurrent, `<html><body>502 Bad Gateway</body></html>`},
		"nothing":            {decodeCurrent, ``},
		"truncated":          {decodeCurrent, good[:40]},
		"error as number":    {decodeCurrent, `{"cod":401,"message":"Invalid API key."}`},
		"error as string":    {decodeForecast, `{"cod":"404","message":"city not found"}`},
		"no time":            {decodeCurrent, `{"main":{"temp":8.28},"weather":[{"main":"Rain"}]}`},
		"no temperature":     {decodeCurrent, `{"dt":1795437300,"main":{},"weather":[{"main":"Rain"}]}`},
		"temperature a text": {decodeCurrent, strings.Replace(good, `8.28`, `"8.28"`, 1)},
		"no air":             {decodeAir, `{"coord":{},"list":[]}`},
		"air without time":   {decodeAir, `{"list":[{"main":{"aqi":1},"components":{"co":201.9}}]}`},
		"all air missing":    {decodeAir, `{"list":[{"dt":1795437578,"main":{"aqi":1},"components":{"co":-9999,"o3":-9999}}]}`},
		"no slots":           {decodeForecast, `{"cod":"200","list":[],"city":{"timezone":0}}`},
		"no timezone":        {decodeForecast, `{"cod":"200","list":[` + good + `],"city":{}}`},
		"slot without time":  {decodeForecast, `{"cod":"200","list":[{"main":{"temp":1},"weather":[{}]}],"city":{"timezone":0}}`},
	} {
		t.Run(name, func(t *testing.T) {
			if rs, err := c.decode([]byte(c.body)); err == nil {
				t.Errorf("decode(%s) = %v, want an error", c.body, rs)
			}
		})
	}
}

func TestPlaces(t *testing.T) {
	got, err := parsePlaces(" seattle:47.6062,-122.3321 ; cabin: 46.5 , 8 ;")
	if err != nil || len(got) != 2 || got[0] != (place{"seattle", 47.6062, -122.3321}) || got[1] != (place{"cabin", 46.5, 8}) {
		t.Errorf("parsePlaces = %v, %v", got, err)
	}
	for _, s := range []string{"seattle", "seattle:47.6", ":47.6,8", "a:91,0", "a:0,181", "a:NaN,0", "a:1,2,3", "a:1,2;a:3,4"} {
		if got, err := parsePlaces(s); err == nil {
			t.Errorf("parsePlaces(%q) = %v, want an error", s, got)
		}
	}
}

const key = "k3y-of-0penweather"

// upstream answers with the recorded files; fail, while set, comes instead for
// one place's air.
type upstream struct{ fail http.HandlerFunc }

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("appid") != key || q.Get("units") != "metric" {
		http.Error(w, `{"cod":401,"message":"Invalid API key."}`, http.StatusUnauthorized)
		return
	}
	name := map[string]string{"weather": "current", "air_pollution": "air", "forecast": "forecast"}[path.Base(r.URL.Path)]
	if u.fail != nil && name == "air" && q.Get("lat") == "46.5" {
		u.fail(w, r)
		return
	}
	http.ServeFile(w, r, filepath.Join("testdata", name+".json"))
}

func TestRun(t *testing.T) {
	up := &upstream{}
	srv := httptest.NewServer(up)
	defer srv.Close()
	post, st := start(t, srv.URL)

	a, code, _ := post("")
	// Two places, each one reading of now, one of air, 40 slots and 4 whole days.
	if code != http.StatusOK || a.Status != "ok" || a.Stored != 2*46 {
		t.Fatalf("first run: %d %+v", code, a)
	}
	now := time.Unix(1795437300, 0)
	if rs, err := st.Between(t.Context(), "weather", map[string]string{"place": "cabin"}, now, now.Add(time.Second)); err != nil || len(rs) != 1 {
		t.Errorf("stored weather of cabin: %v, %v", rs, err)
	}
	if a, code, _ := post(""); code != http.StatusOK || a.Stored != 0 || a.Unchanged != 2*46 {
		t.Errorf("again: %d %+v, want nothing new", code, a)
	}
	if _, code, _ := post("?from=2026-01-01"); code != http.StatusBadRequest {
		t.Errorf("backfill: %d, want 400: there is no history", code)
	}
	answer := func(code int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "77")
			http.Error(w, body, code)
		}
	}
	for name, c := range map[string]struct {
		fail http.HandlerFunc
		code int
	}{
		"not found":      {answer(404, `{"cod":"404","message":"no such place"}`), http.StatusBadGateway},
		"server error":   {answer(500, key), http.StatusBadGateway},
		"blocked":        {answer(429, `{"cod":429,"message":"Your account is temporary blocked"}`), http.StatusTooManyRequests},
		"error in a 200": {answer(200, `{"cod":"404","message":"no such place"}`), http.StatusBadGateway},
		"html":           {answer(200, `<html>`), http.StatusBadGateway},
	} {
		t.Run(name, func(t *testing.T) {
			up.fail = c.fail
			// A place whose air fails has failed; the other is stored.
			if a, code, body := post(""); code != http.StatusOK || a.Status != "partial" || strings.Contains(body, key) {
				t.Errorf("%d %s", code, body)
			}
			if _, code, body := post("?strict=true"); code != c.code || strings.Contains(body, key) {
				t.Errorf("strict: %d %s, want %d", code, body, c.code)
			}
		})
	}
	srv.Close()
	if _, code, body := post(""); code != http.StatusBadGateway || strings.Contains(body, key) {
		t.Errorf("dead host: %d %s", code, body)
	}
}

// start returns the function over a real store, and a way to call it as the
// cron-connector does.
func start(t *testing.T, url string) (post func(query string) (source.Answer, int, string), st *store.Store) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "openweather-key"), []byte(key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hearth.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	now := time.Unix(1795437600, 0)
	h, err := New(config.Env{
		Vars:    map[string]string{"WEATHER_PLACES": "seattle:47.6062,-122.3321;cabin:46.5,8", "OPENWEATHER_URL": url},
		Secrets: secret.NewFolder(dir),
		Open:    func(context.Context) (*store.Store, error) { return st, nil },
		Now:     func() time.Time { return now },
		Log:     slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return func(query string) (a source.Answer, code int, body string) {
		now = now.Add(time.Minute) // for the quota: 60 a minute
		r := httptest.NewRequest(http.MethodPost, "/"+query, nil)
		r.Header.Set("X-Connector", "cron-connector")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
			t.Fatalf("answer %q: %v", w.Body, err)
		}
		return a, w.Code, w.Body.String()
	}, st
}

func file(t testing.TB, name string) []byte {
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func FuzzDecode(f *testing.F) {
	for _, name := range []string{"current", "air_missing", "forecast"} {
		f.Add(file(f, name+".json"))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, decode := range []decoder{decodeCurrent, decodeAir, decodeForecast} {
			rs, err := decode(body)
			if err == nil && len(rs) == 0 {
				t.Errorf("decode(%q) found nothing and no error", body)
			}
			for _, r := range rs {
				if r.Name == "" || r.Time.Unix() <= 0 || len(r.Fields) == 0 {
					t.Errorf("decode(%q): a reading %+v", body, r)
				}
			}
		}
	})
}
