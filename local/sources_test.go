package local

import (
	"io"
	"slices"
	"strings"
	"testing"
)

func TestSourcesAndThoseWithHistoryAreTold(t *testing.T) {
	h, err := Open("..", []string{"HEARTH_DIR=" + t.TempDir()}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	n, err := h.Names()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"weather", "treasuries"} {
		if !slices.Contains(n.Sources, name) {
			t.Errorf("%s is no source of %q", name, n.Sources)
		}
	}
	if slices.Contains(n.Sources, "zigbee") || slices.Contains(n.History, "weather") || !slices.Contains(n.History, "treasuries") {
		t.Errorf("%+v", n)
	}
}

func TestWhatCannotBeRunOrBackfilledIsSaid(t *testing.T) {
	n := Names{All: []string{"github", "treasuries", "weather", "zigbee"}, Sources: []string{"github", "treasuries", "weather"}, History: []string{"github", "treasuries"}}
	one := Names{All: n.All, Sources: n.Sources, History: []string{"treasuries"}}
	for want, err := range map[string]error{
		"": n.CheckSource("weather"), "<nil>": n.CheckHistory("github"),
		`unknown function "wether": did you mean "weather"?`:             n.CheckSource("wether"),
		`unknown function "treasuris": did you mean "treasuries"?`:       n.CheckHistory("treasuris"),
		"zigbee takes MQTT messages and is no source":                    n.CheckSource("zigbee"),
		"the sources are github, treasuries and weather":                 n.CheckHistory("zigbee"),
		"weather has no history to backfill; github and treasuries have": n.CheckHistory("weather"),
		"weather has no history to backfill; treasuries has":             one.CheckHistory("weather"),
		"no source here has history to backfill":                         Names{All: n.All, Sources: n.Sources}.CheckHistory("weather"),
	} {
		if wanted := want != "" && want != "<nil>"; wanted != (err != nil) || wanted && !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
