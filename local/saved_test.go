package local

import (
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/backtest"
)

// savedYml names a field that only a mapping declares which a person saves on the page.
const savedYml = `
rules: {barrel-low: {field: barrel.level_liters, below: 50, for: 0s}}
tiles: [new, {title: Garden, lines: [barrel.level_liters, barrel.water_celsius]}]
`

// TestAMappingThatIsSavedOnThePageIsKnownEverywhere: in a tile, in the history and to a rule, while
// hearth runs, without an export.
func TestAMappingThatIsSavedOnThePageIsKnownEverywhere(t *testing.T) {
	root := mqttRepository(t)
	write(t, filepath.Join(root, "hearth.yml"), savedYml)
	r := launchMQTT(t, root)
	c := client(t, r.mqttURL)
	done(t, c.Publish("garden/barrel", 1, false, `{"lvl":42,"t":50}`))
	page, id := "", ""
	r.eventually("the topic is on the card", func() bool {
		_, page = r.call("GET", "/")
		_, rest, found := strings.Cut(page, `name="topic" value="`)
		id, _, _ = strings.Cut(rest, `"`)
		return found
	})
	if !strings.Contains(r.notesOf(), `the measurement "barrel" is in neither`) {
		t.Errorf("the page does not say that nothing declares the field: %s", r.notesOf())
	}
	mapping := "- {device: barrel, topic: garden/barrel, measurement: barrel, fields: {level: {path: $.lvl, title: Rain water, unit: litre}, water: {path: $.t, unit: °F}}}"
	res, err := http.PostForm("http://"+r.server.Addr+"/device", url.Values{"do": {"save"}, "topic": {id}, "mapping": {mapping}})
	if err != nil {
		t.Fatal(err)
	}
	said, _ := io.ReadAll(res.Body)
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", res.StatusCode, said)
	}
	r.eventually("a tile has the value with its title and unit", func() bool {
		done(t, c.Publish("garden/barrel", 1, false, `{"lvl":42,"t":50}`))
		_, page = r.call("GET", "/")
		_, tile, _ := strings.Cut(page, ">Garden")
		return strings.Contains(tile, "Rain water") && strings.Contains(tile, ">42</data><small> l<") && strings.Contains(tile, "<small>°C<")
	})
	r.eventually("the history has it", func() bool {
		code, body := r.call("GET", "/history.json?span=hour&series="+url.QueryEscape("barrel.level_liters,device=barrel"))
		return code == http.StatusOK && strings.Contains(body, "Rain water") && strings.Contains(body, `"unit":"l"`) && strings.Contains(body, "42")
	})
	r.eventually("the rule has fired", func() bool {
		st, err := r.open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		active, err := st.ActiveAlerts(t.Context())
		return err == nil && slices.ContainsFunc(active, func(a alert.State) bool { return a.Rule == "barrel-low" && a.Phase == alert.Firing })
	})
	if _, err := r.Mapped(t.Context()); err != nil {
		t.Errorf("commands take the names in hearth.yml for mistakes: %v", err)
	}
	now := time.Now()
	if _, err := r.Backtest(t.Context(), r.SettingsFile(), now.Add(-time.Hour), now, func(backtest.Progress) {}); err != nil {
		t.Errorf("a backtest: %v", err)
	}
	r.eventually("nothing says any more that nothing declares the field", func() bool { return !strings.Contains(r.notesOf(), "barrel") })
}
