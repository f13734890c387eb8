package page

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func TestThePlotsAreDrawnByTheVersionThatIsPinned(t *testing.T) {
	b, err := os.ReadFile("../../tools/uplot/package.json")
	if err != nil {
		t.Fatal(err)
	}
	var pinned struct{ Dependencies map[string]string }
	if err := json.Unmarshal(b, &pinned); err != nil {
		t.Fatal(err)
	}
	version := pinned.Dependencies["uplot"]
	if head, _, _ := strings.Cut(string(read("uplot.js")), "\n"); version == "" || !strings.Contains(head, "uPlot (v"+version+")") {
		t.Errorf("tools/uplot pins %q, and static/uplot.js begins with %s", version, head)
	}
	if !strings.Contains(string(read("uplot.LICENSE")), "The MIT License") || !strings.Contains(string(read("uplot.css")), ".uplot") {
		t.Error("the licence or the style of uPlot is missing")
	}
	if strings.Contains(string(assets()["page.js"].plain), "uPlot=function") {
		t.Error("uPlot is loaded before it is needed")
	}
}
