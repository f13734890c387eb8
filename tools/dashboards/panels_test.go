package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/catalogue"
)

// written is a dashboard as Grafana reads it.
type written struct {
	UID    string `json:"uid"`
	Panels []struct {
		writtenPanel
		Panels []writtenPanel `json:"panels"`
	} `json:"panels"`
}

type writtenPanel struct {
	ID      uint32 `json:"id"`
	Type    string `json:"type"`
	Title   string `json:"title"`
	GridPos struct{ X, Y, W, H uint32 }
	Targets []struct {
		Query  string `json:"query"`
		RawSQL string `json:"rawSql"`
	} `json:"targets"`
}

// panelsOf returns the panels of a dashboard, also those in closed rows.
func panelsOf(t *testing.T, text []byte) (out []writtenPanel) {
	t.Helper()
	var d written
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	for _, p := range d.Panels {
		out = append(append(out, p.writtenPanel), p.Panels...)
	}
	return out
}

func generated(t *testing.T) map[string][]byte {
	t.Helper()
	files, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// What the screens of the predecessor showed, and the panel that shows it here.
var predecessor = map[string]map[string]string{
	"home": {
		"S&P 500 ETF: open, last, change": "${symbol}", "two-year T-bill by date": "T-bills and bonds", "2-year and 10-year rates": "T-Bill rates",
		"high-priority tasks with idle days": "Tasks", "Raspberry Pi locator": "Raspberry Pi in stock", "homelab power consumption": "Homelab power",
		"homelab total amps": "Homelab amps", "homelab average power": "Homelab average power", "office, living room, bedroom temperature": "Temperature",
		"office, living room PM2.5": "PM2.5", "office PM10": "PM10", "office, living room, bedroom humidity": "Humidity",
		"Seattle temperature": "Outdoor temperature", "Seattle humidity": "Outdoor humidity", "Seattle wind": "Wind", "Seattle PM2.5": "Outdoor PM2.5", "Seattle PM10": "Outdoor PM10",
		"barometric pressure": "Barometric pressure", "feels like": "Feels like",
	},
	"climate": {"forecast": "Forecast", "high and low": "Days to come", "CO₂": "CO₂"},
	"power": {
		"gaming PC, lab plug, air station power": "Power of each device", "UPS power capacity": "Total power capacity", "UPS input and battery voltage": "Input and battery voltage",
		"UPS run time": "UPS run time", "UPS battery level": "Battery level", "UPS load gauge": "UPS load", "UPS load series": "UPS load, course",
		"homelab power series": "Power of the group", "estimated monthly cost": "Estimated monthly cost",
	},
	"computers": {
		"node temperature": "CPU temperature", "node temperature series": "CPU temperature, course", "CPU use": "CPU use", "CPU use series": "CPU use, course", "RAM": "RAM used",
		"SoC, NVMe, GPU, NPU temperatures": "Temperatures of SoC, NVMe, GPU and NPU", "power": "Current power", "average power": "Average power", "homelab current power": "Power, course",
		"estimated monthly cost": "Estimated monthly cost",
	},
	"gaming": {
		"CPU and GPU temperature": "CPU and GPU temperature", "their series": "CPU and GPU temperature, course", "CPU utilisation": "CPU use", "power-core clock": "CPU clock", "RAM": "RAM used",
		"VRAM": "VRAM used", "GPU utilisation": "GPU use", "GPU utilisation series": "GPU use, course", "GPU clock": "GPU clock", "GPU power": "GPU power", "GPU power series": "GPU power, course",
		"case temperatures": "Case temperatures", "case temperature series": "Case temperatures, course", "heating impact": "Case heating impact", "Pico temperature": "Temperature of the microcontroller",
		"PC power": "PC power", "PC amps": "PC amps",
	},
	"markets":   {"yield curve": "Yield curve", "T-bills": "T-bills and bonds", "10 less 2 years": "Spread", "stocks": "${symbol}"},
	"developer": {"Actions minutes": "Actions minutes used", "Actions cost": "Actions cost", "workflow runs": "Workflow runs", "Dependabot count": "Dependabot alerts"},
	"system":    {"devices": "Devices", "pipelines": "Pipelines", "failures": "Runs", "alerts": "Open alerts"},
}

func TestEveryPanelOfThePredecessorIsThere(t *testing.T) {
	files := generated(t)
	for uid, want := range predecessor {
		var titles []string
		for _, p := range panelsOf(t, files["dashboards/"+uid+".json"]) {
			titles = append(titles, p.Title)
		}
		for what, title := range want {
			if !slices.Contains(titles, title) {
				t.Errorf("%s: no panel %q for %s", uid, title, what)
			}
		}
	}
}

// Every number of the catalogue that is shown is in a dashboard: a measurement or field
// that is added appears by itself.
func TestEveryShownFieldHasAPanel(t *testing.T) {
	var queries strings.Builder
	for name, text := range generated(t) {
		if strings.HasPrefix(name, "dashboards/") {
			for _, p := range panelsOf(t, text) {
				for _, target := range p.Targets {
					queries.WriteString(target.Query + "\n")
				}
			}
		}
	}
	for _, m := range catalogue.All() {
		for _, f := range shown(m) {
			key := regexp.QuoteMeta(f.Key)
			used := regexp.MustCompile(fmt.Sprintf(`r\._measurement == "%s".*and .*r\._field (== "%s"|=~ /[^/]*\b%s\b)`, m.Name, key, regexp.QuoteMeta(key)))
			again := regexp.MustCompile(fmt.Sprintf(`r\._measurement == "%s".*r\._field (==|=~).*\b%s(:last|:sum|\b)`, m.Name, key))
			if !used.MatchString(queries.String()) && !again.MatchString(queries.String()) {
				t.Errorf("no panel shows %s of %s", f.Key, m.Name)
			}
		}
	}
}

// Panels lie in Grafana's grid of 24 columns, do not overlap, and have ids of their own.
func TestPanelsLieBesideEachOther(t *testing.T) {
	for name, text := range generated(t) {
		if !strings.HasPrefix(name, "dashboards/") {
			continue
		}
		var d written
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatal(err)
		}
		ids, open := map[uint32]bool{}, []writtenPanel{}
		for _, p := range d.Panels {
			open = append(open, p.writtenPanel)
			checkPlaces(t, name, p.Panels)
		}
		checkPlaces(t, name, open)
		for _, p := range panelsOf(t, text) {
			if ids[p.ID] {
				t.Errorf("%s: two panels have the id %d", name, p.ID)
			}
			ids[p.ID] = true
		}
	}
}

