package alert

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/golden"
)

func TestNumberIsForAPerson(t *testing.T) {
	for _, c := range []struct {
		v    float64
		unit string
		want string
	}{
		{1620, "ppm", "1,620 ppm"}, {1234567.891, "W", "1,234,567.89 W"}, {-1234, "W", "-1,234 W"}, {21.999, "°C", "22°C"}, {21.5, "°C", "21.5°C"},
		{87, "%", "87%"}, {0, "", "0"}, {math.Copysign(0, -1), "°C", "0°C"}, {0.25, "mg", "0.25 mg"}, {0.0042, "mg", "0.0042 mg"}, {-0.00421, "mg", "-0.0042 mg"}, {999, "", "999"}, {1000, "", "1,000"},
		{0.099, "", "0.099"}, {1e-300, "", "0"}, {100, "", "100"},
	} {
		if got := Number(c.v, c.unit); got != c.want {
			t.Errorf("%v %s: %q, want %q", c.v, c.unit, got, c.want)
		}
	}
}

func TestSpanIsForAPerson(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Hour: "less than a minute", 29 * time.Second: "less than a minute", 30 * time.Second: "1 min", 59*time.Minute + 40*time.Second: "1 h 0 min",
		135 * time.Minute: "2 h 15 min", 47*time.Hour + 59*time.Minute: "47 h 59 min", 48 * time.Hour: "2 days", 71 * time.Hour: "2 days",
	} {
		if got := Span(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}

// TestTexts shows every kind of notice as plain text.
func TestTexts(t *testing.T) {
	value, worst, good := 1620.0, 1850.5, 640.0
	now := t0
	firing := State{Key: "air-co2-high/office-air/co2_ppm", Phase: Firing,
		Spec:    Spec{Rule: "air-co2-high", Severity: Warning, Title: "CO₂ is high", Next: "Open a window"},
		Subject: Subject{Device: "office-air", Name: "Office air", Room: "Office"},
		Text:    "CO₂ is 1,620 ppm, above 1,500", Value: &value, Worst: &worst, Unit: "ppm", Good: &good, GoodAt: now.Add(-2 * time.Hour), Since: now.Add(-90 * time.Minute), Fired: now.Add(-75 * time.Minute)}
	unknown := firing
	unknown.Phase, unknown.Stopped = Unknown, now.Add(-10*time.Minute)
	other := firing
	other.Causes = []string{"key"}
	level := firing
	level.Level = 2
	over := firing
	over.Phase, over.Ended, over.Text = Resolved, now.Add(-time.Minute), "CO₂ is 900 ppm"
	unseen := over
	unseen.Since = time.Time{}
	flaps := firing
	flaps.Changes = make([]time.Time, 7)
	gone := over
	gone.Text = "the rule is off in hearth.yml"
	source := State{Spec: Spec{Rule: "source-failing", Title: "A source is failing"}, Subject: Subject{Function: "weather", Target: "Seattle"}, Phase: Firing, Since: now.AddDate(0, 0, -3), Text: "no answer"}
	bare := State{Spec: Spec{Rule: "store-away"}, Phase: Firing}
	h := House{Zone: time.FixedZone("", 3600)}
	var out strings.Builder
	for _, n := range []Notice{{What: Fired, Alert: firing}, {What: Fired, Alert: unknown}, {What: Changed, Alert: other}, {What: Changed, Alert: level}, {What: Reminder, Alert: firing}, {What: Repeat, Alert: unknown},
		{What: Flaps, Alert: flaps}, {What: Ended, Alert: over}, {What: Ended, Alert: unseen}, {What: Unwatched, Alert: gone}, {What: Fired, Alert: source}, {What: Fired, Alert: bare}} {
		n.At = now
		fmt.Fprintf(&out, "== %s\n%s\n", n.What, h.Text(n))
	}
	golden.Text(t, "testdata/texts.txt", out.String())
}
