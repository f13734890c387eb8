package local

import (
	"io"
	"slices"
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