func checkPlaces(t *testing.T, name string, panels []writtenPanel) {
	t.Helper()
	taken := map[[2]uint32]string{}
	for _, p := range panels {
		g := p.GridPos
		if g.X+g.W > columns || g.W == 0 || g.H == 0 {
			t.Errorf("%s: %s is at %+v", name, p.Title, g)
		}
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				if other := taken[[2]uint32{x, y}]; other != "" {
					t.Fatalf("%s: %s lies over %s", name, p.Title, other)
				}
				taken[[2]uint32{x, y}] = p.Title
			}
		}
	}
}

// Grafana replaces $NAME in provisioning by its environment: the rules have none, and
// the uids, at most 40 characters, are unique.
func TestAlertRules(t *testing.T) {
	text := generated(t)["provisioning/alerting/hearth.yaml"]
	if strings.Contains(string(text), "$") {
		t.Error("a rule has a dollar sign")
	}
	seen := map[string]bool{}
	for _, r := range append(ownRules(), thresholdRules()...) {
		if seen[r.uid] || len(r.uid) > 40 {
			t.Errorf("the uid %q is not unique or too long", r.uid)
		}
		seen[r.uid] = true
	}
	for _, want := range []string{"hearth-silent", "hearth-overdue", "hearth-air-co2-high", "hearth-ups-on-battery-high"} {
		if !seen[want] {
			t.Errorf("no rule %s", want)
		}
	}
	for _, r := range thresholdRules() {
		if r.uid == "hearth-air-co2-high" && (r.enter != 1500 || r.leave != 1300 || r.held != "120s" || !r.above) {
			t.Errorf("CO₂: %+v", r)
		}
	}
}
