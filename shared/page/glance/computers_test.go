package glance

import (
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/page/status"
)

func TestComputersHaveARowEach(t *testing.T) {
	f := newFixture(t)
	if f.tile("computers") != nil {
		t.Fatal("a tile without a computer")
	}
	f.Device("edge", "rack-pi", "", pagetest.State("cpu_temperature_celsius", 52.4), pagetest.State("cpu_usage_percent", 25.2), pagetest.State("memory_usage_percent", 43), pagetest.State("root_disk_usage_percent", 44), pagetest.State("data_disk_usage_percent", 61))
	f.Device("edge", "opi5", "", pagetest.State("soc_temperature_celsius", 47), pagetest.State("load_1m", 0.42), pagetest.State("memory_used_bytes", 2e9), pagetest.State("memory_total_bytes", 8e9), pagetest.State("root_disk_size_bytes", 64e9), pagetest.State("root_disk_free_bytes", 16e9))
	f.Device("edge", "gaming", "", aged("cpu_temperature_celsius", 71, 14*time.Hour+27*time.Minute))
	f.Device("edge", "attic", "", aged("cpu_temperature_celsius", 71, 50*time.Hour))
	f.Device("edge", "plug", "", pagetest.State("power_watts", 3))
	f.Series("host", "cpu_usage_percent", map[string]string{"device": "rack-pi"}, now.Add(-20*time.Hour), time.Hour/2, func(t time.Time) float64 { return float64(t.Hour()) })
	tile := f.tile("computers")
	if got, want := words(tile), "CPU use load memory disk opi5 SoC temperature 47 ° Load 1m 0.42 Memory usage 25 % disk Root disk usage 75 % rack-pi CPU temperature 52 ° CPU usage 25 % Memory usage 43 % disk Data disk usage 61 % attic off since 25 Nov gaming off since 23:40"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	body := string(tile.Body)
	if strings.Count(body, `class="spark"`) != 1 || strings.Contains(body, "mid") || len(tile.Needs) != 0 || strings.Contains(body, "71") {
		t.Error(body, tile.Needs)
	}
	if len(tile.Plots) != 4 || tile.Plots[3].Key() != "host.cpu_usage_percent,device=rack-pi" {
		t.Errorf("%+v", tile.Plots)
	}
	f.yml = "house: {units: imperial, zone: America/New_York}"
	if got := words(f.tile("computers")); !strings.Contains(got, "126 °") || !strings.Contains(got, "off since 18:40") {
		t.Error(got)
	}
}

func TestAComputerForGamesHasASecondLine(t *testing.T) {
	f := newFixture(t)
	f.Device("mapped", "gaming", "", pagetest.State("cpu_temperature_celsius", 62), pagetest.State("gpu_temperature_celsius", 68), pagetest.State("gpu_usage_percent", 97), pagetest.State("gpu_power_watts", 241), pagetest.State("cpu_fan_rpm", 1410), pagetest.State("case_fan_rpm", 900))
	f.Device("mapped", "gaming-case", "", pagetest.State("interior_temperature_celsius", 36), pagetest.State("intake_temperature_celsius", 24))
	tile := f.tile("computers")
	if got, want := plain(words(tile)), "CPU gaming CPU temperature 62 ° GPU 68 ° · 97 % · 241 W · fans 900 , 1 410 rpm · case 36 ° · 12 K above intake"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	f.Device("mapped", "gaming-case", "", pagetest.State("interior_temperature_celsius", 36), pagetest.State("intake_temperature_celsius", 24), pagetest.State("exhaust_temperature_celsius", 33))
	if got := words(f.tile("computers")); !strings.Contains(got, "9 K above intake") {
		t.Error(got)
	}
	f.yml = "house: {units: imperial}"
	if got := words(f.tile("computers")); !strings.Contains(got, "16 °F above intake") { // a difference: no 32 is added
		t.Error(got)
	}
	f = newFixture(t)
	f.Device("mapped", "server-case", "", pagetest.State("interior_temperature_celsius", 36), pagetest.State("heating_kelvin", 7))
	if tile := f.tile("computers"); !strings.Contains(words(tile), "server-case case 36 ° · 7 K above intake") || tile.Plots[0].Measurement != "air" {
		t.Error(words(tile), tile.Plots)
	}
}

func TestAFullDiskNeedsSomebody(t *testing.T) {
	f := newFixture(t)
	f.Device("edge", "rack-pi", "", pagetest.State("root_disk_usage_percent", 96.6), pagetest.State("cpu_usage_percent", 100), pagetest.State("snap_core_disk_usage_percent", 100))
	tile := f.tile("computers")
	if len(tile.Needs) != 1 || tile.Needs[0].What != "rack-pi, Root disk usage" || tile.Needs[0].Severity != alert.Warning || strings.Count(string(tile.Body), `class="mid"`) != 1 {
		t.Errorf("%+v %s", tile.Needs, tile.Body)
	}
	f.status.Alerts.Open = []status.Alert{{Key: "disk/rack-pi/root_disk_usage_percent", Device: "rack-pi", Severity: alert.Critical}}
	tile = f.tile("computers")
	if len(tile.Needs) != 0 || !strings.Contains(string(tile.Body), `class="bad"`) {
		t.Errorf("%+v %s", tile.Needs, tile.Body)
	}
	f.status.Alerts.Open[0].Acked = true
	tile = f.tile("computers")
	if body := string(tile.Body); len(tile.Needs) != 0 || strings.Contains(body, `class="bad"`) || strings.Contains(body, `class="mid"`) {
		t.Errorf("acknowledged: %+v %s", tile.Needs, body)
	}
}

func TestSixComputersAreShown(t *testing.T) {
	f := newFixture(t)
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", `<script>alert(1)</script>`} {
		f.Device("edge", name, "", pagetest.State("cpu_temperature_celsius", 50), pagetest.State("simulated", 1))
	}
	tile := f.tile("computers")
	if body := string(tile.Body); strings.Count(body, "<li data") != 6 || !strings.Contains(body, `data-rest="2"`) || !strings.Contains(body, `<a class="more" href="status">2 more</a>`) || strings.Contains(body, "<script") || !strings.Contains(body, "&lt;script") {
		t.Error(body)
	}
	if !tile.Sample || len(tile.Plots) != 6 {
		t.Errorf("%+v", tile)
	}
}
