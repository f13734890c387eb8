package local

import (
	"testing"

	"github.com/hearth-home/hearth/shared/testserver"
)

func TestFunctionsCallOthersThroughThisPlatformsGateway(t *testing.T) {
	h, err := Open("..", []string{"HEARTH_DIR=" + t.TempDir(), "PORT=18931", "GATEWAY_URL=http://gateway.elsewhere:8080"}, &testserver.Output{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := newPlatform(h)
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, f := range p.functions {
		if at, ok := f.Env["GATEWAY_URL"]; ok {
			named++
			if at != "http://127.0.0.1:18931" {
				t.Errorf("%s calls %s", f.Name, at)
			}
		}
	}
	if named == 0 {
		t.Error("no function has the setting: this test looks for the wrong one")
	}
}
