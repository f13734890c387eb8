package glance

import (
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/page/status"
	"github.com/hearth-home/hearth/shared/store"
)

// supply registers a UPS.
func (f *fixture) supply(name string, onBattery float64, minutes float64, more ...store.DeviceState) string {
	f.T.Helper()
	return f.Device("edge", name, "", append(more, pagetest.State("on_battery", onBattery), pagetest.State("on_mains", 1-onBattery), pagetest.State("runtime_seconds", minutes*60+5), pagetest.State("battery_percent", 93), pagetest.State("load_percent", 18))...)
}

// line returns the line about the only UPS.
func (f *fixture) line() string {
	f.T.Helper()
	w, err := f.glance().world(f.T.Context(), View{})
	f.OK(err)
	html, _, err := upsLine(f.T.Context(), w)
	f.OK(err)
	return words(&Tile{Body: html})
}

func TestTheOnlyUPSIsALineOfThePowerTile(t *testing.T) {
	f := newFixture(t)
	if f.tile("ups") != nil || f.line() != "" {
		t.Fatal("a UPS without a UPS")
	}
	f.supply("rack-ups", 0, 50)
	if got := f.line(); got != "UPS on mains, 50 min in the battery" {
		t.Error(got)
	}
	if tile := f.tile("ups"); tile == nil || words(tile) != "rack-ups on mains 50 min charge 93 % · load 18 %" {
		t.Errorf("no power tile has it, and it has no tile: %v", tile)
	}
	f.Now = f.Now.Add(time.Minute)
	f.supply("rack-ups", 1, 12)
	if got := f.line(); got != "UPS on battery, 12 min left" {
		t.Error(got)
	}
	f.Now = f.Now.Add(time.Minute)
	f.supply("rack-ups", 1, 12, pagetest.State("calibrating", 1))
	if got := f.line(); got != "UPS testing itself, 12 min in the battery" {
		t.Error(got)
	}
	f.Now = f.Now.Add(3 * time.Hour)
	if got := f.line(); got != "UPS silent 3 h" {
		t.Error(got)
	}
	f.yml = "tiles: [ups]"
	if got := f.line(); got != "" || f.tile("ups") == nil {
		t.Error(got)
	}
}

func TestThePowerTileSaysOnWhatTheUPSRuns(t *testing.T) {
	f := newFixture(t)
	f.Device("edge", "plug", "", pagetest.State("power_watts", 100))
	f.supply("rack-ups", 1, 12)
	tile := f.tile("power")
	if tile == nil || !strings.Contains(words(tile), "UPS on battery, 12 min left") || len(tile.Needs) != 1 || tile.Needs[0].What != "rack-ups" || f.tile("ups") != nil {
		t.Errorf("%+v", tile)
	}
	f.status.Alerts.Open = []status.Alert{{Key: "ups-on-battery/rack-ups/on_battery"}}
	if tile = f.tile("power"); len(tile.Needs) != 0 || !strings.Contains(string(tile.Body), `<b class="bad">UPS`) {
		t.Errorf("the alert says it already: %+v", tile.Needs)
	}
	f.status.Alerts.Open[0].Silenced = true
	if body := string(f.tile("power").Body); !strings.Contains(body, "<b>UPS on battery") {
		t.Errorf("what is silenced is coloured: %s", body)
	}
}

func TestSeveralUPSes(t *testing.T) {
	f := newFixture(t)
	f.supply("rack", 0, 50)
	f.supply(`<b>server`, 1, 12)
	f.Device("mapped", "old", "", pagetest.State("runtime_seconds", 600)) // it does not say on what it runs
	tile := f.tile("ups")
	if got, want := words(tile), "&lt;b&gt;server on battery 12 min charge 93 % · load 18 % old 10 min rack on mains 50 min charge 93 % · load 18 %"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if len(tile.Needs) != 1 || tile.Needs[0].Value != "on battery" || len(tile.Plots) != 6 || tile.Plots[0].Key() != "ups.runtime_seconds,device=<b>server" {
		t.Errorf("%+v %+v", tile.Needs, tile.Plots)
	}
	f.status.Alerts.Open = []status.Alert{{Key: "ups-on-battery/<b>server/on_battery"}}
	if tile = f.tile("ups"); len(tile.Needs) != 0 || !strings.Contains(string(tile.Body), "chip bad") {
		t.Errorf("the alert says it already: %+v", tile.Needs)
	}
	f.status.Alerts.Open[0].Acked = true
	if body := string(f.tile("ups").Body); strings.Contains(body, "chip") || !strings.Contains(body, "on battery") {
		t.Errorf("what is acknowledged is coloured: %s", body)
	}
}
