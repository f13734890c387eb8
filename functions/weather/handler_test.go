package function

import (
	"fmt"
	"net/http"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/golden"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/sourcetest"
)

func TestDecode(t *testing.T) {
	for name, decode := range map[string]decoder{
		"current": decodeCurrent, "current_dry": decodeCurrent,
		"air": decodeAir, "air_missing": decodeAir,
		"forecast": decodeForecast,
	} {
		t.Run(name, func(t *testing.T) {
			rs, err := decode(sourcetest.File(t, name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			golden.Readings(t, "testdata/"+name+".lp", rs)
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

const key = "k3y-of-0penweather"

var secrets = sourcetest.Secrets{"openweather-key": key}

// openWeather answers with the recorded files. If air is not nil, it answers the request
// for the cabin's air.
func openWeather(air http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		name := map[string]string{"weather": "current", "air_pollution": "air", "forecast": "forecast"}[path.Base(r.URL.Path)]
		switch {
		case q.Get("appid") != key || q.Get("units") != "metric":
			sourcetest.Respond(401, `{"cod":401,"message":"Invalid API key."}`)(w, r)
		case air != nil && name == "air" && q.Get("lat") == "46.5":
			air(w, r)
		default:
			http.ServeFile(w, r, "testdata/"+name+".json")
		}
	}
}

// recorded is the time of testdata/current.json.
var recorded = time.Unix(1795437300, 0)

func start(t *testing.T) *sourcetest.Fixture {
	vars := sourcetest.Vars{"WEATHER_PLACES": "seattle:47.6062,-122.3321;cabin:46.5,8", "OPENWEATHER_URL": "http://upstream"}
	return sourcetest.Start(t, recorded.Add(5*time.Minute), New, vars, secrets, openWeather(nil))
}

func TestARerunStoresNothing(t *testing.T) {
	h := start(t)
	// Each of the two places has one reading for now, one for the air, 40 slots and 4 days.
	if a, w := h.Post(""); w.Code != 200 || a.Status != "ok" || a.Stored != 2*46 {
		t.Errorf("first run: %d %s", w.Code, w.Body)
	}
	if rs, err := h.Store.Between(t.Context(), "weather", map[string]string{"place": "cabin"}, recorded, recorded.Add(time.Second)); err != nil || len(rs) != 1 {
		t.Errorf("stored weather of cabin: %v, %v", rs, err)
	}
	if a, w := h.Post(""); w.Code != 200 || a.Stored != 0 || a.Unchanged != 2*46 {
		t.Errorf("again: %d %s, want nothing new", w.Code, w.Body)
	}
	if _, w := h.Post("from=2026-01-01"); w.Code != 400 {
		t.Errorf("backfill: %d, want 400: there is no history", w.Code)
	}
}

func TestAPlaceWithoutItsAirFailsAlone(t *testing.T) {
	h := start(t)
	for name, c := range map[string]struct {
		code   int
		body   string
		strict int
	}{
		"not found":      {404, `{"cod":"404","message":"no such place"}`, 502},
		"server error":   {500, key, 502},
		"blocked":        {429, `{"cod":429,"message":"Your account is temporary blocked"}`, 429},
		"error in a 200": {200, `{"cod":"404","message":"no such place"}`, 502},
		"html":           {200, `<html>`, 502},
	} {
		t.Run(name, func(t *testing.T) {
			h.Answer = openWeather(sourcetest.Respond(c.code, c.body, "Retry-After", "77"))
			for query, want := range map[string]int{"": 200, "strict=true": c.strict} {
				h.Later(time.Minute) // the quota is 60 calls a minute
				if a, w := h.Post(query); w.Code != want || query == "" && a.Status != "partial" {
					t.Errorf("%s: %d %s, want %d", query, w.Code, w.Body, want)
				}
			}
		})
	}
}

// OpenWeather's free plan allows 60 calls a minute, and a place takes three.
func TestPlacesBeyondAMinutesCallsFailWithAReason(t *testing.T) {
	h := start(t)
	h.Vars["WEATHER_PLACES"] = "p0:1,0"
	for i := range 21 {
		h.Vars["WEATHER_PLACES"] += fmt.Sprintf(";p%d:1,%d", i+1, i+1)
	}
	h.Build(New)
	a, w := h.Post("")
	if w.Code != 200 || a.Status != "partial" || len(a.Targets) != 22 || len(h.Requests) != 60 {
		t.Fatalf("%d %s after %d calls", w.Code, w.Body, len(h.Requests))
	}
	for i, o := range a.Targets {
		if (o.Status == "failed") != (i >= 20) || i >= 20 && !strings.Contains(o.Error, "the first 20 of WEATHER_PLACES") {
			t.Errorf("%+v", o)
		}
	}
}

func TestFailures(t *testing.T) {
	vars := sourcetest.Vars{"WEATHER_PLACES": "seattle:47.6062,-122.3321", "OPENWEATHER_URL": "http://upstream"}
	sourcetest.Failures(t, recorded, New, vars, secrets, openWeather(nil))
}

func FuzzDecode(f *testing.F) {
	for _, name := range []string{"current", "air_missing", "forecast"} {
		f.Add(sourcetest.File(f, name+".json"))
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

func TestPlacesSeparatedByCommasAreRefused(t *testing.T) {
	vars := map[string]string{"WEATHER_PLACES": "seattle:47.6062,-122.3321,cabin:46.5,8"}
	_, err := New(serve.Env{Env: config.Env{Vars: vars, Secrets: secret.NewFolder(t.TempDir())}})
	if want := `configuration: WEATHER_PLACES: "seattle:47.6062,-122.3321,cabin:46.5,8" holds several places: separate them by semicolons: write seattle:47.6062,-122.3321;cabin:46.5,8`; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}
