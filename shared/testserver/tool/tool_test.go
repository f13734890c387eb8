package tool

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestAMissingToolIsNeverSilent runs this test again in processes without a PATH, in which
// it looks for a program in each way.
func TestAMissingToolIsNeverSilent(t *testing.T) {
	switch os.Getenv("HEARTH_TEST_LOOK") {
	case "needed":
		Needed(t, "apt-get install a-tool", "a-tool")
		t.Fatal("it was found")
	case "find":
		if path := Find(t, "apt-get install a-tool", "a-tool"); path != "" {
			t.Fatal("it was found")
		}
		return
	case "optional":
		Optional(t, "a-tool", "what it does")
		t.Fatal("it was found")
	}
	const needed, optional = "a-tool is not on the PATH: apt-get install a-tool", "not tested: what it does, because a-tool is not on the PATH"
	for _, c := range []struct{ look, ci, result, says string }{
		{"needed", "", "--- SKIP", needed}, {"needed", "true", "--- FAIL", needed},
		{"find", "", "--- PASS", needed}, {"find", "true", "--- FAIL", needed},
		{"optional", "", "--- SKIP", optional}, {"optional", "true", "--- SKIP", optional},
	} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.v", "-test.run=^"+t.Name()+"$")
		cmd.Env = []string{"HEARTH_TEST_LOOK=" + c.look, "CI=" + c.ci}
		out, err := cmd.CombinedOutput()
		if (err != nil) != (c.result == "--- FAIL") || !strings.Contains(string(out), c.result) || !strings.Contains(string(out), c.says) {
			t.Errorf("%s with CI=%q: %v\n%s\nwant %s and %q", c.look, c.ci, err, out, c.result, c.says)
		}
	}
}

func TestTheFirstInstalledNameIsTaken(t *testing.T) {
	if path := Needed(t, "it is this test", "no-such-tool", os.Args[0]); path == "" {
		t.Error("this test's own program was not found")
	}
}
