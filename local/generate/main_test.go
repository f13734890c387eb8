package main

import (
	"strings"
	"testing"

	"github.com/hearth-home/hearth/local/stack"
)

func TestSourceNamesEveryFunctionWithItsTemplate(t *testing.T) {
	b, err := source([]stack.Function{
		{Name: "alert-devices", Folder: "functions/alert-devices", Language: "golang-middleware"},
		{Name: "zigbee", Folder: "functions/zigbee", Language: "golang-http"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`alertdevicesfn "github.com/hearth-home/hearth/functions/alert-devices"`,
		`functions["alert-devices"] = alertdevicesfn.New`,
		`functions["zigbee"] = host.Transform(zigbeefn.New)`,
		`"github.com/hearth-home/hearth/local/host"`,
	} {
		if !strings.Contains(string(b), want) {
			t.Errorf("%s\nlacks %s", b, want)
		}
	}
}

func TestSourceOfNoFunctionsCompilesToo(t *testing.T) {
	if b, err := source(nil); err != nil || !strings.Contains(string(b), "func init") {
		t.Errorf("source(nil) = %s, %v", b, err)
	}
}
