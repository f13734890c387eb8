package page

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/page/pagetest"
)

func TestTheHeaderSaysWhenTheSunRisesAndSets(t *testing.T) {
	for yml, want := range map[string][]string{
		"house: {zone: America/Los_Angeles, place: {name: seattle, latitude: 47.6062, longitude: -122.3321}}": {
			`<time datetime="2026-11-27T15:31:`, `07:31</time> – <time datetime="2026-11-28T00:22:`, `16:22</time></p>`, ` data-sunrise="2026-11-27T15:31:`, ` data-sunset="2026-11-28T00:22:`},
		"house: {zone: Europe/Oslo, place: {latitude: 71.17, longitude: 25.78}}":   {`>no sun today</p>`},
		"house: {zone: Antarctica/Troll, place: {latitude: -72, longitude: 2.53}}": {`>sun all day</p>`},
		"house: {place: {name: seattle}}":                                          {`<p id="sun"></p>`},
	} {
		p := pageOfHouse(pagetest.New(t, now), yml)
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		for _, text := range want {
			if !strings.Contains(w.Body.String(), text) {
				t.Errorf("%s: no %s in %.1500s", yml, text, w.Body)
			}
		}
		if yes, no := strings.Contains(want[0], "time"), !strings.Contains(w.Body.String(), "data-sunrise"); yes == no {
			t.Errorf("%s: data-sunrise is there: %v", yml, !no)
		}
	}
}
