package status

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/printable"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/testserver/tool"
)

func listen(t *testing.T, p *Page) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(p)
	t.Cleanup(srv.Close)
	return srv
}

func (h fixture) letter(i int, function, topic, reason, sample string) store.DeadLetter {
	at := h.now.Add(-time.Duration(i+1) * time.Hour)
	return store.DeadLetter{ID: fmt.Sprintf("%s%d", function, i), Function: function, Topic: topic, Reason: reason, First: at.Add(-time.Minute), Last: at, Count: 1, Size: int64(len(sample)), Sample: []byte(sample), Reported: at}
}

func TestDeadLettersStandByCauseWithAProposal(t *testing.T) {
	h := newFixture(t)
	evil := "x/$(reboot)/'\u202e\u2066" + nasty
	h.ok(saveDevices(t.Context(), h.st, store.DeviceChange{Dead: []store.DeadLetter{
		h.letter(0, "sensors", "tele/2/SENSOR", "no mapping for topic tele/+/SENSOR", `{"p":1,"wifi_password":"hunter2","key":"geheim"}`),
		h.letter(1, "sensors", "tele/1/SENSOR", "no mapping for topic tele/+/SENSOR", `{"p":1}`),
		h.letter(2, "zigbee", evil, nasty+"\u202e\x1b[31m\nred", nasty+"\x00\xff\x1b[31m\u202e"+strings.Repeat("z", 3000)),
		h.letter(3, "sensors", "hearth/pi/desk", "no mapping for noise of the sensor kind sds011", `{}`),
	}}))
	d := h.data().Dead
	if len(d) != 3 || d[0].Letters != 2 || d[0].Topic != "tele/2/SENSOR" || !d[0].First.Equal(now.Add(-2*time.Hour-time.Minute)) || !d[0].Last.Equal(now.Add(-time.Hour)) {
		t.Fatalf("dead = %+v", d)
	}
	if d[0].Sample != `{"p":1,"wifi_password":"[secret]","key":"[secret]"}` || d[0].Proposal == "" || d[2].Proposal != "" {
		t.Errorf("dead = %+v", d)
	}
	if len(d[1].Sample) > maxSample+10 || strings.ContainsAny(d[1].Sample, "\x00\x1b\u202e\ufffd") {
		t.Errorf("sample = %q", d[1].Sample)
	}
	_, body := get(t, listen(t, h.page()).URL+"/status")
	for _, want := range []string{"2 messages", "topic: tele/2/SENSOR", "hearth dead replay --function sensors --cause"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, path := range []string{"/", "/status.json", "/sections.json"} { // topics, reasons and samples with what cannot be seen
		if _, all := get(t, listen(t, h.page()).URL+path); strings.ContainsAny(all, "\x00\x1b\u202e\u2066") {
			t.Errorf("%s has characters that change how the text around them is shown", path)
		}
	}
	for _, bad := range []string{"<script>alert", "hunter2", "geheim"} {
		if strings.Contains(body, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
}

// A key in PEM has line breaks, and a password may have any character.
func TestASecretOfSeveralLinesIsRedactedInASample(t *testing.T) {
	const key = "-----BEGIN KEY-----\nMIIE\tvQ\u00ad"
	c := redacting(key)
	if got := c.sample([]byte("a\nb " + key + " and much more")); got != "a b [secret] and much more" {
		t.Errorf("sample = %q", got)
	}
}

// redacting returns a collector that knows a secret.
func redacting(value string) *collector {
	f := secret.InMemory(map[string]string{"key": value}, nil)
	return &collector{Inputs: Inputs{Redact: f.Redact, RedactCut: f.RedactCut}}
}

// TestTheBeginningOfASecretIsRedactedAtTheEndOfASample: the connector keeps the first
// bytes of a payload, wherever these end.
func TestTheBeginningOfASecretIsRedactedAtTheEndOfASample(t *testing.T) {
	for _, value := range []string{"sk-live-0123456789abcdef", "pass word/with \"quotes\"&more", "пароль с пробелом 日本"} {
		c := redacting(value)
		for n := 4; n <= len(value); n++ {
			for _, before := range []string{"", `{"temperature":21.5,"note":"key `, "x="} {
				if got := c.sample([]byte(before + value[:n])); strings.Contains(got, value[:4]) || !strings.HasSuffix(got, "[secret]") {
					t.Errorf("%q is shown as %q", before+value[:n], got)
				}
			}
		}
	}
}

// TestACauseShowsNoSecret: neither its reason nor its topic, nor the command, which then
// selects by what is before the secret.
func TestACauseShowsNoSecret(t *testing.T) {
	c := redacting("s3cr3t-key")
	c.Hearth = "hearth"
	for reason, want := range map[string]string{
		"no mapping":            "hearth dead replay --function f --cause 'no mapping'",
		"key s3cr3t-key is old": "hearth dead replay --function f --reason key",
		"s3cr3t-key is old":     "hearth dead replay --function f --id 1a",
	} {
		d := c.cause(store.DeadLetter{ID: "1a", Function: "f", Topic: "house/s3cr3t-key", Reason: reason})
		b, err := json.Marshal(d)
		if err != nil || d.Replay != want || strings.Contains(string(b), "s3cr3t") || d.cause != reason {
			t.Errorf("%s, %v; want %s", b, err, want)
		}
	}
}

func TestWithoutDeadLettersThereIsNoSection(t *testing.T) {
	_, body := get(t, listen(t, newFixture(t).page()).URL+"/status")
	if !strings.Contains(body, `<section id="dead" aria-labelledby="dead-title" hidden>`) {
		t.Error("the section is not hidden")
	}
}

func TestManyCausesAreBounded(t *testing.T) {
	h := newFixture(t)
	var ls []store.DeadLetter
	for i := range maxLetters + 100 {
		ls = append(ls, h.letter(i, "sensors", "t", fmt.Sprint("cause ", i%(2*maxCauses)), "x"))
	}
	h.ok(saveDevices(t.Context(), h.st, store.DeviceChange{Dead: ls}))
	d := h.data()
	if len(d.Dead) != maxCauses || !d.MoreDead {
		t.Errorf("%d causes, more = %v", len(d.Dead), d.MoreDead)
	}
}

// pasted are texts that a shell, a terminal or a person could read as something else.
var pasted = []string{
	"no mapping for topic a/+",
	"$(touch x) `id` \"q\" 'single' \\ ; & | > # ~ * ? [a] {a,b} (c)",
	"it's 100% wrong: %s %d \\n \\033",
	"!! !x it's \"!y\" done!",
	"line 1\nline 2\n\n  line 4: $HOME `id` 'x' \"y\" !z",
	"\ttab\rreturn\x1b[31mred\x07\x7f",
	"right\u202eleft\u2066 zero\u200bwidth\ufeff line\u2028sep",
	"-x --all",
	"- ",
	"ünïcode – 温度 👩‍🔧",
	" spaces  at both ends ",
	strings.Repeat("long 'reason' $x\n", 20) + "end",
}

// TestACommandCanBePasted into bash and sh, also where bash is used by a person: it then
// replaces ! by earlier commands. It does exactly what it says, in one line in which all
// can be seen.
func TestACommandCanBePasted(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "hearth")
	if err := os.WriteFile(program, []byte("#!/bin/sh\nprintf '%s\\0' \"$@\" >\""+dir+"/args\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	c := &collector{Inputs: Inputs{Hearth: program, Redact: func(s string) string { return s }}}
	for _, shell := range [][]string{{"sh"}, {"bash", "--norc"}, {"bash", "--norc", "-i"}} {
		path := tool.Find(t, "apt-get install "+shell[0], shell[0])
		if path == "" {
			continue
		}
		for _, s := range pasted {
			line := c.replay(store.DeadLetter{Function: "f", Reason: s})
			if printable.Line(line) != line {
				t.Errorf("%q cannot be seen", line)
			}
			cmd := exec.CommandContext(t.Context(), path, shell[1:]...)
			cmd.Dir, cmd.Env, cmd.Stdin = dir, []string{"HISTFILE=", "PATH=" + os.Getenv("PATH")}, strings.NewReader("true earlier\n"+line+"\nexit\n")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%s: %s: %v\n%s", shell, line, err, out)
			}
			args, err := os.ReadFile(filepath.Join(dir, "args"))
			if err != nil {
				t.Fatal(err)
			}
			if want := "dead\x00replay\x00--function\x00f\x00--cause\x00" + s + "\x00"; string(args) != want {
				t.Errorf("%s: %s\ngave %q, want %q", shell, line, args, want)
			}
			if err := os.Remove(filepath.Join(dir, "args")); err != nil {
				t.Fatal(err)
			}
		}
	}
	if line := c.replay(store.DeadLetter{Function: "f", Reason: "no\n"}); !strings.HasSuffix(line, ` --reason "$(printf 'no\n')"`) {
		t.Errorf("a reason that ends with a line break: %s", line)
	}
}

func TestQuantitiesReadWell(t *testing.T) {
	for _, c := range []struct {
		v          float64
		unit, want string
	}{
		{7.99, "°C", "8.0 °C"}, {-0.01, "°C", "0.0 °C"}, {1024.6, "hPa", "1025 hPa"}, {45.34, "%", "45 %"}, {4.375, "%", "4.38 %"}, {811.6, "ppm", "812 ppm"},
		{230.4, "V", "230 V"}, {2.935, "V", "2.94 V"}, {2103.4, "W", "2103 W"}, {12.34, "W", "12.3 W"}, {5640, "s", "1 h 34 min"}, {12, "s", "12 s"},
		{4.66e9, "B", "4.66 GB"}, {1.6e9, "Hz", "1.6 GHz"}, {50, "Hz", "50 Hz"}, {1644.3, "kWh", "1644 kWh"}, {3.42, "kWh", "3.42 kWh"}, {580, "$", "580.00 $"}, {10000, "m", "10 km"}, {350, "m", "350 m"}, {7, "", "7 "},
	} {
		n, sign := quantity(c.v, c.unit, catalogue.Field{Unit: c.unit}.Format())
		if got := n + " " + sign; strings.TrimSpace(got) != strings.TrimSpace(c.want) {
			t.Errorf("%v %s reads %q, want %q", c.v, c.unit, got, c.want)
		}
	}
}
