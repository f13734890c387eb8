package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/openfaas/go-sdk/stack"
	"github.com/robfig/cron/v3"
)

// TestStackFitsTheFreeOpenFaaS checks the stack files for what Community Edition, faasd
// and the cron-connector reject or silently ignore.
func TestStackFitsTheFreeOpenFaaS(t *testing.T) {
	if n := len(readStack(t, "stack.yml").Functions); n > 13 {
		t.Errorf("stack.yml has %d functions; Community Edition allows 15, and a user needs two for functions of their own", n)
	}
	list, _ := functions(t)
	for _, f := range list {
		notes := annotations(f)
		if strings.Contains(notes["topic"], ",") {
			t.Errorf("%s: topic %q: Community Edition takes one value", f.Name, notes["topic"])
		}
		if notes["topic"] == "cron-function" {
			if _, err := cron.ParseStandard(notes["schedule"]); err != nil {
				t.Errorf("%s: schedule: %v", f.Name, err)
			}
			if got := f.Environment["SCHEDULE"]; got != notes["schedule"] {
				t.Errorf("%s: SCHEDULE is %q, want the annotation's %q", f.Name, got, notes["schedule"])
			}
		}
		if f.Limits == nil || f.Limits.Memory == "" || f.Requests == nil || f.Requests.Memory == "" || !f.ReadOnlyRootFilesystem {
			t.Errorf("%s: wants limits, requests and readonly_root_filesystem", f.Name)
		}
		exec, write := timeout(t, f.Environment["exec_timeout"]), timeout(t, f.Environment["write_timeout"])
		if exec >= write || write >= time.Minute {
			t.Errorf("%s: exec_timeout %s, write_timeout %s: want exec_timeout below write_timeout, and that below the gateway's minute", f.Name, exec, write)
		}
		if d := timeout(t, f.Environment["healthcheck_interval"]); d > 5*time.Second {
			t.Errorf("%s: healthcheck_interval %s: faasd waits for 30 s in all", f.Name, d)
		}
	}
}

func annotations(f stack.Function) map[string]string {
	if f.Annotations == nil {
		return nil
	}
	return *f.Annotations
}

func timeout(t *testing.T, s string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
