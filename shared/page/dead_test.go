package page

import (
	"fmt"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/printable"
	"github.com/hearth-home/hearth/shared/store"
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
	evil := "x/$(reboot)/'" + nasty
	h.ok(saveDevices(t.Context(), h.st, store.DeviceChange{Dead: []store.DeadLetter{
		h.letter(0, "sensors", "tele/2/SENSOR", "no mapping for topic tele/+/SENSOR", `{"p":1,"wifi_password":"hunter2","key":"geheim"}`),
		h.letter(1, "sensors", "tele/1/SENSOR", "no mapping for topic tele/+/SENSOR", `{"p":1}`),
		h.letter(2, "zigbee", evil, nasty, nasty+"\x00\xff\x1b[31m\u202e"+strings.Repeat("z", 3000)),
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
	_, body := get(t, listen(t, h.page()).URL)
	for _, want := range []string{"2 messages", "topic: tele/2/SENSOR", "hearth dead replay --function sensors --reason"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
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
	const secret = "-----BEGIN KEY-----\nMIIE\tvQ\u00ad\n"
	c := &collector{Inputs: Inputs{Redact: func(s string) string { return strings.ReplaceAll(s, secret, "[secret]") }}}
	if got := c.sample([]byte("a\nb " + secret + "c")); got != "a b [secret]c" {
		t.Errorf("sample = %q", got)
	}
}

func TestWithoutDeadLettersThereIsNoSection(t *testing.T) {
	_, body := get(t, listen(t, newFixture(t).page()).URL)
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

// What is pasted into a shell comes out of it as it was, but for what a person would not see.
func TestACommandCanBePasted(t *testing.T) {
	for _, s := range []string{"no mapping for topic a/+", "$(touch x) `id` \"q\" 'single' \\ ; & | > #", "a\nb\x1bc\u202ed", ""} {
		out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf %s "+printable.Shell(s)).Output()
		if err != nil {
			t.Fatal(err)
		}
		if want := strings.NewReplacer("\n", " ", "\x1b", "·", "\u202e", "·").Replace(s); string(out) != want {
			t.Errorf("%q became %q", s, out)
		}
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
